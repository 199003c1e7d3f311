// An instance's linear memory as a whole: loading an image into it, whether it may grow, and what it costs the process. The
// unit of cost is bytes that it has touched, in which a shard's memory budget counts (budget.ts).

import type { GuestHeap } from './heap.ts'
import type { Image } from './image.ts'
import { loadImage, restoreImage, scrubStack } from './load.ts'
import { type EmModule, INITIAL_PAGES, PAGE_BYTES, STATIC_DATA_BYTES } from './module.ts'

/** Beside its linear memory: JavaScript objects, page tables, V8's own. Measured: 110 to 165 KB. */
const OVERHEAD_BYTES = 192 << 10
/** What a guest's recursion may touch of the C stack: the greatest `limits.stackBytes`. */
const STACK_BYTES = 512 << 10
/** Share of its limit above which a heap is as good as full. */
const NEARLY_FULL = 0.9

/** Of a new instance with this image in it. */
export function footprintOf({ pages, extentBytes, heapStart }: Image): number {
  if (pages > INITIAL_PAGES) return grownFootprint(pages * PAGE_BYTES)
  return OVERHEAD_BYTES + STATIC_DATA_BYTES + STACK_BYTES + extentBytes - heapStart
}

/** Of one whose linear memory has grown: all of it, since what was granted may be touched without another question. */
export function grownFootprint(memoryBytes: number): number {
  return OVERHEAD_BYTES + memoryBytes
}

export class InstanceMemory {
  readonly #em: EmModule
  readonly #heap: GuestHeap
  readonly #maximumBytes: number
  #image: Image | undefined
  #limitBytes: number
  /** Whose code has run since the C stack was last scrubbed. */
  #ranImage: Image | undefined
  #committed = 0
  #wasRefused = false
  /** It has wanted more than its function's limit, which others are not the cause of. */
  hasPassedLimit = false
  /** Asked before it grows to so many bytes: whoever holds the instance says whether there is room for that. */
  mayGrow: (bytes: number) => boolean = () => true
  /** What the instance is counted for in its shard's memory budget; kept by that. */
  chargedBytes = 0

  constructor(em: EmModule, heap: GuestHeap, maximumPages: number) {
    this.#em = em
    this.#heap = heap
    this.#maximumBytes = this.#limitBytes = maximumPages * PAGE_BYTES
  }

  /** Whether what is written to is known: then a load of the image that is in it already takes no more than that. */
  get hasBarrier(): boolean {
    return this.#em.cards !== undefined
  }

  /** The engine's allocator asks for more. Refused, it tells its guest that memory is out. */
  grows(bytes: number): boolean {
    if (bytes > this.#limitBytes) this.hasPassedLimit = true
    const isAllowed = bytes <= this.#limitBytes && this.mayGrow(bytes)
    if (!isAllowed) this.#wasRefused = true
    return isAllowed
  }

  /** Guest code of the image is about to run. */
  used(): void {
    this.#ranImage = this.#image
  }

  /**
   * Puts the image in, over whatever was there; it may grow to `limitBytes` from here on. Everything that ran here before
   * is gone; when it was of another image, so are the dead bytes that it left on the C stack.
   */
  load(image: Image, limitBytes: number = this.#maximumBytes): void {
    const missing = image.pages - this.#em.HEAPU8.byteLength / PAGE_BYTES
    if (missing > 0) throw new Error(`image of ${image.pages} pages for an instance that lacks ${missing}`)
    const { cards } = this.#em
    const top = this.#heap.breakBytes
    this.#committed = Math.max(this.#committed, top)
    if (this.#ranImage !== undefined && this.#ranImage !== image) {
      if (image.heapStart > 0) scrubStack(this.#em.HEAPU8, image.heapStart, cards)
      this.#ranImage = undefined
    }
    const isRestored =
      cards !== undefined && this.#image === image && restoreImage(image, this.#em.HEAPU8, top, cards)
    if (!isRestored) loadImage(image, this.#em.HEAPU8, top, cards)
    this.#heap.markOwnCells(image.pointers)
    this.#image = image
    this.#limitBytes = Math.min(limitBytes, this.#maximumBytes)
    this.#wasRefused = this.hasPassedLimit = false
  }

  /** One past the last block in use. */
  get topBytes(): number {
    return this.#heap.topBytes
  }

  /** Allocations that are alive, garbage that no collection has found included. */
  get allocations(): number {
    return this.#heap.allocations(this.#image!.pointers.rt)
  }

  /** Heap in use beyond the image's own, to the end of the last block. */
  get heapBytes(): number {
    return Math.max(0, this.#heap.topBytes - this.#image!.endBytes)
  }

  /** Heap beyond the image's that was used since the image was loaded; unlike {@link heapBytes} it says how full the memory became. */
  get reachedHeapBytes(): number {
    return Math.max(0, this.#heap.breakBytes - this.#image!.endBytes)
  }

  /** Heap beyond the image's that was ever used: what it costs the process until it is dropped. */
  get committedHeapBytes(): number {
    return Math.max(0, Math.max(this.#committed, this.#heap.breakBytes) - this.#image!.endBytes)
  }

  /** Whether it is larger than that of a new instance. It can never shrink again. */
  get hasGrown(): boolean {
    return this.#em.HEAPU8.byteLength > INITIAL_PAGES * PAGE_BYTES
  }

  /** Bytes of the process that the instance has touched at most. */
  get footprintBytes(): number {
    if (this.hasGrown) return grownFootprint(this.#em.HEAPU8.byteLength)
    const usedBytes = Math.max(this.#committed, this.#heap.breakBytes)
    return footprintOf(this.#image!) + Math.max(0, usedBytes - this.#image!.extentBytes)
  }

  /** Whether more was refused since the image was loaded, or the heap reaches to within a tenth of its limit. */
  get isNearlyFull(): boolean {
    return this.#wasRefused || this.#heap.breakBytes > this.#limitBytes * NEARLY_FULL
  }
}
