import { defineFeature } from '../feature.ts'
import { TextDecoder, TextEncoder } from '../web/encoding.ts'

defineFeature('encoding', { globals: { TextDecoder, TextEncoder }, hooks: {} })
