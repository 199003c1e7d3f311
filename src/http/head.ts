import { COLON, CR, FIELD_VALUE, HTAB, isDigit, LF, SP, TARGET, TOKEN } from './chars.ts'
import { HTTP_ERRORS } from './errors.ts'
import { type HeadLimits, METHOD_BYTES_MAX } from './head-limits.ts'
import { worthParsing } from './resume.ts'
import { FIELD, FIELD_NAMES, HEAD, type HeadTable, METHOD_NAMES } from './table.ts'
import { splitTarget } from './target.ts'

export type { HeadLimits } from './head-limits.ts'
export { FIELD_ID, HEAD, HeadTable, METHOD, TARGET_FORM } from './table.ts'

const VERSION_PREFIX = [0x48, 0x54, 0x54, 0x50, 0x2f] as const // HTTP/

/**
 * Reads one request head from `bytes[start, end)` into `table`. Reads nothing outside, allocates nothing.
 *
 * Returns the bytes consumed (from `start` to past the empty line), 0 when the head is not complete, or one
 * of `HTTP_ERRORS`. The table is meaningful only after a positive result. `scanned` is how many bytes from
 * `start` an earlier call saw before it returned 0; it spares reading those again until the head is complete,
 * so that a head fed one byte at a time costs linear work. A prefix gives 0 or the error of the whole head.
 */
export function parseHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  scanned: number,
  table: HeadTable,
  limits: HeadLimits,
): number {
  const full = end - start >= limits.headBytes
  if (!full && scanned > 0 && !worthParsing(bytes, start, end, scanned, limits)) return 0
  const stop = full ? start + limits.headBytes : end
  let at = skipEmptyLines(bytes, start, stop, limits.leadingEmptyLines)
  if (at >= 0) at = parseRequestLine(bytes, at, stop, table.words, limits.targetBytes)
  if (at > 0) at = parseFields(bytes, at, stop, table.words, Math.min(table.capacity, limits.fields))
  if (at > 0) return at - start
  return at === 0 && full ? HTTP_ERRORS.headTooLarge : at
}

/** Position of the first byte that is not an empty line (maybe `end`), or an error. */
function skipEmptyLines(bytes: Uint8Array, start: number, end: number, linesMax: number): number {
  let at = start
  for (let lines = 0; at < end; lines++) {
    const byte = bytes[at]!
    if (byte === LF) return HTTP_ERRORS.bareLf
    if (byte !== CR) return at
    if (lines === linesMax) return HTTP_ERRORS.tooManyEmptyLines
    // An empty line cut in two: nothing but it is there, so the request line is not either.
    if (at + 1 === end) return end
    if (bytes[at + 1] !== LF) return HTTP_ERRORS.bareCr
    at += 2
  }
  return at
}

/** method SP request-target SP HTTP-version CRLF, RFC 9112 3. Position after it, 0 for partial, or an error. */
function parseRequestLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: Int32Array,
  targetBytes: number,
): number {
  const methodEnd = endOfClass(TOKEN, bytes, start, Math.min(end, start + METHOD_BYTES_MAX))
  if (methodEnd === end) return 0
  if (bytes[methodEnd] !== SP || methodEnd === start) {
    const tooLong = methodEnd - start === METHOD_BYTES_MAX && TOKEN[bytes[methodEnd]!] === 1
    return tooLong ? HTTP_ERRORS.methodTooLong : HTTP_ERRORS.badMethod
  }
  const targetStart = methodEnd + 1
  const targetEnd = endOfClass(TARGET, bytes, targetStart, Math.min(end, targetStart + targetBytes))
  if (targetEnd === end) return 0
  const after = bytes[targetEnd]!
  if (after !== SP || targetEnd === targetStart) {
    if (TARGET[after] === 1) return HTTP_ERRORS.targetTooLong
    return after === CR && targetEnd > targetStart ? HTTP_ERRORS.badVersion : HTTP_ERRORS.badTarget
  }
  words[HEAD.methodStart] = start
  words[HEAD.methodEnd] = methodEnd
  words[HEAD.methodId] = METHOD_NAMES.match(bytes, start, methodEnd)
  words[HEAD.targetStart] = targetStart
  words[HEAD.targetEnd] = targetEnd
  splitTarget(bytes, targetStart, targetEnd, words)
  return parseVersion(bytes, targetEnd + 1, end, words)
}

