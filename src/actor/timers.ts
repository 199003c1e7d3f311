// What is to happen at a time: guest timers and wall limits, in one binary heap a shard. A cancelled entry leaves the heap at
// once: a guest that sets and clears timers all day keeps no memory.

export interface TimerEntry {
  readonly atMs: number
  /** Breaks ties in the order of their making (HTML, timer initialisation steps). */
  readonly sequence: number
  readonly run: () => void
  /** Whose it is, where that matters. */
  readonly owner: object | undefined
  /** Place in the heap, -1 when it is not in it. */
  index: number
}

export class TimerQueue {
  readonly #heap: TimerEntry[] = []
  #sequence = 0

  /** Milliseconds of `performance.now` at which the next one is due; Infinity for none. */
  get nextMs(): number {
    return this.#heap.length > 0 ? this.#heap[0]!.atMs : Number.POSITIVE_INFINITY
  }

  get size(): number {
    return this.#heap.length
  }

  add(atMs: number, run: () => void, owner?: object): TimerEntry {
    const entry: TimerEntry = { atMs, sequence: this.#sequence++, run, owner, index: this.#heap.length }
    this.#heap.push(entry)
    this.#up(entry.index)
    return entry
  }

  /** Takes an entry out; nothing for one that has run or was cancelled. */
  cancel(entry: TimerEntry): void {
    const { index } = entry
    if (index < 0) return
    entry.index = -1
    const last = this.#heap.pop()!
    if (last === entry) return
    this.#put(last, index)
    this.#up(index)
    this.#down(last.index)
  }

  /** Runs what is due. */
  fire(nowMs: number): void {
    while (this.nextMs <= nowMs) {
      const entry = this.#heap[0]!
      this.cancel(entry)
      entry.run()
    }
  }

  #before(a: number, b: number): boolean {
    const x = this.#heap[a]!
    const y = this.#heap[b]!
    return x.atMs < y.atMs || (x.atMs === y.atMs && x.sequence < y.sequence)
  }

  #put(entry: TimerEntry, index: number): void {
    this.#heap[index] = entry
    entry.index = index
  }

  #swap(a: number, b: number): void {
    const x = this.#heap[a]!
    this.#put(this.#heap[b]!, a)
    this.#put(x, b)
  }

  #up(from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #down(from: number): void {
    let at = from
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      let least = at
      if (left < this.#heap.length && this.#before(left, least)) least = left
      if (right < this.#heap.length && this.#before(right, least)) least = right
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }
}
