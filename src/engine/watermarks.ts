// When a function's garbage is collected. The collector's pause grows with what it finds, so a function that leaves much per
// request is collected often and one that leaves little hardly ever: the marks follow what the last requests left. That is
// counted in allocations, which is what a pause is made of, and in bytes, which is what memory is made of. Where the heap
// ends says of bytes only so much: garbage in the gaps below is not seen, and one small living thing keeps the end up.

/** Marks below these would be reached by nothing but a runtime's own small change. */
const MARK_BYTES_MIN = 128 << 10
const MARK_ALLOCATIONS_MIN = 1000
/** Collections are due after what so many average requests leave. */
const REQUESTS_PER_COLLECTION = 2
/** A body may be in memory twice: as its bytes, and as the text or the value made of them. */
const BODY_COPIES = 2
/** Weight of the last request in the moving averages. */
const LAST_WEIGHT = 1 / 8

/** Whether there is garbage to be collected: none worth it, when there is a pause, or before the next request. */
export const DUE = { NO: 0, LATER: 1, NOW: 2 } as const

/** A heap: where it ends, and how many allocations are alive in it. */
export interface HeapSize {
  topBytes: number
  allocations: number
}

export class Watermarks {
  readonly #softBytes: number
  /** What a request leaves behind before any collection: exponential moving averages. */
  averageBytes = 0
  averageAllocations = 0

  /** `softBytes`: the mark in bytes is never above this. */
  constructor(softBytes: number) {
    this.#softBytes = softBytes
  }

  /** A request with a body of so many bytes has left so much. What its body explains says nothing about the next one. */
  note(leftBytes: number, leftAllocations: number, bodyBytes: number): void {
    const ownBytes = Math.max(0, leftBytes - BODY_COPIES * bodyBytes)
    this.averageBytes += (ownBytes - this.averageBytes) * LAST_WEIGHT
    this.averageAllocations += (leftAllocations - this.averageAllocations) * LAST_WEIGHT
  }

  /** Garbage above which a collection is due when there is a pause, after a request with such a body. */
  markBytes(bodyBytes: number): number {
    const wanted = REQUESTS_PER_COLLECTION * this.averageBytes + BODY_COPIES * bodyBytes
    return Math.min(this.#softBytes, Math.max(MARK_BYTES_MIN, wanted))
  }

  get markAllocations(): number {
    return Math.max(MARK_ALLOCATIONS_MIN, REQUESTS_PER_COLLECTION * this.averageAllocations)
  }

  /**
   * By what has come since the last collection. All that was alive then, the image's own included, is looked through by every
   * collection, so the next one waits until half as many allocations again have come: its pause is longer by as much at most. In
   * bytes the same, but for those of the image, which cost a collection nothing. Without a pause it is made at twice the mark.
   */
  due(now: HeapSize, alive: HeapSize, loaded: HeapSize, bodyBytes: number): number {
    const soft = this.#softBytes
    const bytes = now.topBytes - alive.topBytes
    const allocations = now.allocations - alive.allocations
    const markBytes = Math.max(
      this.markBytes(bodyBytes),
      Math.min(soft, (alive.topBytes - loaded.topBytes) / 2),
    )
    const mark = Math.max(this.markAllocations, alive.allocations / 2)
    if (bytes > Math.min(soft, 2 * markBytes) || allocations > 2 * mark) return DUE.NOW
    return bytes > markBytes || allocations > mark ? DUE.LATER : DUE.NO
  }
}
