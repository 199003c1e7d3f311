import { COLON, CR, FIELD_VALUE, LF, TOKEN } from './chars.ts'
import { HTTP_ERRORS } from './errors.ts'

const AT = { lineStart: 0, name: 1, value: 2, lineEnd: 3, lastLineEnd: 4 } as const

/**
 * The trailer section, RFC 9112 7.1.2, fed byte by byte: held to the field grammar, bounded, and dropped. A trailer
 * merged into the head is a way to smuggle fields past whoever checked it (RFC 9110 6.5.1).
 */
export class TrailerScanner {
  readonly #bytesMax: number
  readonly #fieldsMax: number
  #place: number = AT.lineStart
  #bytes = 0
  #fields = 0

  constructor(bytesMax: number, fieldsMax: number) {
    this.#bytesMax = bytesMax
    this.#fieldsMax = fieldsMax
  }

  reset(): void {
    this.#place = AT.lineStart
    this.#bytes = this.#fields = 0
  }

  /** 1 when `byte` was the last one of the section, 0 when more is due, or an error code. */
  step(byte: number): number {
    switch (this.#place) {
      case AT.lineStart:
        return this.#startLine(byte)
      case AT.lastLineEnd:
        return byte === LF ? 1 : HTTP_ERRORS.bareCr
      case AT.name:
        if (byte === COLON) this.#place = AT.value
        else if (TOKEN[byte] !== 1) return byte === LF ? HTTP_ERRORS.bareLf : HTTP_ERRORS.badTrailer
        return this.#count()
      case AT.value:
        if (byte === CR) this.#place = AT.lineEnd
        else if (FIELD_VALUE[byte] !== 1) return byte === LF ? HTTP_ERRORS.bareLf : HTTP_ERRORS.badTrailer
        return this.#count()
      default:
        if (byte !== LF) return HTTP_ERRORS.bareCr
        this.#place = AT.lineStart
        return this.#count()
    }
  }

  #startLine(byte: number): number {
    if (byte === CR) {
      this.#place = AT.lastLineEnd
      return 0
    }
    if (byte === LF) return HTTP_ERRORS.bareLf
    if (TOKEN[byte] !== 1) return HTTP_ERRORS.badTrailer
    if (++this.#fields > this.#fieldsMax) return HTTP_ERRORS.trailerTooLarge
    this.#place = AT.name
    return this.#count()
  }

  #count(): number {
    return ++this.#bytes > this.#bytesMax ? HTTP_ERRORS.trailerTooLarge : 0
  }
}
