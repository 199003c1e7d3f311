// What a shard's instances may cost together. Every instance is charged with what it has touched (`footprintBytes`), and
// asks before its linear memory grows. A dropped one is charged until V8 has really freed it.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Instance } from './instance.ts'

/** Dropped memory that waits for V8's collector at most: a full collection of an actor's small heap takes 5 to 10 ms. */
const DROPPED_BYTES_MAX = 32 << 20

let collector: (() => void) | undefined

/**
 * V8 frees the memory of a dropped instance at its next full collection, and has little reason for one: an actor's own heap
 * hardly grows. So it is asked for, by the one way that Node has without a flag on its command line.
 */
function collectHost(): void {
  if (collector === undefined) {
    setFlagsFromString('--expose-gc')
    collector = runInNewContext('gc') as () => void
  }
  collector()
}

export class MemoryBudget {
  readonly limitBytes: number
  readonly #collect: () => void
  /** Everything charged, what is dropped and not yet freed included. */
  usedBytes = 0
  peakBytes = 0
  #droppedBytes = 0

  constructor(limitBytes: number, collect: () => void = collectHost) {
    this.limitBytes = limitBytes
    this.#collect = collect
  }

  /** How far the limit is exceeded when so many bytes come in addition; what is dropped counts as free. */
  excessWith(bytes: number): number {
    return this.usedBytes - this.#droppedBytes + bytes - this.limitBytes
  }

  /** Whether so many bytes more fit now. */
  fits(bytes: number): boolean {
    return this.usedBytes + bytes <= this.limitBytes
  }

  /** Charges an instance with what it costs now, or with what it is about to cost. */
  charge({ memory }: Instance, bytes: number = memory.footprintBytes): void {
    this.usedBytes += bytes - memory.chargedBytes
    memory.chargedBytes = bytes
    if (this.usedBytes > this.peakBytes) this.peakBytes = this.usedBytes
  }

  /** The instance is about to be nobody's. */
  drop({ memory }: Instance): void {
    this.#droppedBytes += memory.chargedBytes
    memory.chargedBytes = 0
  }

  /** Frees what was dropped when that is much, or when room for so many bytes is needed. To be called when its owners have let go. */
  reclaim(bytesNeeded: number): void {
    if (this.#droppedBytes === 0) return
    if (this.#droppedBytes <= DROPPED_BYTES_MAX && this.fits(bytesNeeded)) return
    this.#collect()
    this.usedBytes -= this.#droppedBytes
    this.#droppedBytes = 0
  }
}
