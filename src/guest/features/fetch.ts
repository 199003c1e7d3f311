import { defineFeature } from '../feature.ts'
import { fetch } from '../web/fetch.ts'

defineFeature('fetch', { globals: { fetch }, hooks: {} })
