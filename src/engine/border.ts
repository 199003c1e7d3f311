// The guest's way out: one host function, `__host(op, ...args)`. Every argument is hostile: each is read with its type
// checked by the engine's own conversions, capped in length, and a wrong one ends in undefined, never in an exception here.

import { randomFillSync } from 'node:crypto'
import { encodingName, textDecode, textEncode, urlParse, urlSet, type WireText } from '../guest/host.ts'
import { LOG_CHARS_MAX, OP, RANDOM_BYTES_MAX } from '../guest/ops.ts'
import { evaluateRaw, GuestError, readCString } from './evaluate.ts'
import type { EmModule, EngineFfi } from './module.ts'
import type { GuestScripts } from './scripts.ts'

/** What a running request offers its guest beside the pure operations. */
export interface HostCalls {
  /** Somebody outside wants the request to stop; looked at whenever the engine polls. */
  readonly isCancelled: boolean
  log(level: number, text: string): void
  /** False when there are too many timers. */
  timerSet(id: number, delayMs: number, repeat: boolean): boolean
  timerClear(id: number): void
  /** The guest waits for a piece of its body. */
  bodyPull(): void
  /** JSON text. */
  env(): string
}

/** The typeof answers that the border tells apart. */
const STRING_TYPE = 'string'

export class HostBorder {
  readonly #em: EmModule
  readonly #ffi: EngineFfi
  readonly #scripts: GuestScripts
  #host: HostCalls | undefined
  #callsLeft = 0

  constructor(em: EmModule, ffi: EngineFfi, scripts: GuestScripts) {
    this.#em = em
    this.#ffi = ffi
    this.#scripts = scripts
  }

  begin(host: HostCalls, calls: number): void {
    this.#host = host
    this.#callsLeft = calls
  }

  /** Whether the request is to stop. */
  get isCancelled(): boolean {
    return this.#host?.isCancelled === true
  }

  /** Whether the request has used up its host calls. */
  get exhausted(): boolean {
    return this.#callsLeft < 0
  }

  /** Returns an owned value, or 0 for undefined. */
  call(ctx: number, argc: number, argv: number): number {
    if (--this.#callsLeft < 0 || this.#host === undefined) return 0
    switch (this.#number(ctx, argc, argv, 0)) {
      case OP.FEATURE:
        return this.#feature(ctx, this.#number(ctx, argc, argv, 1))
      case OP.LOG:
        this.#host.log(
          this.#number(ctx, argc, argv, 1),
          this.#text(ctx, argc, argv, 2).slice(0, LOG_CHARS_MAX),
        )
        return 0
      case OP.TIMER_SET:
        return this.#timerSet(ctx, argc, argv)
      case OP.TIMER_CLEAR:
        this.#host.timerClear(this.#number(ctx, argc, argv, 1))
        return 0
      case OP.URL_PARSE:
        return this.#wire(
          ctx,
          urlParse(this.#wireText(ctx, argc, argv, 1), this.#optional(ctx, argc, argv, 2)),
        )
      case OP.URL_SET: {
        const href = this.#text(ctx, argc, argv, 1)
        return this.#wire(
          ctx,
          urlSet(href, this.#number(ctx, argc, argv, 2), this.#wireText(ctx, argc, argv, 3)),
        )
      }
      case OP.TEXT_ENCODE:
        return this.#newBytes(ctx, textEncode(this.#wireText(ctx, argc, argv, 1)))
      case OP.TEXT_DECODE: {
        const bytes = this.#bytes(ctx, argc, argv, 1) ?? new Uint8Array(0)
        const label = this.#text(ctx, argc, argv, 2)
        return this.#wire(ctx, textDecode(bytes, label, this.#number(ctx, argc, argv, 3)))
      }
      case OP.RANDOM: {
        const count = this.#number(ctx, argc, argv, 1)
        if (!(count >= 1 && count <= RANDOM_BYTES_MAX)) return 0
        return this.#newBytes(ctx, randomFillSync(new Uint8Array(Math.floor(count))))
      }
      case OP.ENV:
        return this.#newText(ctx, this.#host.env())
      case OP.BODY_PULL:
        // How many pieces a body comes in is its client's doing.
        this.#callsLeft++
        this.#host.bodyPull()
        return 0
      case OP.NOW:
        return this.#ffi.QTS_NewFloat64(ctx, performance.now())
      case OP.ENCODING_NAME:
        return this.#wire(ctx, encodingName(this.#wireText(ctx, argc, argv, 1)))
      default:
        return 0
    }
  }

  /** Evaluates a feature's script in the middle of whatever runs; its value, or the exception that it ended with. */
  #feature(ctx: number, index: number): number {
    // What a function has not mentioned is loaded on its time, not on its count of calls.
    this.#callsLeft++
    const script = this.#scripts.feature(index)
    if (script === undefined) return this.#throw(ctx, 'there is no such feature')
    try {
      return evaluateRaw(this.#em, this.#ffi, ctx, script, `ringlet:feature-${index}`)
    } catch (error) {
      if (error instanceof GuestError) return this.#throw(ctx, error.message)
      throw error
    }
  }

