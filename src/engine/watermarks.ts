// When a function's garbage is collected. The collector's pause grows with what it finds, so a function that leaves much per
// request is collected often and one that leaves little hardly ever: the mark follows what the last requests left.

/** A mark below this would be reached by nothing but a runtime's own small change. */
const MARK_BYTES_MIN = 128 << 10
/** Collections are due after what so many average requests leave. */
const REQUESTS_PER_COLLECTION = 2
/** A body may be in memory twice: as its bytes, and as the text or the value made of them. */
const BODY_COPIES = 2
/** Weight of the last request in the moving average. */
const LAST_WEIGHT = 1 / 8

export class Watermarks {
  readonly #softBytes: number
  /** Heap that a request leaves behind before any collection: exponential moving average, and the most. */
  averageBytes = 0
  peakBytes = 0

  /** `softBytes`: the mark is never above this. */
  constructor(softBytes: number) {
    this.#softBytes = softBytes
  }

  /** A request with a body of so many bytes has left so much. What its body explains says nothing about the next one. */
  note(leftBytes: number, bodyBytes: number): void {
    if (leftBytes > this.peakBytes) this.peakBytes = leftBytes
    const ownBytes = Math.max(0, leftBytes - BODY_COPIES * bodyBytes)
    this.averageBytes += (ownBytes - this.averageBytes) * LAST_WEIGHT
  }

  /** Garbage above which a collection is due when there is time, after a request with such a body. */
  mark(bodyBytes: number): number {
    const wanted = REQUESTS_PER_COLLECTION * this.averageBytes + BODY_COPIES * bodyBytes
    return Math.min(this.#softBytes, Math.max(MARK_BYTES_MIN, wanted))
  }
}
