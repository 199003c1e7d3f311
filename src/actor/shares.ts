// Whose turn it is on a shard. Requests are served as they come while they cost little. A function that has used up its quantum
// since the ring was last seen empty has its further requests put aside (waiting.ts), so that those of others which lie behind
// them in the ring are found; and of functions that have requests put aside, the one that has used least is served next
// (start-time fair queueing: Goyal, Vin, Cheng 1996). What was used is not held against anybody once nobody waits.

/** What a function may use between two looks that find the ring empty, before its requests are put aside. */
const QUANTUM_MS = 5
/** Of a function whose requests are cheap: to put one aside costs a good part of what it costs to run it. */
const CHEAP_QUANTUM_MS = 20
/** A step that costs less, in the mean of the last ones, is cheap. */
const CHEAP_MS = 0.5
/** How long those that were put aside are served before the ring is looked at again. */
const SLICE_MS = 2
/** Weight of the last step in the mean. */
const WEIGHT = 1 / 8

export class Shares {
  /** Time that each function has used in the round `#roundOf`. */
  readonly #roundMs: Float64Array
  readonly #roundOf: Float64Array
  /** Virtual time: what each function has used since it last began to wait, on top of what others had by then. */
  readonly #usedMs: Float64Array
  readonly #meanMs: Float64Array
  readonly #isShared: boolean
  #round = 1
  /** The shard's own virtual time: where the function stood that was served last. */
  #clockMs = 0
  #latestMs = 0

  constructor(functions: number) {
    const count = Math.max(1, functions)
    this.#roundMs = new Float64Array(count)
    this.#roundOf = new Float64Array(count)
    this.#usedMs = new Float64Array(count)
    this.#meanMs = new Float64Array(count)
    this.#isShared = functions > 1
  }

  /** The ring was found empty: everybody has had his turn. */
  endRound(): void {
    this.#round++
  }

  /** A step of a function's request has taken so long. */
  charge(functionIndex: number, ms: number): void {
    if (this.#roundOf[functionIndex] !== this.#round) {
      this.#roundOf[functionIndex] = this.#round
      this.#roundMs[functionIndex] = 0
    }
    this.#roundMs[functionIndex]! += ms
    this.#meanMs[functionIndex]! += (ms - this.#meanMs[functionIndex]!) * WEIGHT
    const usedMs = Math.max(this.#usedMs[functionIndex]!, this.#clockMs) + ms
    this.#usedMs[functionIndex] = usedMs
    if (usedMs > this.#latestMs) this.#latestMs = usedMs
  }

  /** Whether this function's steps cost so little that order is no matter. */
  isCheap(functionIndex: number): boolean {
    return this.#meanMs[functionIndex]! < CHEAP_MS
  }

  /** Whether this function's next request may run as it comes. */
  hasTurn(functionIndex: number): boolean {
    if (!this.#isShared || this.#roundOf[functionIndex] !== this.#round) return true
    const quantumMs = this.isCheap(functionIndex) ? CHEAP_QUANTUM_MS : QUANTUM_MS
    return this.#roundMs[functionIndex]! < quantumMs
  }

  /** Of these functions the one that has used least; of equals the first. -1 when there is none. */
  next(functions: Iterable<number>, isBlocked: (functionIndex: number) => boolean): number {
    let best = -1
    let bestMs = Number.POSITIVE_INFINITY
    for (const index of functions) {
      if (isBlocked(index)) continue
      const usedMs = Math.max(this.#usedMs[index]!, this.#clockMs)
      if (usedMs < bestMs) {
        best = index
        bestMs = usedMs
      }
    }
    return best
  }

  /** A request of this function is taken from those that wait. */
  serve(functionIndex: number): void {
    this.#clockMs = Math.max(this.#clockMs, this.#usedMs[functionIndex]!)
  }

  /** Whether the ring is to be looked at before this function's next request that waits, after so long. */
  isSliceOver(functionIndex: number, ms: number): boolean {
    return ms >= (this.isCheap(functionIndex) ? CHEAP_QUANTUM_MS : SLICE_MS)
  }

  /** Nobody waits: what was used counts no longer. */
  settle(): void {
    this.#clockMs = this.#latestMs
  }
}
