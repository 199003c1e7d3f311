import { asciiBytes, HTAB, isDigit, SP, TOKEN } from './chars.ts'
import { HTTP_ERRORS } from './errors.ts'
import { equalsIgnoringCase } from './names.ts'

const COMMA = 0x2c
const CHUNKED = asciiBytes('chunked')
const CLOSE = asciiBytes('close')
const KEEP_ALIVE = asciiBytes('keep-alive')
const UPGRADE = asciiBytes('upgrade')

/** Bits of the connection options a server acts on. */
export const CONNECTION_BIT = { close: 1, keepAlive: 2, upgrade: 4 } as const

/** 1*DIGIT as an exact integer; -1 when it is anything else, or more than 2^53 - 1. */
export function parseDecimal(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (!isDigit(byte)) return -1
    value = value * 10 + (byte - 0x30)
    if (value > Number.MAX_SAFE_INTEGER) return -1
  }
  return value
}

/** The options of one Connection value, RFC 9110 7.6.1, as bits; those of several lines are or-ed. */
export function connectionOptions(bytes: Uint8Array, start: number, end: number): number {
  let bits = 0
  for (let at = start; at < end; at++) {
    const from = skipWhitespace(bytes, at, end)
    at = endOfElement(bytes, from, end)
    const to = trimmedEnd(bytes, from, at)
    if (equalsIgnoringCase(bytes, from, to, CLOSE)) bits |= CONNECTION_BIT.close
    else if (equalsIgnoringCase(bytes, from, to, KEEP_ALIVE)) bits |= CONNECTION_BIT.keepAlive
    else if (equalsIgnoringCase(bytes, from, to, UPGRADE)) bits |= CONNECTION_BIT.upgrade
  }
  return bits
}

/** The codings of all Transfer-Encoding fields of a request, in order. Reused. */
export class TransferCodings {
  present = false
  count = 0
  #chunked = 0
  #lastIsChunked = false
  #malformed = false

  reset(): void {
    this.present = this.#lastIsChunked = this.#malformed = false
    this.count = this.#chunked = 0
  }

  /**
   * Adds one field's value. Empty list elements and parameters, which others skip or trip over, make it
   * malformed: chunked has no parameters (RFC 9112 7.1), and nothing else is accepted anyway.
   */
  add(bytes: Uint8Array, start: number, end: number): void {
    this.present = true
    for (let at = start; at <= end; at++) {
      const from = skipWhitespace(bytes, at, end)
      at = endOfElement(bytes, from, end)
      const to = trimmedEnd(bytes, from, at)
      if (!isToken(bytes, from, to)) this.#malformed = true
      this.#lastIsChunked = equalsIgnoringCase(bytes, from, to, CHUNKED)
      if (this.#lastIsChunked) this.#chunked++
      this.count++
    }
  }

  /** 0 for exactly `chunked`. Where it is not the last, nobody knows the length: 400, whatever the codings (RFC 9112 6.3). */
  error(): number {
    if (this.#malformed || this.#chunked > 1 || !this.#lastIsChunked) return HTTP_ERRORS.badTransferEncoding
    return this.count === 1 ? 0 : HTTP_ERRORS.unknownTransferCoding
  }
}

function isToken(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (TOKEN[bytes[at]!] !== 1) return false
  }
  return end > start
}

function skipWhitespace(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++
  return at
}

function endOfElement(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== COMMA) at++
  return at
}

function trimmedEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && (bytes[at - 1] === SP || bytes[at - 1] === HTAB)) at--
  return at
}
