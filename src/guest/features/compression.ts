import { defineFeature } from '../feature.ts'
import { CompressionStream, DecompressionStream } from '../web/compression.ts'

defineFeature('compression', { globals: { CompressionStream, DecompressionStream }, hooks: {} })
