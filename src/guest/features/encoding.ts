import { defineFeature } from '../feature.ts'
import { atob, btoa } from '../web/base64.ts'
import { TextDecoder, TextEncoder } from '../web/encoding.ts'

defineFeature('encoding', { globals: { TextDecoder, TextEncoder, atob, btoa }, hooks: {} })
