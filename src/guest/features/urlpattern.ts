import { defineFeature } from '../feature.ts'
import { URLPattern } from '../web/url-pattern.ts'

defineFeature('urlpattern', { globals: { URLPattern }, hooks: {} })
