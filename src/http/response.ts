import { asciiBytes } from './chars.ts'
import { statusLine } from './status.ts'

export { copyFields, ResponseFields } from './copy-fields.ts'
export { DateCache } from './date.ts'
export { errorAnswer, errorResponse } from './error-response.ts'
export { bodyAllowed, lengthAllowed, reasonPhrase, statusLine } from './status.ts'

/**
 * An answer's head is written in three steps into bytes the caller has claimed: `beginHead`, then fields
 * (`copyFields`, `writeAscii`), then `endHead`. The first and the last together need at most this many bytes.
 */
export const HEAD_OVERHEAD_BYTES = 192

/** The `connection` field of an answer: `implicit` writes none. */
export const CONNECTION = {
  implicit: 0,
  close: 1,
  /** For an HTTP/1.0 client that asked for it, RFC 9112 9.3 and appendix C.2.2. */
  keepAlive: 2,
} as const

/** For `endHead`: no Content-Length field (1xx, 204, or 304 without one). */
export const NO_LENGTH = -1

/** For `endHead`: the length is not known, the body is chunked (RFC 9112, section 7.1). */
export const CHUNKED = -2

const CONTENT_LENGTH = asciiBytes('content-length: ')
const TRANSFER_ENCODING = asciiBytes('transfer-encoding: chunked\r\n')
const CONNECTION_LINES = [
  new Uint8Array(0),
  asciiBytes('connection: close\r\n'),
  asciiBytes('connection: keep-alive\r\n'),
] as const

/** Writes the status line; returns the position after it. Throws when `bytes` has no room for a whole head. */
export function beginHead(bytes: Uint8Array, at: number, status: number): number {
  if (bytes.length - at < HEAD_OVERHEAD_BYTES) throw new RangeError('no room for the head')
  return writeBytes(bytes, at, statusLine(status))
}

/**
 * Writes what the server adds, and the empty line; returns the position after it. `length` is the Content-Length
 * in bytes, `NO_LENGTH` or `CHUNKED`; `connection` one of `CONNECTION`; `dateLine` from `DateCache`, or null when the guest's
 * fields have a date. Throws when there is no room.
 */
export function endHead(
  bytes: Uint8Array,
  at: number,
  length: number,
  connection: number,
  dateLine: Uint8Array | null,
): number {
  let next = dateLine === null ? at : writeBytes(bytes, at, dateLine)
  if (length >= 0) {
    next = writeInteger(bytes, writeBytes(bytes, next, CONTENT_LENGTH), length)
    next = writeLineEnd(bytes, next)
  } else if (length === CHUNKED) next = writeBytes(bytes, next, TRANSFER_ENCODING)
  next = writeLineEnd(bytes, writeBytes(bytes, next, CONNECTION_LINES[connection]!))
  if (next > bytes.length) throw new RangeError('no room for the head')
  return next
}

/** A whole head without further fields. */
export function writeHead(
  bytes: Uint8Array,
  at: number,
  status: number,
  length: number,
  connection: number,
  dateLine: Uint8Array,
): number {
  return endHead(bytes, beginHead(bytes, at, status), length, connection, dateLine)
}

/** Copies `src` by a loop: the pieces are short. Returns the position after it. The caller sees to the room. */
export function writeBytes(bytes: Uint8Array, at: number, src: Uint8Array): number {
  for (let i = 0; i < src.length; i++) bytes[at + i] = src[i]!
  return at + src.length
}

/** Writes a string of ASCII characters that the server itself made: nothing is checked. */
export function writeAscii(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
  return at + text.length
}

/** Writes a safe integer >= 0 in decimal digits. */
export function writeInteger(bytes: Uint8Array, at: number, value: number): number {
  let digits = 1
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    const tens = Math.floor(rest / 10)
    bytes[i] = 0x30 + (rest - tens * 10)
    rest = tens
  }
  return at + digits
}

/** Bytes that the framing of one chunk adds at most: a size of eight digits and two line ends. */
export const CHUNK_OVERHEAD_BYTES = 12
/** The last chunk, without trailers. */
export const LAST_CHUNK = asciiBytes('0\r\n\r\n')

/** Writes a chunk's size line; `length` is not 0. Returns the position after it. */
export function writeChunkSize(bytes: Uint8Array, at: number, length: number): number {
  return writeLineEnd(bytes, writeAscii(bytes, at, length.toString(16)))
}

/** Ends a line, or a chunk's data. Returns the position after it. */
export function writeLineEnd(bytes: Uint8Array, at: number): number {
  bytes[at] = 0x0d
  bytes[at + 1] = 0x0a
  return at + 2
}