/** HTTP-version CRLF, RFC 9112 2.3. Position after it, 0 for partial, or an error. */
function parseVersion(bytes: Uint8Array, start: number, end: number, words: Int32Array): number {
  for (let i = 0; i < VERSION_PREFIX.length; i++) {
    if (start + i === end) return 0
    if (bytes[start + i] !== VERSION_PREFIX[i]) return HTTP_ERRORS.badVersion
  }
  const major = start + VERSION_PREFIX.length
  if (major >= end) return 0
  if (!isDigit(bytes[major]!)) return HTTP_ERRORS.badVersion
  if (major + 1 === end) return 0
  if (bytes[major + 1] !== 0x2e) return HTTP_ERRORS.badVersion
  if (major + 2 === end) return 0
  const minor = bytes[major + 2]!
  if (!isDigit(minor)) return HTTP_ERRORS.badVersion
  if (bytes[major] !== 0x31) return HTTP_ERRORS.unsupportedVersion
  words[HEAD.versionMinor] = minor - 0x30
  return endOfLine(bytes, major + 3, end, HTTP_ERRORS.badVersion)
}

/** *( field-line CRLF ) CRLF, RFC 9112 5. Position after the empty line, 0 for partial, or an error. */
function parseFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: Int32Array,
  fieldsMax: number,
): number {
  let at = start
  let word: number = HEAD.fields
  for (let count = 0; at < end; count++) {
    if (bytes[at] === CR) {
      words[HEAD.fieldCount] = count
      return endOfLine(bytes, at, end, HTTP_ERRORS.bareCr)
    }
    if (count === fieldsMax) return HTTP_ERRORS.tooManyFields
    const nameStart = at
    while (at < end && TOKEN[bytes[at]!] === 1) at++
    if (at === end) return 0
    if (bytes[at] !== COLON || at === nameStart) return nameError(bytes[at]!, at === nameStart)
    words[word + FIELD.nameStart] = nameStart
    words[word + FIELD.nameEnd] = at
    words[word + FIELD.id] = FIELD_NAMES.match(bytes, nameStart, at)
    const afterColon = at + 1
    at = afterColon
    while (at < end && FIELD_VALUE[bytes[at]!] === 1) at++
    const next = endOfLine(bytes, at, end, HTTP_ERRORS.badFieldValue)
    if (next <= 0) return next
    trimValue(bytes, afterColon, at, words, word)
    at = next
    word += FIELD.words
  }
  return 0
}

/** Writes the value's range without optional whitespace around it (RFC 9112 5.1). */
function trimValue(bytes: Uint8Array, start: number, end: number, words: Int32Array, word: number): void {
  let from = start
  let to = end
  while (from < to && isWhitespace(bytes[from]!)) from++
  while (to > from && isWhitespace(bytes[to - 1]!)) to--
  words[word + FIELD.valueStart] = from
  words[word + FIELD.valueEnd] = to
}

function isWhitespace(byte: number): boolean {
  return byte === SP || byte === HTAB
}

/** Why `byte` does not belong where a colon was due. */
function nameError(byte: number, nameIsEmpty: boolean): number {
  if (byte === LF) return HTTP_ERRORS.bareLf
  if (!isWhitespace(byte)) return HTTP_ERRORS.badFieldName
  // At the start of a line it continues the line before (RFC 9112 5.2) or, in the first one, hides a field
  // from parsers that skip it (RFC 9112 2.2).
  return nameIsEmpty ? HTTP_ERRORS.obsFold : HTTP_ERRORS.spaceBeforeColon
}

/** `at` is where CRLF is due: the position after it, 0 for partial, `otherwise` when something else is there. */
function endOfLine(bytes: Uint8Array, at: number, end: number, otherwise: number): number {
  if (at === end) return 0
  const byte = bytes[at]!
  if (byte === LF) return HTTP_ERRORS.bareLf
  if (byte !== CR) return otherwise
  if (at + 1 === end) return 0
  return bytes[at + 1] === LF ? at + 2 : HTTP_ERRORS.bareCr
}

function endOfClass(table: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && table[bytes[at]!] === 1) at++
  return at
}
