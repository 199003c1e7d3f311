import { defineFeature } from '../feature.ts'
import { URL } from '../web/url.ts'
import { isSearchParams, URLSearchParams } from '../web/url-search-params.ts'

defineFeature('url', { globals: { URL, URLSearchParams }, hooks: { isSearchParams } })
