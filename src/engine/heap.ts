// A guest's linear memory, read and written by address: the words whose places were probed, and bytes made into values.

import { isAscii } from 'node:buffer'
import { randomFillSync } from 'node:crypto'
import type { HostValue } from '../guest/host.ts'
import type { ImagePointers } from './image.ts'
import type { EngineLayout } from './layout.ts'
import type { EmModule, EngineFfi } from './module.ts'
import { BLOCK_HEAD_BYTES } from './tracker.ts'

/** Bytes of the argument block in every image: the argv cells, then text to be made into a string. */
export const SCRATCH_BYTES = 16384
const ARGV_BYTES = 64
/** The greatest threshold (unsigned): the collector never runs by itself. */
export const GC_OFF = -1
/** The word that says of a JSValue that it is an exception (quickjs.h, JS_TAG_EXCEPTION). */
const EXCEPTION_TAG = 6

/** The guest's memory is full. */
export class GuestMemoryError extends Error {
  override readonly name = 'GuestMemoryError'
  constructor() {
    super('the memory of the guest is full')
  }
}

const seedWords = new BigUint64Array(512)
let seedAt = seedWords.length

/** A non-zero 64-bit seed; the random bytes are fetched in blocks. */
function nextSeed(): bigint {
  if (seedAt === seedWords.length) {
    randomFillSync(seedWords)
    seedAt = 0
  }
  return seedWords[seedAt++]! | 1n
}

export class GuestHeap {
  readonly #em: EmModule
  readonly #ffi: EngineFfi
  readonly #layout: EngineLayout
  /** Indexes of words; -1 for what the layout does not know. */
  readonly #top: number
  readonly #break: number
  #viewOf: Uint8Array | undefined
  #view: Int32Array = new Int32Array(0)

  constructor(em: EmModule, ffi: EngineFfi, layout: EngineLayout) {
    this.#em = em
    this.#ffi = ffi
    this.#layout = layout
    this.#top = layout.heap === null ? -1 : layout.heap.top >> 2
    this.#break = layout.heap === null ? -1 : layout.heap.break >> 2
  }

  /** Cells that the host writes at any time from now on: they are as good as written to. */
  markOwnCells({ rt, ctx, scratch, rejections }: ImagePointers): void {
    const { cards } = this.#em
    if (cards === undefined) return
    cards.mark(scratch, ARGV_BYTES)
    if (rejections !== 0) cards.mark(rejections, BLOCK_HEAD_BYTES)
    cards.mark(rt + (this.#layout.gcThreshold ?? 0), 4)
    cards.mark(ctx + (this.#layout.randomState ?? 0), 8)
  }

  /** The memory as 32-bit words; made anew only when the memory has grown. */
  words(): Int32Array {
    const bytes = this.#em.HEAPU8
    if (bytes !== this.#viewOf) {
      this.#viewOf = bytes
      this.#view = new Int32Array(bytes.buffer)
    }
    return this.#view
  }

  /** One past the last block in use; the memory's end, where the heap is not understood. */
  get topBytes(): number {
    const words = this.words()
    return this.#top < 0 ? words.byteLength : words[this.#top]! >>> 0
  }

  /** One past the last byte that was ever used since the image was loaded. */
  get breakBytes(): number {
    const words = this.words()
    return this.#break < 0 ? words.byteLength : words[this.#break]! >>> 0
  }

  /** Allocations that are alive, garbage that no collection has found included; 0 where they cannot be counted. */
  allocations(rt: number): number {
    const { allocations } = this.#layout
    return allocations === null ? 0 : this.words()[(rt + allocations) >> 2]! >>> 0
  }

  /** Whether it can be said when garbage is collected. Without knowing how large a heap is, its engine knows better. */
  get controlsGc(): boolean {
    return this.#layout.gcThreshold !== null && this.#layout.heap !== null
  }

  /** Allocations above which the engine collects by itself: {@link GC_OFF}, or 0 for at the next one. */
  setGcThreshold(rt: number, threshold: number): void {
    if (this.controlsGc) this.words()[(rt + this.#layout.gcThreshold!) >> 2] = threshold
  }

  /** Gives Math.random a seed of its own: every copy of an image would go on with the image's. */
  reseed(ctx: number): void {
    const { randomState } = this.#layout
    if (randomState === null) return
    new BigUint64Array(this.#em.HEAPU8.buffer, ctx + randomState, 1)[0] = nextSeed()
  }

  /** Where the NUL-terminated string ends. */
  stringEnd(pointer: number): number {
    const bytes = this.#em.HEAPU8
    const end = Buffer.prototype.indexOf.call(bytes, 0, pointer)
    return end < 0 ? bytes.length : end
  }

  /** A string of Latin-1 bytes without NUL; owned. Throws {@link GuestMemoryError}. */
  latin1(pointers: ImagePointers, source: Uint8Array): number {
    if (isAscii(source)) return this.text(pointers, source)
    return this.text(pointers, Buffer.from(Buffer.from(source).toString('latin1'), 'utf8'))
  }

  /** A string of UTF-8 without NUL; owned. Throws {@link GuestMemoryError}. */
  text({ ctx, scratch }: ImagePointers, source: Uint8Array): number {
    const { length } = source
    const inScratch = length + 1 <= SCRATCH_BYTES - ARGV_BYTES
    const at = inScratch ? scratch + ARGV_BYTES : this.#allocate(length + 1)
    const bytes = this.#em.HEAPU8
    bytes.set(source, at)
    bytes[at + length] = 0
    this.#em.cards?.mark(at, length + 1)
    const value = this.#ffi.QTS_NewString(ctx, at)
    if (!inScratch) this.#em._free(at)
    return this.#usable(value)
  }

  /** An ArrayBuffer with a copy of the bytes; owned. Throws {@link GuestMemoryError}. */
  arrayBuffer({ ctx }: ImagePointers, source: Uint8Array): number {
    const at = this.#allocate(source.length)
    this.#em.HEAPU8.set(source, at)
    this.#em.cards?.mark(at, source.length)
    return this.#usable(this.#ffi.QTS_NewArrayBuffer(ctx, at, source.length))
  }

  /** A value of the host's; owned, 0 for undefined. Throws {@link GuestMemoryError}. */
  value(pointers: ImagePointers, value: HostValue): number {
    if (value === undefined) return 0
    if (typeof value === 'number') return this.#usable(this.#ffi.QTS_NewFloat64(pointers.ctx, value))
    if (typeof value === 'string') return this.text(pointers, Buffer.from(value, 'utf8'))
    return this.arrayBuffer(pointers, value)
  }

  /** The engine makes an exception, or nothing, when memory is out. */
  #usable(value: number): number {
    if (value !== 0 && this.words()[(value >> 2) + 1] !== EXCEPTION_TAG) return value
    throw new GuestMemoryError()
  }

  #allocate(bytes: number): number {
    const at = this.#em._malloc(Math.max(1, bytes))
    if (at === 0) throw new GuestMemoryError()
    return at
  }
}
