import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from './chars.ts'
import { HTTP_ERRORS } from './errors.ts'
import { CONNECTION_BIT, connectionOptions, parseDecimal } from './lists.ts'
import { FIELD_ID, FIELD_NAMES } from './table.ts'

/** What `copyFields` saw in a guest's fields. One object is filled again for every answer. */
export class ResponseFields {
  hasDate = false
  hasContentType = false
  hasServer = false
  /** The guest asked for `connection: close`. */
  close = false
  /** The Content-Length the guest gave, -1 for none. It is not copied: the server writes the true one. */
  contentLength = -1
}

/**
 * Copies a guest's field block `src[from, to)`, lines of `name: value CRLF` in UTF-8, to `dst` from `at` on; at most `to - from`
 * bytes, for which `dst` must have room (throws if not). Every line is checked here, whatever the guest's side did
 * before: names are tokens, values hold no control character but HTAB, and none above U+00FF. A character from U+0080 on
 * is sent as the one byte it is received as (obs-text, RFC 9110 5.5). Left out is what only the server may say:
 * content-length, transfer-encoding, connection, keep-alive, proxy-connection, upgrade, te, trailer.
 * Returns the new `at`, or an error code of status 500: then nothing written from `at` on counts.
 */
export function copyFields(
  src: Uint8Array,
  from: number,
  to: number,
  dst: Uint8Array,
  at: number,
  out: ResponseFields,
): number {
  if (to - from > dst.length - at) throw new RangeError('no room for the fields')
  out.hasDate = out.hasContentType = out.hasServer = out.close = false
  out.contentLength = -1
  let read = from
  let write = at
  while (read < to) {
    const lineStart = read
    while (read < to && TOKEN[src[read]!] === 1) read++
    if (read === lineStart || read === to || src[read] !== COLON) return HTTP_ERRORS.badResponseFieldName
    const nameEnd = read++
    const valueStart = read
    while (read < to && FIELD_VALUE[src[read]!] === 1) read++
    if (read + 1 >= to || src[read] !== CR || src[read + 1] !== LF) return HTTP_ERRORS.badResponseFieldValue
    const id = FIELD_NAMES.match(src, lineStart, nameEnd)
    const verdict = id === FIELD_ID.other ? COPY : note(id, src, valueStart, read, out)
    if (verdict < 0) return verdict
    read += 2
    if (verdict === DROP) continue
    write = copyLine(src, lineStart, read, dst, write)
    if (write < 0) return write
  }
  return write
}

/** Copies one checked line, UTF-8 to latin1; the new `at`, or an error code where a character is none of latin1. */
function copyLine(src: Uint8Array, from: number, to: number, dst: Uint8Array, at: number): number {
  let write = at
  for (let i = from; i < to; i++) {
    let byte = src[i]!
    if (byte > 0x7f) {
      // U+0080 to U+00FF are two bytes each: C2 or C3, and a continuation. The line's CR stands behind the last.
      const low = src[++i]! ^ 0x80
      if ((byte & 0xfe) !== 0xc2 || low > 0x3f) return HTTP_ERRORS.badResponseFieldValue
      byte = ((byte & 0x03) << 6) | low
    }
    dst[write++] = byte
  }
  return write
}

const COPY = 0
const DROP = 1

/** Notes a recognised field in `out`: COPY, DROP, or an error code. */
function note(id: number, src: Uint8Array, start: number, end: number, out: ResponseFields): number {
  switch (id) {
    case FIELD_ID.date:
      out.hasDate = true
      return COPY
    case FIELD_ID['content-type']:
      out.hasContentType = true
      return COPY
    case FIELD_ID.server:
      out.hasServer = true
      return COPY
    case FIELD_ID['content-length']:
      return noteLength(src, start, end, out)
    case FIELD_ID.connection:
      if ((connectionOptions(src, start, end) & CONNECTION_BIT.close) !== 0) out.close = true
      return DROP
    case FIELD_ID['transfer-encoding']:
    case FIELD_ID['keep-alive']:
    case FIELD_ID['proxy-connection']:
    case FIELD_ID.upgrade:
    case FIELD_ID.te:
    case FIELD_ID.trailer:
      return DROP
    default:
      return COPY
  }
}

/** A second length is as wrong as a bad one: RFC 9110 8.6. */
function noteLength(src: Uint8Array, start: number, end: number, out: ResponseFields): number {
  let from = start
  let to = end
  while (from < to && (src[from] === SP || src[from] === HTAB)) from++
  while (to > from && (src[to - 1] === SP || src[to - 1] === HTAB)) to--
  const length = parseDecimal(src, from, to)
  if (length < 0 || out.contentLength >= 0) return HTTP_ERRORS.badResponseContentLength
  out.contentLength = length
  return DROP
}
