// An answer as it lies in the guest's memory: where its parts are, and the values that must be freed when it has been sent.

import { HEAD_KIND, STATE, WORD } from '../guest/ops.ts'
import { readCString } from './evaluate.ts'
import type { GuestHeap } from './heap.ts'
import type { ImagePointers } from './image.ts'
import type { EmModule, EngineFfi } from './module.ts'

export class GuestAnswer {
  readonly #em: EmModule
  readonly #ffi: EngineFfi
  readonly #heap: GuestHeap
  /** The answer's words and places, valid from a step that ended with an answer until it is freed. */
  state: number = STATE.PENDING
  status = 0
  headKind = 0
  /** [start, end) of the guest's own field block, in {@link bytes}. */
  headStart = 0
  headEnd = 0
  /** [start, end) of the body, in {@link bytes}. */
  bodyStart = 0
  bodyEnd = 0
  #answerValue = 0
  #answerText = 0
  #answerCopy = 0
  #headValue = 0
  #headText = 0

  constructor(em: EmModule, ffi: EngineFfi, heap: GuestHeap) {
    this.#em = em
    this.#ffi = ffi
    this.#heap = heap
  }

  /** The guest's memory. Taken anew at each use: it moves when it grows. */
  get bytes(): Uint8Array {
    return this.#em.HEAPU8
  }

  /** The text of a failed answer (`name\nmessage\nstack`), for the log. */
  failureText(): string {
    return readCString(this.#em, this.bodyStart)
  }

  /** Takes the answer that the guest has written the words of; false when it cannot be read: the guest's memory is out. */
  protected takeAnswer(pointers: ImagePointers, value: number): boolean {
    const { ctx, io } = pointers
    const words = this.#heap.words()
    const at = io >> 2
    const state = words[at + WORD.STATE]!
    this.status = words[at + WORD.STATUS]!
    this.headKind = words[at + WORD.HEAD_KIND]!
    const headBytes = words[at + WORD.HEAD_BYTES]!
    this.#answerValue = value
    if (state === STATE.TEXT || state === STATE.FAILED) {
      this.#answerText = this.#ffi.QTS_GetString(ctx, value)
      if (this.#answerText === 0) return this.#drop()
      const end = this.#heap.stringEnd(this.#answerText)
      // The guest's own number is not to be trusted: a block never reaches past the text.
      const head = this.headKind === HEAD_KIND.CUSTOM && state === STATE.TEXT ? Math.max(0, headBytes) : 0
      this.headStart = this.#answerText
      this.headEnd = this.bodyStart = Math.min(end, this.#answerText + head)
      this.bodyEnd = end
    } else if (!this.#takeBytes(pointers, value, state)) return this.#drop()
    this.state = state
    return true
  }

  #takeBytes(
    { ctx, takeHead, undefined: none, scratch }: ImagePointers,
    value: number,
    state: number,
  ): boolean {
    const ffi = this.#ffi
    if (state === STATE.BYTES) {
      this.#answerCopy = ffi.QTS_GetArrayBuffer(ctx, value)
      if (this.#answerCopy === 0) return false
      this.bodyStart = this.#answerCopy
      this.bodyEnd = this.bodyStart + ffi.QTS_GetArrayBufferLength(ctx, value)
    }
    if (this.headKind === HEAD_KIND.CUSTOM) {
      this.#headValue = ffi.QTS_Call(ctx, takeHead, none, 0, scratch)
      this.#headText = ffi.QTS_GetString(ctx, this.#headValue)
      if (this.#headText === 0) return false
      this.headStart = this.#headText
      this.headEnd = this.#heap.stringEnd(this.#headText)
    }
    return true
  }

  /** Frees the answer's values. May trap. */
  protected freeAnswer({ ctx }: ImagePointers): void {
    if (this.#answerText !== 0) this.#ffi.QTS_FreeCString(ctx, this.#answerText)
    if (this.#answerCopy !== 0) this.#em._free(this.#answerCopy)
    if (this.#headText !== 0) this.#ffi.QTS_FreeCString(ctx, this.#headText)
    if (this.#answerValue !== 0) this.#ffi.QTS_FreeValuePointer(ctx, this.#answerValue)
    if (this.#headValue !== 0) this.#ffi.QTS_FreeValuePointer(ctx, this.#headValue)
  }

  protected forgetAnswer(): void {
    this.#answerText = this.#answerCopy = this.#answerValue = this.#headText = this.#headValue = 0
    this.state = STATE.PENDING
    this.headStart = this.headEnd = this.bodyStart = this.bodyEnd = 0
  }

  #drop(): false {
    this.forgetAnswer()
    return false
  }
}
