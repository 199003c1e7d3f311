import { readFileSync } from 'node:fs'
import { createSharedMemory } from '@shared/ringbuffer'
import { type HeadLimits, type HeadTable, parseHead } from '../../../src/http/head.ts'
import { SimdParser, simdScratchBytes } from '../../../src/http/simd.ts'
import type { ParseHead } from './head-conformance.ts'

/** Room for what is parsed in place, before the scratch. */
const ARENA_BYTES = 1 << 20

/** The head parser in WebAssembly, as built. */
export const HEAD_MODULE = new WebAssembly.Module(
  readFileSync(new URL('../../../dist/head.wasm', import.meta.url)),
)

interface Made {
  readonly parser: SimdParser
  readonly arena: Uint8Array
}

const made = new Map<string, Made>()

/** One parser for each set of limits, with an arena in its memory. */
function simdParser(limits: HeadLimits): Made {
  const key = JSON.stringify(limits)
  let known = made.get(key)
  if (known === undefined) {
    const memory = createSharedMemory(ARENA_BYTES + simdScratchBytes(limits))
    known = {
      parser: new SimdParser(HEAD_MODULE, { memory, offset: ARENA_BYTES }, limits),
      arena: new Uint8Array(memory.buffer, 0, ARENA_BYTES),
    }
    made.set(key, known)
  }
  return known
}

function copyTable({ table: from }: SimdParser, to: HeadTable): void {
  to.words.set(from.words.subarray(0, to.words.length))
}

/** As `parseHead`, of bytes that lie elsewhere: the parser copies them to its scratch. */
const simdElsewhere: ParseHead = (bytes, start, end, scanned, table, limits) => {
  const { parser } = simdParser({ ...limits, fields: Math.min(limits.fields, table.capacity) })
  const result = parser.parse(bytes, start, end, scanned)
  copyTable(parser, table)
  return result
}

/** As `parseHead`, of bytes in the parser's own memory; with all that surrounds them, so that what it must not read is there. */
const simdInPlace: ParseHead = (bytes, start, end, scanned, table, limits) => {
  const { parser, arena } = simdParser({ ...limits, fields: Math.min(limits.fields, table.capacity) })
  const place = arena.subarray(ARENA_BYTES / 2, ARENA_BYTES / 2 + bytes.length)
  place.set(bytes)
  const result = parser.parse(place, start, end, scanned)
  bytes.set(place)
  copyTable(parser, table)
  return result
}

/** Every implementation by name. */
export const IMPLEMENTATIONS: readonly (readonly [string, ParseHead])[] = [
  ['scalar', parseHead],
  ['SIMD in place', simdInPlace],
  ['SIMD elsewhere', simdElsewhere],
]
