import { defineFeature, nameFunction } from '../feature.ts'
import { assets } from '../web/assets.ts'
import { fetch } from '../web/fetch.ts'

nameFunction(assets.fetch, 'fetch')
defineFeature('fetch', { globals: { fetch }, hooks: { assets } })
