import { CR, HEX_VALUE, LF } from './chars.ts'
import { EXTENSION, extensionMayEnd, extensionStep } from './chunk-extension.ts'
import { HTTP_ERRORS } from './errors.ts'
import { TrailerScanner } from './trailers.ts'

export interface ChunkedLimits {
  /** Payload of the whole body. */
  readonly bodyBytes: number
  /** All chunk extensions of the body together (RFC 9112 7.1.1). */
  readonly extensionBytes: number
  /** Framing may outweigh the payload received so far by this much: a body of tiny chunks is bounded. */
  readonly overheadBytes: number
  /** Trailer field lines with their CRLFs. */
  readonly trailerBytes: number
  readonly trailerFields: number
}

const STATE = {
  sizeStart: 0,
  size: 1,
  extension: 2,
  sizeEnd: 3,
  data: 4,
  dataCr: 5,
  dataLf: 6,
  trailers: 7,
  done: 8,
  failed: 9,
} as const

/** 14 hexadecimal digits hold 2^53 and more; leading zeros have no other use than to confuse. */
const SIZE_DIGITS_MAX = 16

/** Below this a copy loop costs less than making the view that `set` wants. */
const LOOP_COPY_BYTES = 256

/** Decodes one chunked body (RFC 9112 7.1) from pieces cut anywhere. `reset()` before each body. */
export class ChunkedDecoder {
  /** Payload bytes that the last `decode` put into `dst`. */
  written = 0
  /** Payload bytes of the current chunk that are still to come: how much more room would be used at once. */
  needed = 0
  /** The last byte of the trailer section has been consumed. */
  done = false

  readonly #limits: ChunkedLimits
  readonly #trailers: TrailerScanner
  #state: number = STATE.sizeStart
  #error = 0
  #digits = 0
  #size = 0
  #extension: number = EXTENSION.beforeSemicolon
  #extensionBytes = 0
  #overheadBytes = 0
  #bodyBytes = 0

  constructor(limits: ChunkedLimits) {
    this.#limits = limits
    this.#trailers = new TrailerScanner(limits.trailerBytes, limits.trailerFields)
  }

  reset(): void {
    this.written = this.needed = 0
    this.done = false
    this.#trailers.reset()
    this.#state = STATE.sizeStart
    this.#error = this.#digits = this.#size = 0
    this.#extensionBytes = this.#overheadBytes = this.#bodyBytes = 0
  }

  /** Payload bytes of this body so far. */
  get bodyBytes(): number {
    return this.#bodyBytes
  }

  /**
   * Reads from `bytes[start, end)`, puts payload into `dst` from `dstAt` on, and returns the bytes consumed: fewer
   * than given when the body is `done`, or when `dst` is full (then call again with more room). `dst` may be `bytes`
   * itself as long as `dstAt <= start`. An error code ends the body: every later call returns it too. After an
   * error `written` says how much was put into `dst` before it.
   */
  decode(bytes: Uint8Array, start: number, end: number, dst: Uint8Array, dstAt: number): number {
    this.written = 0
    let at = start
    while (at < end && this.#state < STATE.done) {
      if (this.#state === STATE.data) {
        const length = Math.min(this.needed, end - at, dst.length - (dstAt + this.written))
        if (length <= 0) break
        copy(bytes, at, dst, dstAt + this.written, length)
        this.#took(length)
        at += length
      } else {
        const error = this.#step(bytes[at]!)
        if (error < 0) return this.#fail(error)
        at++
      }
    }
    return this.#state === STATE.failed ? this.#error : at - start
  }

  #took(length: number): void {
    this.written += length
    this.#bodyBytes += length
    this.needed -= length
    if (this.needed === 0) this.#state = STATE.dataCr
  }

  #fail(error: number): number {
    this.#state = STATE.failed
    this.#error = error
    return error
  }

  /** One byte of framing: 0, or an error code. */
  #step(byte: number): number {
    if (++this.#overheadBytes > this.#limits.overheadBytes + this.#bodyBytes) {
      return HTTP_ERRORS.chunkOverheadTooLarge
    }
    switch (this.#state) {
      case STATE.sizeStart:
      case STATE.size:
        return this.#stepSize(byte)
      case STATE.extension:
        return this.#stepExtension(byte)
      case STATE.sizeEnd:
        return byte === LF ? this.#startChunk() : HTTP_ERRORS.bareCr
      case STATE.dataCr:
        if (byte !== CR) return HTTP_ERRORS.badChunkEnd
        this.#state = STATE.dataLf
        return 0
      case STATE.dataLf:
        if (byte !== LF) return HTTP_ERRORS.badChunkEnd
        this.#state = STATE.sizeStart
        return 0
      default:
        return this.#stepTrailers(byte)
    }
  }

  /** 1*HEXDIG, and nothing a lenient number parser would take: no sign, space, underscore or 0x. */
  #stepSize(byte: number): number {
    const digit = HEX_VALUE[byte]!
    if (this.#state === STATE.sizeStart) {
      if (digit > 15) return byte === LF ? HTTP_ERRORS.bareLf : HTTP_ERRORS.badChunkSize
      this.#state = STATE.size
      this.#digits = 1
      this.#size = digit
      return 0
    }
    if (digit > 15) return this.#endSize(byte)
    this.#size = this.#size * 16 + digit
    if (++this.#digits > SIZE_DIGITS_MAX || this.#size > Number.MAX_SAFE_INTEGER)
      return HTTP_ERRORS.badChunkSize
    return 0
  }

  #endSize(byte: number): number {
    if (byte === LF) return HTTP_ERRORS.bareLf
    if (byte !== CR) {
      this.#extension = EXTENSION.beforeSemicolon
      const place = extensionStep(EXTENSION.beforeSemicolon, byte)
      if (place === EXTENSION.bad) return HTTP_ERRORS.badChunkSize
    }
    // Refused before a byte of it arrives: the client announced more than the limit.
    if (this.#bodyBytes + this.#size > this.#limits.bodyBytes) return HTTP_ERRORS.bodyTooLarge
    if (byte !== CR) return this.#stepExtension(byte)
    this.#state = STATE.sizeEnd
    return 0
  }

  #stepExtension(byte: number): number {
    if (byte === LF) return HTTP_ERRORS.bareLf
    if (byte === CR) {
      if (!extensionMayEnd(this.#extension)) return HTTP_ERRORS.badChunkExtension
      this.#state = STATE.sizeEnd
      return 0
    }
    this.#extension = extensionStep(this.#extension, byte)
    if (this.#extension === EXTENSION.bad) return HTTP_ERRORS.badChunkExtension
    this.#state = STATE.extension
    return ++this.#extensionBytes > this.#limits.extensionBytes ? HTTP_ERRORS.chunkExtensionTooLarge : 0
  }

  #startChunk(): number {
    this.needed = this.#size
    this.#state = this.#size === 0 ? STATE.trailers : STATE.data
    return 0
  }

  #stepTrailers(byte: number): number {
    const end = this.#trailers.step(byte)
    if (end < 1) return end
    this.#state = STATE.done
    this.done = true
    return 0
  }
}

function copy(src: Uint8Array, from: number, dst: Uint8Array, at: number, length: number): void {
  if (dst === src) {
    if (at !== from) dst.copyWithin(at, from, from + length)
  } else if (length < LOOP_COPY_BYTES) {
    for (let i = 0; i < length; i++) dst[at + i] = src[from + i]!
  } else {
    dst.set(src.subarray(from, from + length), at)
  }
}
