import { defineFeature } from '../feature.ts'
import { verifyIntegrity } from '../web/subtle/integrity.ts'
import { CryptoKey } from '../web/subtle/key.ts'
import { SubtleCrypto, subtle } from '../web/subtle/subtle.ts'

defineFeature('subtle', { globals: { CryptoKey, SubtleCrypto }, hooks: { subtle, verifyIntegrity } })
