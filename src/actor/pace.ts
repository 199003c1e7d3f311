// How long requests of each function take at present, from outside: is it worth while to let answers of others wait for one more?

import type { Outbox } from './outbox.ts'

/** Longest time that an answer waits, when there is more to do, for the acceptor to be told of it. */
export const RING_MS = 0.15
/** What counts of the longest time when a shorter one follows. */
const REMEMBERED = 0.9
/** Of a function that nothing is known of. */
const UNKNOWN_MS = 1

export class Pace {
  readonly #longestMs: Float64Array
  /** The function that has run since the last {@link took}; -1 for none. */
  #ran = -1

  constructor(functions: number) {
    this.#longestMs = new Float64Array(functions).fill(UNKNOWN_MS)
  }

  /** A request of this function begins: what is answered already does not wait for it if one of its latest has taken long. */
  enters(functionIndex: number, outbox: Outbox): void {
    if (this.#longestMs[functionIndex]! >= RING_MS) outbox.ring()
    this.#ran = functionIndex
  }

  /** What has run, with all that its end brought, has taken so long. */
  took(ms: number): void {
    if (this.#ran < 0) return
    this.#longestMs[this.#ran] = Math.max(ms, this.#longestMs[this.#ran]! * REMEMBERED)
    this.#ran = -1
  }
}
