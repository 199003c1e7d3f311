/**
 * Messages that two parsers have been seen, or could be made, to read in two ways: each is refused, or read in the one way its
 * entry names. Its own `why` says where the other reading comes from.
 */

import { CHUNKS } from './desync-chunks.ts'
import { CODINGS } from './desync-codings.ts'
import { CONNECTIONS } from './desync-connections.ts'
import type { DesyncEntry } from './desync-entry.ts'
import { FIELDS } from './desync-fields.ts'
import { LENGTHS } from './desync-lengths.ts'
import { TARGETS } from './desync-targets.ts'

const FAMILIES = [...LENGTHS, ...CODINGS, ...CHUNKS, ...FIELDS, ...TARGETS, ...CONNECTIONS]

export const DESYNC: readonly DesyncEntry[] = FAMILIES.flatMap(({ entries }) => entries)
