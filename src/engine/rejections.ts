// Promises that are rejected and that nobody handles. The tracker (tracker.ts) keeps them in a block of the guest's memory; when no
// job is left the guest is told of each (HTML, section 8.1.4.7, "notify about rejected promises"). All of it is part of the memory,
// so a reset forgets it, and a request that rejects nothing costs a look at three words.

import type { HostBorder } from './border.ts'
import { readCString } from './evaluate.ts'
import { type GuestHeap, GuestMemoryError } from './heap.ts'
import type { ImagePointers } from './image.ts'
import type { EmModule, EngineFfi } from './module.ts'
import { BLOCK, BLOCK_BYTES, LATE_REJECTIONS_MAX, REJECTIONS_MAX } from './tracker.ts'

/** Of which the guest is told after one step: its listener may reject another one each time. */
const TOLD_MAX = REJECTIONS_MAX

const LIST = BLOCK.LIST >> 2
const LATE = BLOCK.LATE >> 2
const COUNT = BLOCK.COUNT >> 2
const DROPPED = BLOCK.DROPPED >> 2
const LATE_COUNT = BLOCK.LATE_COUNT >> 2
const WATCHED = BLOCK.WATCHED >> 2
const TAG = BLOCK.TAG >> 2
const CURRENT = BLOCK.CURRENT >> 2

export class Rejections {
  readonly #em: EmModule
  readonly #ffi: EngineFfi
  readonly #heap: GuestHeap
  readonly #border: HostBorder

  constructor(em: EmModule, ffi: EngineFfi, heap: GuestHeap, border: HostBorder) {
    this.#em = em
    this.#ffi = ffi
    this.#heap = heap
    this.#border = border
  }

  /** Whether there is something to tell. */
  #isDue({ rejections }: ImagePointers): boolean {
    if (rejections === 0) return false
    const words = this.#heap.words()
    const at = rejections >> 2
    return (words[at + COUNT]! | words[at + DROPPED]! | words[at + LATE_COUNT]!) !== 0
  }

  /** The host has asked what has become of this promise (a JSValue*), which is rejected: so somebody handles it. */
  forget(pointers: ImagePointers, promise: number): void {
    if (!this.#isDue(pointers)) return
    const words = this.#heap.words()
    const list = (pointers.rejections >> 2) + LIST
    const object = words[promise >> 2]!
    for (let at = list + this.#count(pointers, COUNT, REJECTIONS_MAX) - 1; at >= list; at--) {
      if (words[at] !== object) continue
      words[at] = 0
      this.#em.cards?.mark(at << 2, 4)
      this.#free(pointers, this.#own(pointers, object))
      return
    }
  }

  /**
   * Tells the guest, and the log what of it nobody has taken on. `runJobs`: false when they have ended the request. Returns an
   * exception of the engine's that the telling ended with, 0 for none: the runtime is reset then. Throws {@link GuestMemoryError}.
   */
  tell(pointers: ImagePointers, runJobs: () => boolean): number {
    if (!this.#isDue(pointers)) return 0
    this.#em.cards?.mark(pointers.rejections, BLOCK_BYTES)
    for (let told = 0; told < TOLD_MAX; told++) {
      const isLate = this.#words(pointers, LATE_COUNT) !== 0
      const object = isLate ? this.#takeLate(pointers) : this.#takeFirst(pointers)
      if (object === 0) break
      const error = this.#tellOf(pointers, object, isLate)
      if (error !== 0) return error
      if (!runJobs()) return 0
      if (!isLate && this.#words(pointers, CURRENT) !== 0) this.#set(pointers, WATCHED, 1)
      this.#set(pointers, CURRENT, 0)
    }
    this.#drop(pointers)
    return 0
  }

  /** Those that there was no room or no time for. */
  #drop(pointers: ImagePointers): void {
    let more = this.#words(pointers, DROPPED)
    this.#set(pointers, DROPPED, 0)
    for (let object = this.#takeFirst(pointers); object !== 0; object = this.#takeFirst(pointers)) {
      more++
      this.#free(pointers, this.#own(pointers, object))
    }
    while (this.#words(pointers, LATE_COUNT) !== 0) {
      this.#free(pointers, this.#own(pointers, this.#takeLate(pointers)))
    }
    if (more !== 0) this.#border.unhandled('', more >>> 0)
  }

  /** Calls the guest's `rejected` with a promise whose reference this takes over. An exception, or 0. */
  #tellOf(pointers: ImagePointers, object: number, isLate: boolean): number {
    const { ctx, flags, rejected, scratch, undefined: none } = pointers
    const ffi = this.#ffi
    const promise = this.#own(pointers, object)
    if (!isLate) this.#set(pointers, CURRENT, object)
    const reason = ffi.QTS_PromiseResult(ctx, promise)
    const words = this.#heap.words()
    words[scratch >> 2] = promise
    words[(scratch >> 2) + 1] = reason
    words[(scratch >> 2) + 2] = flags[isLate ? 1 : 0]!
    const value = ffi.QTS_Call(ctx, rejected, none, 3, scratch)
    ffi.QTS_FreeValuePointer(ctx, reason)
    ffi.QTS_FreeValuePointer(ctx, promise)
    const error = ffi.QTS_ResolveException(ctx, value)
    if (error !== 0) return error
    const text = ffi.QTS_GetString(ctx, value)
    ffi.QTS_FreeValuePointer(ctx, value)
    if (text === 0) throw new GuestMemoryError()
    const failure = readCString(this.#em, text)
    ffi.QTS_FreeCString(ctx, text)
    if (failure !== '') this.#border.unhandled(failure, 0)
    return 0
  }

  /** The oldest one's address, no longer on the list; 0 when there is none. */
  #takeFirst(pointers: ImagePointers): number {
    const words = this.#heap.words()
    const list = (pointers.rejections >> 2) + LIST
    const end = list + this.#count(pointers, COUNT, REJECTIONS_MAX)
    for (let at = list; at < end; at++) {
      const object = words[at]!
      words[at] = 0
      if (object !== 0) return object
    }
    this.#set(pointers, COUNT, 0)
    return 0
  }

  #takeLate(pointers: ImagePointers): number {
    const count = this.#count(pointers, LATE_COUNT, LATE_REJECTIONS_MAX)
    this.#set(pointers, LATE_COUNT, count - 1)
    return this.#heap.words()[(pointers.rejections >> 2) + LATE + count - 1]!
  }

  /** A guest that can write past its objects may have written here. */
  #count(pointers: ImagePointers, index: number, max: number): number {
    const count = this.#words(pointers, index)
    if (count < 0 || count > max) throw new Error('the list of rejected promises is damaged')
    return count
  }

  /** A JSValue* for an object, which takes its reference over. */
  #own(pointers: ImagePointers, object: number): number {
    const value = this.#em._malloc(8)
    if (value === 0) throw new GuestMemoryError()
    const words = this.#heap.words()
    words[value >> 2] = object
    words[(value >> 2) + 1] = this.#words(pointers, TAG)
    this.#em.cards?.mark(value, 8)
    return value
  }

  #free({ ctx }: ImagePointers, value: number): void {
    this.#ffi.QTS_FreeValuePointer(ctx, value)
  }

  #words({ rejections }: ImagePointers, index: number): number {
    return this.#heap.words()[(rejections >> 2) + index]!
  }

  #set({ rejections }: ImagePointers, index: number, value: number): void {
    this.#heap.words()[(rejections >> 2) + index] = value
  }
}
