// What is to happen at a time: guest timers and wall limits, in one binary heap a shard.

/** One thing to happen. Cancelled ones stay in the heap until their time. */
export interface TimerEntry {
  atMs: number
  /** Breaks ties in the order of their making (HTML, timer initialisation steps). */
  readonly sequence: number
  cancelled: boolean
  readonly run: () => void
}

export class TimerQueue {
  readonly #heap: TimerEntry[] = []
  #sequence = 0

  /** Milliseconds of `performance.now` at which the next one is due; Infinity for none. */
  get nextMs(): number {
    while (this.#heap.length > 0 && this.#heap[0]!.cancelled) this.#pop()
    return this.#heap.length > 0 ? this.#heap[0]!.atMs : Number.POSITIVE_INFINITY
  }

  add(atMs: number, run: () => void): TimerEntry {
    const entry: TimerEntry = { atMs, sequence: this.#sequence++, cancelled: false, run }
    this.#heap.push(entry)
    this.#up(this.#heap.length - 1)
    return entry
  }

  /** Runs what is due; true when something was. */
  fire(nowMs: number): boolean {
    let fired = false
    while (this.nextMs <= nowMs) {
      const entry = this.#pop()
      entry.cancelled = true
      entry.run()
      fired = true
    }
    return fired
  }

  #before(a: number, b: number): boolean {
    const x = this.#heap[a]!
    const y = this.#heap[b]!
    return x.atMs < y.atMs || (x.atMs === y.atMs && x.sequence < y.sequence)
  }

  #swap(a: number, b: number): void {
    const x = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = x
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

  #pop(): TimerEntry {
    const first = this.#heap[0]!
    const last = this.#heap.pop()!
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#down()
    }
    return first
  }

  #down(): void {
    let at = 0
    for (;;) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#before(child, least)) least = child
      }
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }
}
