// Whether a request's URL is its Host and its target as they were sent. A guest that knows so puts its `request.url` together by
// two slices; else it has the URL parser look at it. Asked of each request: no allocation, unless its Host is a new one.

import { FLAG } from '../guest/ops.ts'
import { TARGET } from '../http/chars.ts'
import type { RequestHead } from './request.ts'
import { latin1 } from './text.ts'

const SLASH = 0x2f
const DOT = 0x2e
const PERCENT = 0x25
const CR = 0x0d
const LF = 0x0a
/** `HTTP/1.1` and what stands around it. */
const VERSION_BYTES = ' HTTP/1.1\r\n'.length
const HOST_FIELD = Buffer.from('host: ')
const CASE_BIT = 0x20
/** A longer one is left to the URL parser. */
const HOST_BYTES_MAX = 255

/** Characters of a target that the URL parser does not encode, or read as another delimiter (URL, section 1.3). */
const PLAIN: Uint8Array = TARGET.slice()
for (const character of '"\'<>[\\]^`{|}') PLAIN[character.charCodeAt(0)] = 0

/**
 * What the URL parser leaves as it is (URL, section 3.5): lower-case labels of which the last begins with a letter, or an IPv4
 * address as it writes one, and a port without leading zeros.
 */
const PLAIN_HOST =
  /^(?:(?:[a-z\d_-]+\.)*[a-z][a-z\d_-]*|(?:(?:[1-9]?\d|1\d\d|2[0-4]\d|25[0-5])(?:\.(?!:|$)|(?=:|$))){4})(?::(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?$/

const isPlainHost = (host: string): boolean =>
  PLAIN_HOST.test(host) && !host.includes('xn--') && !host.endsWith(':80')

export class PlainUrls {
  /** The last Host seen: a connection's, usually a whole server's, are all the same. */
  readonly #host = new Uint8Array(HOST_BYTES_MAX)
  #hostBytes = -1
  #isHostPlain = false

  /** The bit of FLAG that says so of a head, or 0. */
  flag(head: RequestHead): number {
    return this.has(head) ? FLAG.PLAIN_URL : 0
  }

  /** Of a head that has been parsed. It says no where Host is not the first field, or not written as clients write it. */
  has({ bytes, targetStart, targetEnd, end }: RequestHead): boolean {
    if (!isPlainTarget(bytes, targetStart, targetEnd)) return false
    const field = targetEnd + VERSION_BYTES
    if (bytes[field - 1] !== LF) return false
    for (let i = 0; i < HOST_FIELD.length; i++) {
      if ((bytes[field + i]! | CASE_BIT) !== HOST_FIELD[i]!) return false
    }
    return this.#isPlain(bytes, field + HOST_FIELD.length, end)
  }

  #isPlain(bytes: Uint8Array, from: number, end: number): boolean {
    const host = this.#host
    let length = 0
    while (bytes[from + length] === host[length] && length < this.#hostBytes) length++
    if (length === this.#hostBytes && bytes[from + length] === CR) return this.#isHostPlain
    while (from + length < end && bytes[from + length] !== CR) length++
    if (length > HOST_BYTES_MAX) return false
    host.set(bytes.subarray(from, from + length))
    this.#hostBytes = length
    this.#isHostPlain = isPlainHost(latin1(bytes, from, from + length))
    return this.#isHostPlain
  }
}

/** A path whose characters all stay, without a dot segment, plain or encoded. */
function isPlainTarget(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== SLASH) return false
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (PLAIN[byte] === 0) return false
    if (byte !== SLASH) continue
    const next = bytes[at + 1]
    if (next === DOT || (next === PERCENT && bytes[at + 2] === 0x32)) return false
  }
  return true
}
