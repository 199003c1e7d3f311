// Bytes that outlive their ring record: a rest that is no whole message yet, a head and body being gathered, a request that
// waits for a runtime, an answer that its client does not take. Each is bounded by its owner, and all of a shard together by
// its buffer budget: who does not fit is refused, and nobody else notices.

const FIRST_BYTES = 1024
/** Buffers up to this are small: a head in two pieces must find room while others keep whole bodies. */
const SMALL_BYTES = 32 << 10
/** Share of the budget that is kept for small ones. */
const SMALL_SHARE = 1 / 4

/** What the buffers of one shard may hold together. */
export class BufferBudget {
  readonly limitBytes: number
  readonly #largeLimitBytes: number
  usedBytes = 0
  peakBytes = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
    this.#largeLimitBytes = limitBytes * (1 - SMALL_SHARE)
  }

  /** Takes `bytes` for a buffer that is then `total` bytes long; false when they do not fit. */
  tryTake(bytes: number, total: number): boolean {
    const usedBytes = this.usedBytes + bytes
    if (usedBytes > (total <= SMALL_BYTES ? this.limitBytes : this.#largeLimitBytes)) return false
    this.usedBytes = usedBytes
    if (usedBytes > this.peakBytes) this.peakBytes = usedBytes
    return true
  }

  give(bytes: number): void {
    this.usedBytes -= bytes
  }
}

/** A growing buffer that gives its memory back when it is emptied. */
export class ByteStore {
  readonly #budget: BufferBudget
  bytes: Uint8Array = EMPTY
  start = 0
  end = 0

  constructor(budget: BufferBudget) {
    this.#budget = budget
  }

  get length(): number {
    return this.end - this.start
  }

  /** False, with nothing changed, when there is no room for them. */
  append(source: Uint8Array, from: number, to: number): boolean {
    if (!this.reserve(to - from)) return false
    this.bytes.set(source.subarray(from, to), this.end)
    this.end += to - from
    return true
  }

  /** Makes room for `more` bytes after the end; false when the budget has none. */
  reserve(more: number): boolean {
    if (this.end + more <= this.bytes.length) return true
    const length = this.end - this.start
    if (length + more <= this.bytes.length && this.start >= length) {
      this.bytes.copyWithin(0, this.start, this.end)
    } else {
      let capacity = Math.max(FIRST_BYTES, this.bytes.length)
      while (capacity < length + more) capacity *= 2
      if (!this.#budget.tryTake(capacity - this.bytes.length, capacity)) return false
      const grown = new Uint8Array(capacity)
      grown.set(this.bytes.subarray(this.start, this.end))
      this.bytes = grown
    }
    this.start = 0
    this.end = length
    return true
  }

  /** Drops everything before `at`. */
  consumeTo(at: number): void {
    this.start = at
    if (this.start === this.end) this.clear()
  }

  clear(): void {
    this.#budget.give(this.bytes.length)
    this.bytes = EMPTY
    this.start = this.end = 0
  }
}

const EMPTY = new Uint8Array(0)
