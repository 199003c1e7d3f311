// What is around the deflated data of a gzip file: its header and its trailer (RFC 1952, section 2.3). The Compression standard has one
// member to a stream, and takes whatever follows for an error; Node's gunzip reads on, and tells nobody.

import { crc32 } from 'node:zlib'

/** Bits of FLG. */
const HEADER_CRC = 0x02
const EXTRA = 0x04
const NAME = 0x08
const COMMENT = 0x10
const RESERVED = 0xe0
/** The parts of a header, in their order. */
const PART = { FIXED: 0, EXTRA_LENGTH: 1, EXTRA: 2, NAME: 3, COMMENT: 4, CRC: 5, DONE: 6 } as const
const FIXED_BYTES = 10
const DEFLATE = 8
const TRAILER_BYTES = 8

/** One member, piece by piece: it keeps a few bytes. */
export class GzipFrame {
  #part: number = PART.FIXED
  /** Bytes that have come of this part. */
  #at = 0
  #flags = 0
  #extraBytes = 0
  #givenCrc = 0
  #headerCrc = 0
  #contentCrc = 0
  #contentBytes = 0
  readonly #trailer = Buffer.alloc(TRAILER_BYTES)
  #trailerBytes = 0

  /** How many bytes of a piece are header, the rest being deflated data; -1 for what is no gzip file. */
  header(piece: Uint8Array): number {
    let at = 0
    let summed = 0
    const wasDone = this.#part === PART.DONE
    while (this.#part !== PART.DONE && at < piece.length) {
      const isSummed = this.#part !== PART.CRC
      if (!this.#take(piece[at++]!)) return -1
      if (isSummed) summed = at
    }
    if (wasDone) return 0
    this.#headerCrc = crc32(piece.subarray(0, summed), this.#headerCrc)
    const isRight = (this.#flags & HEADER_CRC) === 0 || this.#givenCrc === (this.#headerCrc & 0xffff)
    return this.#part === PART.DONE && !isRight ? -1 : at
  }

  /** A block of the result. */
  content(block: Uint8Array): void {
    this.#contentCrc = crc32(block, this.#contentCrc)
    this.#contentBytes = (this.#contentBytes + block.length) >>> 0
  }

  /** What follows the deflated data; false when it is too much. */
  trailer(bytes: Uint8Array): boolean {
    if (this.#trailerBytes + bytes.length > TRAILER_BYTES) return false
    this.#trailer.set(bytes, this.#trailerBytes)
    this.#trailerBytes += bytes.length
    return true
  }

  /** Whether the file is complete, and its content what it says. */
  get isWhole(): boolean {
    return (
      this.#trailerBytes === TRAILER_BYTES &&
      this.#trailer.readUInt32LE(0) === this.#contentCrc &&
      this.#trailer.readUInt32LE(4) === this.#contentBytes
    )
  }

  /** The next byte of the header; false when it cannot stand there. */
  #take(byte: number): boolean {
    const at = this.#at++
    switch (this.#part) {
      case PART.FIXED:
        if (at === 3) this.#flags = byte
        if (at === FIXED_BYTES - 1) this.#next()
        return isFixed(at, byte)
      case PART.EXTRA_LENGTH:
        this.#extraBytes |= byte << (8 * at)
        if (at === 1) this.#next()
        return true
      case PART.EXTRA:
        if (this.#at === this.#extraBytes) this.#next()
        return true
      case PART.CRC:
        this.#givenCrc |= byte << (8 * at)
        if (at === 1) this.#next()
        return true
      default:
        // A text that ends with a zero: a name, a comment.
        if (byte === 0) this.#next()
        return true
    }
  }

  /** The next part that is there. */
  #next(): void {
    this.#at = 0
    do this.#part++
    while (!this.#has(this.#part))
  }

  #has(part: number): boolean {
    if (part === PART.EXTRA_LENGTH) return (this.#flags & EXTRA) !== 0
    if (part === PART.EXTRA) return this.#extraBytes > 0
    if (part === PART.NAME) return (this.#flags & NAME) !== 0
    if (part === PART.COMMENT) return (this.#flags & COMMENT) !== 0
    return part !== PART.CRC || (this.#flags & HEADER_CRC) !== 0
  }
}

/** The first bytes of a header: the two that tell the format, the method, flags that are known. All else may be anything. */
function isFixed(at: number, byte: number): boolean {
  if (at === 0) return byte === 0x1f
  if (at === 1) return byte === 0x8b
  if (at === 2) return byte === DEFLATE
  return at !== 3 || (byte & RESERVED) === 0
}
