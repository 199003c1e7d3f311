import { asciiBytes } from './chars.ts'

/** Longest name a set can hold; the bucket key has five bits for the length. */
const NAME_BYTES_MAX = 31

/** ASCII case bit: or-ing it folds letters, and leaves the lower-case letters and `-` of our names alone. */
const CASE_BIT = 0x20

/**
 * A fixed set of token names, numbered from 1, found from their bytes without making a string.
 * Buckets are keyed by length and first letter; the few names that share one are chained.
 */
export class NameSet {
  readonly #mask: number
  readonly #first = new Uint8Array(1024)
  readonly #next: Uint8Array
  readonly #offsets: Int32Array
  readonly #letters: Uint8Array

  /** `names[i]` gets the number i + 1. With `ignoreCase` the names given are lower-case letters and `-`. */
  constructor(names: readonly string[], ignoreCase: boolean) {
    this.#mask = ignoreCase ? CASE_BIT : 0
    this.#next = new Uint8Array(names.length + 1)
    this.#offsets = new Int32Array(names.length + 2)
    this.#letters = asciiBytes(names.join(''))
    let offset = 0
    names.forEach((name, index) => {
      if (name.length > NAME_BYTES_MAX) throw new RangeError(`name too long: ${name}`)
      const id = index + 1
      this.#offsets[id] = offset
      offset += name.length
      this.#offsets[id + 1] = offset
      const bucket = (name.length << 5) | (name.charCodeAt(0) & 31)
      this.#next[id] = this.#first[bucket]!
      this.#first[bucket] = id
    })
  }

  /** The number of the name in [start, end), 0 for none. The bytes must be token characters. */
  match(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length === 0 || length > NAME_BYTES_MAX) return 0
    let id = this.#first[(length << 5) | (bytes[start]! & 31)]!
    while (id !== 0) {
      if (this.#equals(id, bytes, start, end)) return id
      id = this.#next[id]!
    }
    return 0
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const letters = this.#letters
    const mask = this.#mask
    let letter = this.#offsets[id]!
    for (let i = start; i < end; i++) {
      if ((bytes[i]! | mask) !== letters[letter++]) return false
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
