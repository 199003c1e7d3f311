/** The replacement character: what stands for bytes that are wrong. */
const REPLACEMENT = 0xfffd

/** Where a decoder puts its UTF-16 units. */
export class Units {
  readonly #units: Uint16Array
  readonly #isFatal: boolean
  #length = 0
  /** Whether something was wrong under `isFatal`: the decoder stops then. */
  failed = false

  /** `bytes`: how many there are to decode. None of the encodings gives more than a unit a byte, beside what was pending. */
  constructor(bytes: number, isFatal: boolean) {
    this.#units = new Uint16Array(bytes + PENDING_UNITS_MAX)
    this.#isFatal = isFatal
  }

  put(unit: number): void {
    this.#units[this.#length++] = unit
  }

  /** A code point, as one unit or two. */
  putPoint(point: number): void {
    if (point < 0x1_0000) this.put(point)
    else {
      this.put(0xd7c0 + (point >> 10))
      this.put(0xdc00 + (point & 0x3ff))
    }
  }

  /** For bytes that are wrong. */
  error(): void {
    if (this.#isFatal) this.failed = true
    else this.put(REPLACEMENT)
  }

  toString(): string {
    return Buffer.from(this.#units.buffer, 0, this.#length * 2).toString('utf16le')
  }
}

/** Bytes that a state holds back at most (gb18030 three, iso-2022-jp an escape sequence), and an error. */
const PENDING_UNITS_MAX = 8

/**
 * Decodes a piece. `state` is what the piece before has left, 0 at the beginning; a number, so that it can live with whoever decodes.
 * With `isLast` nothing follows: what is pending is wrong. Returns the new state.
 */
export type PieceDecoder = (bytes: Uint8Array, state: number, isLast: boolean, out: Units) => number
