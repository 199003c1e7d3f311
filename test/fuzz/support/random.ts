/** Numbers from a seed: the same on every machine, so that a run can be repeated. */
export class Random {
  #state: number

  constructor(seed: number) {
    // A xorshift register stands still at 0.
    this.#state = seed | 0 || 1
    for (let i = 0; i < 8; i++) this.#next()
  }

  #next(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return x >>> 0
  }

  /** An integer in [0, limit); `limit` at most 2^32. */
  below(limit: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * limit)
  }

  /** True in `percent` of a hundred cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<T>(list: ArrayLike<T>): T {
    return list[this.below(list.length)]!
  }
}
