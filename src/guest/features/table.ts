import { defineFeature } from '../feature.ts'
import { table } from '../web/table.ts'

defineFeature('table', { globals: {}, hooks: { table } })
