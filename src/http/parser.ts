// The head parser of a shard: in WebAssembly SIMD where the machine has it, else its scalar twin. Both read the same grammar into
// the same table.

import { type HeadLimits, parseHead } from './head.ts'
import { HeadTable } from './table.ts'

export interface HeadParser {
  readonly kind: 'simd' | 'scalar'
  /** Where `parse` leaves what it found; meaningful after a positive result, until the next call. */
  readonly table: HeadTable
  /**
   * Reads one request head from `bytes[start, end)`: the bytes consumed, 0 when the head is not complete, or one of
   * `HTTP_ERRORS`. `scanned` as in `parseHead`.
   */
  parse(bytes: Uint8Array, start: number, end: number, scanned: number): number
}

export class ScalarParser implements HeadParser {
  readonly kind = 'scalar'
  readonly table: HeadTable
  readonly #limits: HeadLimits

  constructor(limits: HeadLimits) {
    this.#limits = limits
    this.table = new HeadTable(limits.fields)
  }

  parse(bytes: Uint8Array, start: number, end: number, scanned: number): number {
    return parseHead(bytes, start, end, scanned, this.table, this.#limits)
  }
}
