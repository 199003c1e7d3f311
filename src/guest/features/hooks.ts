import type { isSearchParams } from '../web/url-search-params.ts'
import type { FeatureName } from './names.ts'

/** What a feature does for the core and for features that must work without it. */
export interface FeatureHooks extends Record<FeatureName, object> {
  url: { readonly isSearchParams: typeof isSearchParams }
}
