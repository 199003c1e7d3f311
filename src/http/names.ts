import { asciiBytes } from './chars.ts'

/** Names are numbered from 1 and their numbers fit 5 bits, as do their lengths. */
const NAMES_MAX = 31
const NAME_BYTES_MAX = 31
/** A bucket for each length and first letter: 5 bits of each. */
const BUCKETS = 1024
/** After the buckets: the chain, a byte a number; then the letters, a slot a name. */
const CHAIN = BUCKETS
const SLOT_BYTES = 32

/** ASCII case bit: or-ing it folds letters, and leaves the lower-case letters and `-` of our names alone. */
const CASE_BIT = 0x20

/**
 * A fixed set of token names, numbered from 1, found from their bytes without making a string.
 * Buckets are keyed by length and first letter; the few names that share one are chained.
 */
export class NameSet {
  /**
   * The whole set as bytes, which the parser in WebAssembly reads too: 1024 buckets with the number of their first name or
   * 0; from 1024 on, for each number, that of the next in its bucket; from 1024 + 32 * number on the letters, then zeros.
   */
  readonly image: Uint8Array
  readonly #mask: number

  /** `names[i]` gets the number i + 1. With `ignoreCase` the names given are lower-case letters and `-`. */
  constructor(names: readonly string[], ignoreCase: boolean) {
    if (names.length > NAMES_MAX) throw new RangeError(`more than ${NAMES_MAX} names`)
    this.#mask = ignoreCase ? CASE_BIT : 0
    this.image = new Uint8Array(CHAIN + SLOT_BYTES * (names.length + 1))
    names.forEach((name, index) => {
      if (name.length > NAME_BYTES_MAX) throw new RangeError(`name too long: ${name}`)
      const id = index + 1
      const bucket = (name.length << 5) | (name.charCodeAt(0) & 31)
      this.image[CHAIN + id] = this.image[bucket]!
      this.image[bucket] = id
      this.image.set(asciiBytes(name), CHAIN + SLOT_BYTES * id)
    })
  }

  /** The number of the name in [start, end), 0 for none. The bytes must be token characters. */
  match(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length === 0 || length > NAME_BYTES_MAX) return 0
    let id = this.image[(length << 5) | (bytes[start]! & 31)]!
    while (id !== 0) {
      if (this.#equals(id, bytes, start, end)) return id
      id = this.image[CHAIN + id]!
    }
    return 0
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const image = this.image
    const mask = this.#mask
    let letter = CHAIN + SLOT_BYTES * id
    for (let i = start; i < end; i++) {
      if ((bytes[i]! | mask) !== image[letter++]) return false
    }
    return true
  }
}

/** Whether [start, end) is `name` (lower-case letters, digits and `-`) without regard to letter case. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i]!
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | CASE_BIT : byte
    if (lower !== name[i]) return false
  }
  return true
}
