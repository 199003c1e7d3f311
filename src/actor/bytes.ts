// Bytes that outlive their ring record: a rest that is no whole message yet, or a body being gathered. Both are bounded by
// their owner: the receive window, and the body limit.

const FIRST_BYTES = 1024

/** A growing buffer that gives its memory back when it is emptied. */
export class ByteStore {
  bytes: Uint8Array = EMPTY
  start = 0
  end = 0

  get length(): number {
    return this.end - this.start
  }

  append(source: Uint8Array, from: number, to: number): void {
    this.reserve(to - from)
    this.bytes.set(source.subarray(from, to), this.end)
    this.end += to - from
  }

  /** Makes room for `more` bytes after the end. */
  reserve(more: number): void {
    if (this.end + more <= this.bytes.length) return
    const length = this.end - this.start
    if (length + more <= this.bytes.length && this.start >= length) {
      this.bytes.copyWithin(0, this.start, this.end)
    } else {
      let capacity = Math.max(FIRST_BYTES, this.bytes.length)
      while (capacity < length + more) capacity *= 2
      const grown = new Uint8Array(capacity)
      grown.set(this.bytes.subarray(this.start, this.end))
      this.bytes = grown
    }
    this.start = 0
    this.end = length
  }

  /** Drops everything before `at`. */
  consumeTo(at: number): void {
    this.start = at
    if (this.start === this.end) this.clear()
  }

  clear(): void {
    this.bytes = EMPTY
    this.start = this.end = 0
  }
}

const EMPTY = new Uint8Array(0)
