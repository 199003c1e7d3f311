import { asciiBytes } from './chars.ts'
import { HTTP_ERRORS } from './errors.ts'
import { AUTHORITY, checkAuthority } from './host.ts'
import { CONNECTION_BIT, connectionOptions, parseDecimal, TransferCodings } from './lists.ts'
import { equalsIgnoringCase } from './names.ts'
import { FIELD, FIELD_ID, HEAD, type HeadTable, METHOD, TARGET_FORM } from './table.ts'

const CONTINUE = asciiBytes('100-continue')

/** How a request is framed and what becomes of its connection. One object is filled again for every request. */
export class Framing {
  /** Content-Length in bytes, exact; -1 when there is none. Without it and `chunked` there is no body. */
  contentLength = -1
  chunked = false
  /** The client allows a further request on this connection. */
  keepAlive = false
  /** A body follows, and the client waits for 100 (Continue) before it sends it. */
  expectContinue = false
  /** The client offers the protocols of its Upgrade field. */
  upgrade = false
  /** The authority asked for, "host[:port]": of the target if it has one, else of Host; empty range when none. */
  hostStart = 0
  hostEnd = 0
}

/** What the fields said, before the rules between them; reused by every call, no request outlives one. */
const seen = {
  hosts: 0,
  contentLengths: 0,
  connection: 0,
  upgrades: 0,
  expects: 0,
  codings: new TransferCodings(),
}

/**
 * Applies the rules for framing, Host and connection (RFC 9112 3.2, 6, 9.3) to a head that `parseHead` completed.
 * Returns 0 and fills `out`, or one of `HTTP_ERRORS`: whatever two parsers could read in two ways is refused.
 */
export function readFraming(bytes: Uint8Array, table: HeadTable, out: Framing): number {
  out.contentLength = -1
  out.hostStart = out.hostEnd = 0
  const fieldError = readFields(bytes, table, out)
  if (fieldError !== 0) return fieldError
  const minor = table.words[HEAD.versionMinor]!
  const error = checkTarget(bytes, table.words, out) || checkHost(minor) || checkBody(minor)
  if (error !== 0) return error
  // A client takes any 2xx for a tunnel, and what follows for bytes of it (RFC 9110 9.3.6); a function can make none.
  if (table.words[HEAD.methodId] === METHOD.CONNECT) return HTTP_ERRORS.connectNotImplemented

  out.chunked = seen.codings.count > 0
  const options = seen.connection
  // "close" wins over "keep-alive", RFC 9112 9.3.
  if ((options & CONNECTION_BIT.close) !== 0) out.keepAlive = false
  else out.keepAlive = minor >= 1 || (options & CONNECTION_BIT.keepAlive) !== 0
  // A server ignores Upgrade (RFC 9110 7.8) and the expectation (RFC 9110 10.1.1) of an HTTP/1.0 client.
  out.upgrade = minor >= 1 && seen.upgrades > 0 && (options & CONNECTION_BIT.upgrade) !== 0
  out.expectContinue = minor >= 1 && seen.expects > 0 && (out.chunked || out.contentLength > 0)
  return 0
}

function readFields(bytes: Uint8Array, table: HeadTable, out: Framing): number {
  seen.hosts = seen.contentLengths = seen.connection = seen.upgrades = seen.expects = 0
  seen.codings.reset()
  const words = table.words
  const count = words[HEAD.fieldCount]!
  for (let i = 0, word: number = HEAD.fields; i < count; i++, word += FIELD.words) {
    const id = words[word + FIELD.id]!
    if (id === FIELD_ID.other || id > FIELD_ID.upgrade) continue
    const start = words[word + FIELD.valueStart]!
    const end = words[word + FIELD.valueEnd]!
    const error = readField(id, bytes, start, end, words[HEAD.versionMinor]!, out)
    if (error !== 0) return error
  }
  return 0
}

function readField(
  id: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  minor: number,
  out: Framing,
): number {
  switch (id) {
    case FIELD_ID.host:
      if (++seen.hosts > 1) return HTTP_ERRORS.duplicateHost
      out.hostStart = start
      out.hostEnd = end
      // An empty value is what a client without an authority must send (RFC 9112 3.2).
      return start === end || checkAuthority(bytes, start, end) !== AUTHORITY.invalid
        ? 0
        : HTTP_ERRORS.badHost
    case FIELD_ID['content-length']:
      // Equal repetitions may be merged (RFC 9112 6.3), or refused: then no two parsers can differ on them.
      if (++seen.contentLengths > 1) return HTTP_ERRORS.conflictingContentLength
      out.contentLength = parseDecimal(bytes, start, end)
      return out.contentLength < 0 ? HTTP_ERRORS.badContentLength : 0
    case FIELD_ID['transfer-encoding']:
      seen.codings.add(bytes, start, end)
      return 0
    case FIELD_ID.connection:
      seen.connection |= connectionOptions(bytes, start, end)
      return 0
    case FIELD_ID.expect:
      if (minor === 0) return 0
      seen.expects++
      return equalsIgnoringCase(bytes, start, end, CONTINUE) ? 0 : HTTP_ERRORS.unknownExpectation
    default:
      seen.upgrades++
      return 0
  }
}

/** Method against target form, and the authority of a target that has one: it replaces Host (RFC 9112 3.2.2). */
function checkTarget(bytes: Uint8Array, words: Int32Array, out: Framing): number {
  const method = words[HEAD.methodId]!
  const form = words[HEAD.targetForm]!
  // authority-form is for CONNECT, and the only one for it (RFC 9112 3.2.3); asterisk-form for OPTIONS (3.2.4).
  if ((method === METHOD.CONNECT) !== (form === TARGET_FORM.authority)) return HTTP_ERRORS.badTarget
  if (form === TARGET_FORM.asterisk && method !== METHOD.OPTIONS) return HTTP_ERRORS.badTarget
  if (form === TARGET_FORM.origin || form === TARGET_FORM.asterisk) return 0
  out.hostStart = words[HEAD.authorityStart]!
  out.hostEnd = words[HEAD.authorityEnd]!
  const authority = checkAuthority(bytes, out.hostStart, out.hostEnd)
  if (authority === AUTHORITY.invalid) return HTTP_ERRORS.badTarget
  // CONNECT names no default port (RFC 9110 9.3.6).
  return method === METHOD.CONNECT && authority !== AUTHORITY.withPort ? HTTP_ERRORS.badTarget : 0
}

function checkHost(minor: number): number {
  return seen.hosts === 0 && minor >= 1 ? HTTP_ERRORS.missingHost : 0
}

function checkBody(minor: number): number {
  if (!seen.codings.present) return 0
  // An HTTP/1.0 recipient on the way may have passed it on unread (RFC 9112 6.1).
  if (minor === 0) return HTTP_ERRORS.transferEncodingIn10
  if (seen.contentLengths > 0) return HTTP_ERRORS.contentLengthWithTransferEncoding
  return seen.codings.error()
}