  #timerSet(ctx: number, argc: number, argv: number): number {
    const id = this.#number(ctx, argc, argv, 1)
    const delayMs = this.#number(ctx, argc, argv, 2)
    const repeat = this.#number(ctx, argc, argv, 3) !== 0
    if (this.#host!.timerSet(id, delayMs, repeat)) return 0
    return this.#throw(ctx, 'too many timers')
  }

  #argument(argc: number, argv: number, index: number): number {
    return index < argc ? this.#ffi.QTS_ArgvGetJSValueConstPointer(argv, index) : this.#ffi.QTS_GetUndefined()
  }

  #number(_ctx: number, argc: number, argv: number, index: number): number {
    return index < argc ? this.#ffi.QTS_GetFloat64(_ctx, this.#argument(argc, argv, index)) : Number.NaN
  }

  #typeof(ctx: number, value: number): string {
    const pointer = this.#ffi.QTS_Typeof(ctx, value)
    const type = readCString(this.#em, pointer)
    this.#em._free(pointer)
    return type
  }

  /** A plain string; '' for everything else, so that no conversion runs guest code in here. */
  #text(ctx: number, argc: number, argv: number, index: number): string {
    const value = this.#argument(argc, argv, index)
    if (this.#typeof(ctx, value) !== STRING_TYPE) return ''
    const pointer = this.#ffi.QTS_GetString(ctx, value)
    if (pointer === 0) return ''
    const text = readCString(this.#em, pointer)
    this.#ffi.QTS_FreeCString(ctx, pointer)
    return text
  }

  #wireText(ctx: number, argc: number, argv: number, index: number): WireText {
    return this.#bytes(ctx, argc, argv, index) ?? this.#text(ctx, argc, argv, index)
  }

  #optional(ctx: number, argc: number, argv: number, index: number): WireText | undefined {
    if (index >= argc || this.#typeof(ctx, this.#argument(argc, argv, index)) === 'undefined')
      return undefined
    return this.#wireText(ctx, argc, argv, index)
  }

  /** A copy of an ArrayBuffer's bytes; undefined for everything else. */
  #bytes(ctx: number, argc: number, argv: number, index: number): Uint8Array<ArrayBuffer> | undefined {
    const value = this.#argument(argc, argv, index)
    if (this.#typeof(ctx, value) !== 'object') return undefined
    const pointer = this.#ffi.QTS_GetArrayBuffer(ctx, value)
    if (pointer === 0) return undefined
    const length = this.#ffi.QTS_GetArrayBufferLength(ctx, value)
    const bytes = new Uint8Array(this.#em.HEAPU8.subarray(pointer, pointer + length))
    this.#em._free(pointer)
    return bytes
  }

  #wire(ctx: number, text: WireText | undefined): number {
    if (text === undefined) return 0
    return typeof text === 'string' ? this.#newText(ctx, text) : this.#newBytes(ctx, text)
  }

  #newText(ctx: number, text: string): number {
    const bytes = Buffer.from(text, 'utf8')
    const pointer = this.#em._malloc(bytes.length + 1)
    if (pointer === 0) return this.#throw(ctx, 'out of memory')
    const heap = this.#em.HEAPU8
    heap.set(bytes, pointer)
    heap[pointer + bytes.length] = 0
    const value = this.#ffi.QTS_NewString(ctx, pointer)
    this.#em._free(pointer)
    return value
  }

  #newBytes(ctx: number, bytes: Uint8Array): number {
    const pointer = this.#em._malloc(Math.max(1, bytes.length))
    if (pointer === 0) return this.#throw(ctx, 'out of memory')
    this.#em.HEAPU8.set(bytes, pointer)
    return this.#ffi.QTS_NewArrayBuffer(ctx, pointer, bytes.length)
  }

  /** Throws an Error with this message in the guest. */
  #throw(ctx: number, message: string): number {
    const error = this.#ffi.QTS_NewError(ctx)
    const text = this.#newPlain(ctx, message)
    const name = this.#newPlain(ctx, 'message')
    if (text !== 0 && name !== 0) this.#ffi.QTS_SetProp(ctx, error, name, text)
    if (text !== 0) this.#ffi.QTS_FreeValuePointer(ctx, text)
    if (name !== 0) this.#ffi.QTS_FreeValuePointer(ctx, name)
    const thrown = this.#ffi.QTS_Throw(ctx, error)
    this.#ffi.QTS_FreeValuePointer(ctx, error)
    return thrown
  }

  /** Like {@link #newText}, but 0 without memory: for the making of errors. */
  #newPlain(ctx: number, text: string): number {
    const pointer = this.#em._malloc(text.length + 1)
    if (pointer === 0) return 0
    this.#em.HEAPU8.set(Buffer.from(text, 'latin1'), pointer)
    this.#em.HEAPU8[pointer + text.length] = 0
    const value = this.#ffi.QTS_NewString(ctx, pointer)
    this.#em._free(pointer)
    return value
  }
}
