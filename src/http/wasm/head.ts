// The head parser in AssemblyScript with SIMD, over the shard's shared memory. The twin of ../head.ts: the same grammar in
// the same order, so that both give the same result for the same bytes. Sixteen bytes are classified at a time; a load may
// reach past `stop` (there is memory: SLACK_BYTES in ../simd.ts), but what it finds there never counts. There is no static data
// here: the memory belongs to the host. The numbers of errors.ts, table.ts and chars.ts come in as ./constants.

import {
  ERROR_badFieldName,
  ERROR_badFieldValue,
  ERROR_badMethod,
  ERROR_badTarget,
  ERROR_badVersion,
  ERROR_bareCr,
  ERROR_bareLf,
  ERROR_headTooLarge,
  ERROR_methodTooLong,
  ERROR_obsFold,
  ERROR_spaceBeforeColon,
  ERROR_targetTooLong,
  ERROR_tooManyEmptyLines,
  ERROR_tooManyFields,
  ERROR_unsupportedVersion,
  FIELD_BYTES,
  FIELD_id,
  FIELD_nameEnd,
  FIELD_nameStart,
  FIELD_valueEnd,
  FIELD_valueStart,
  FORM_absolute,
  FORM_asterisk,
  FORM_authority,
  FORM_origin,
  HEAD_authorityEnd,
  HEAD_authorityStart,
  HEAD_fieldCount,
  HEAD_fields,
  HEAD_methodEnd,
  HEAD_methodId,
  HEAD_methodStart,
  HEAD_pathStart,
  HEAD_queryStart,
  HEAD_targetEnd,
  HEAD_targetForm,
  HEAD_targetStart,
  HEAD_versionMinor,
  METHOD_BYTES_MAX,
  TOKEN_HIGH,
  TOKEN_LOW,
} from './constants'

const HTAB: u32 = 0x09
const LF: u32 = 0x0a
const CR: u32 = 0x0d
const SP: u32 = 0x20
const HASH: u32 = 0x23
const ASTERISK: u32 = 0x2a
const DOT: u32 = 0x2e
const SLASH: u32 = 0x2f
const ZERO: u32 = 0x30
const ONE: u32 = 0x31
const NINE: u32 = 0x39
const COLON: u32 = 0x3a
const QUESTION: u32 = 0x3f
const DELETE: u32 = 0x7f
/** Or-ed to a letter it makes it lower case (see names.ts). */
const CASE_BIT: u32 = 0x20

/** Little-endian words: what is compared whole. */
const CRLF: u32 = 0x0a0d
// biome-ignore lint/correctness/noPrecisionLoss: a 64-bit integer in this language
const HTTP_SLASH_1_DOT_1: u64 = 0x312e_312f_5054_5448
const HTTP: u32 = 0x7074_7468
const COLON_SLASH_SLASH: u32 = 0x2f_2f3a

const LANES: usize = 16
/** A value is read 64 bytes at a time from here on. */
const LONG_BYTES: usize = 128

// Set once by `configure`, before any parse.
let table: usize = 0
let fieldNames: usize = 0
let methodNames: usize = 0
let headBytes: usize = 0
let targetBytes: usize = 0
let fieldsMax: i32 = 0
let emptyLinesMax: i32 = 0

/** What every position written to the table is counted from. */
let origin: usize = 0

/** Where the table and the two name sets (the bytes of a NameSet's image, names.ts) lie, and the limits. */
export function configure(
  tableAt: usize,
  fieldNamesAt: usize,
  methodNamesAt: usize,
  headBytesMax: usize,
  targetBytesMax: usize,
  fields: i32,
  emptyLines: i32,
): void {
  table = tableAt
  fieldNames = fieldNamesAt
  methodNames = methodNamesAt
  headBytes = headBytesMax
  targetBytes = targetBytesMax
  fieldsMax = fields
  emptyLinesMax = emptyLines
}

/**
 * `parseHead` of ../head.ts over memory [start, end). Positions are written less `base`.
 * All addresses are below 2^31, so that errors are the negative numbers.
 */
export function parseHead(start: usize, end: usize, base: usize): i32 {
  origin = base
  const full = end - start >= headBytes
  const stop = full ? start + headBytes : end
  let at = skipEmptyLines(start, stop)
  if (at >= 0) at = parseRequestLine(<usize>at, stop)
  if (at > 0) at = parseFields(<usize>at, stop)
  if (at > 0) return at - <i32>start
  return at === 0 && full ? ERROR_headTooLarge : at
}

function put(word: usize, position: usize): void {
  store<u32>(table + (word << 2), <u32>(position - origin))
}

function skipEmptyLines(start: usize, stop: usize): i32 {
  let at = start
  for (let lines: i32 = 0; at < stop; lines++) {
    const byte: u32 = load<u8>(at)
    if (byte === LF) return ERROR_bareLf
    if (byte !== CR) return <i32>at
    if (lines === emptyLinesMax) return ERROR_tooManyEmptyLines
    if (at + 1 === stop) return <i32>stop
    if (<u32>load<u8>(at + 1) !== LF) return ERROR_bareCr
    at += 2
  }
  return <i32>at
}

/** One bit a lane: which of sixteen bytes are no token characters. Two lookups by half a byte; from 0x80 up there are none. */
function notToken(bytes: v128): u32 {
  const low = i8x16.swizzle(TOKEN_LOW, v128.and(bytes, i8x16.splat(0x0f)))
  const high = i8x16.swizzle(TOKEN_HIGH, i8x16.shr_u(bytes, 4))
  return i8x16.bitmask(i8x16.eq(v128.and(low, high), i8x16.splat(0)))
}

/** Which bytes end a run of target characters (see TARGET in chars.ts): as signed numbers, all above 0x7f are below 0x21. */
function notTarget(bytes: v128): u32 {
  const outside = i8x16.lt_s(bytes, i8x16.splat(0x21))
  const others = v128.or(i8x16.eq(bytes, i8x16.splat(<i8>HASH)), i8x16.eq(bytes, i8x16.splat(<i8>DELETE)))
  return i8x16.bitmask(v128.or(outside, others))
}

/** Which bytes end a run of field-value characters, or are an HTAB: the caller goes on after those. */
function control(bytes: v128): v128 {
  return v128.or(i8x16.le_u(bytes, i8x16.splat(0x1f)), i8x16.eq(bytes, i8x16.splat(<i8>DELETE)))
}

/** End of the token characters from `start` on, or `stop`. */
function endOfToken(start: usize, stop: usize): usize {
  let at = start
  while (at < stop) {
    const mask = notToken(v128.load(at))
    if (mask !== 0) return min(at + <usize>ctz(mask), stop)
    at += LANES
  }
  return stop
}

function endOfTarget(start: usize, stop: usize): usize {
  let at = start
  while (at < stop) {
    const mask = notTarget(v128.load(at))
    if (mask !== 0) return min(at + <usize>ctz(mask), stop)
    at += LANES
  }
  return stop
}

/** First byte in [start, end) that equals `byte`, or `end`. */
function find(byte: u32, start: usize, end: usize): usize {
  let at = start
  while (at < end) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(<i8>byte)))
    if (mask !== 0) return min(at + <usize>ctz(mask), end)
    at += LANES
  }
  return end
}

function parseRequestLine(start: usize, stop: usize): i32 {
  const methodEnd = endOfToken(start, min(stop, start + METHOD_BYTES_MAX))
  if (methodEnd === stop) return 0
  if (<u32>load<u8>(methodEnd) !== SP || methodEnd === start) {
    const tooLong =
      methodEnd - start === METHOD_BYTES_MAX && endOfToken(methodEnd, methodEnd + 1) !== methodEnd
    return tooLong ? ERROR_methodTooLong : ERROR_badMethod
  }
  const targetStart = methodEnd + 1
  const targetEnd = endOfTarget(targetStart, min(stop, targetStart + targetBytes))
  if (targetEnd === stop) return 0
  const after: u32 = load<u8>(targetEnd)
  if (after !== SP || targetEnd === targetStart) {
    if (endOfTarget(targetEnd, targetEnd + 1) !== targetEnd) return ERROR_targetTooLong
    return after === CR && targetEnd > targetStart ? ERROR_badVersion : ERROR_badTarget
  }
  put(HEAD_methodStart, start)
  put(HEAD_methodEnd, methodEnd)
  store<i32>(table + (HEAD_methodId << 2), idOf(methodNames, start, methodEnd, v128.load(start), 0))
  put(HEAD_targetStart, targetStart)
  put(HEAD_targetEnd, targetEnd)
  splitTarget(targetStart, targetEnd)
  return parseVersion(targetEnd + 1, stop)
}

/** `splitTarget` of ../target.ts. */
function splitTarget(start: usize, end: usize): void {
  const first: u32 = load<u8>(start)
  let form = FORM_authority
  let authorityStart = start
  let authorityEnd = end
  let pathStart = end
  if (first === SLASH) {
    form = FORM_origin
    authorityEnd = pathStart = start
  } else if (first === ASTERISK && end - start === 1) {
    form = FORM_asterisk
    authorityStart = end
  } else {
    const afterScheme = skipScheme(start, end)
    if (afterScheme !== 0) {
      form = FORM_absolute
      authorityStart = afterScheme
      authorityEnd = pathStart = min(find(SLASH, afterScheme, end), find(QUESTION, afterScheme, end))
    }
  }
  store<i32>(table + (HEAD_targetForm << 2), form)
  put(HEAD_authorityStart, authorityStart)
  put(HEAD_authorityEnd, authorityEnd)
  put(HEAD_pathStart, pathStart)
  put(HEAD_queryStart, find(QUESTION, pathStart, end))
}

/** Position after `http://` or `https://` in any letter case, or 0. Folding turns no target character but a letter into a letter. */
function skipScheme(start: usize, end: usize): usize {
  if (end - start < 8) return 0
  if ((load<u32>(start) | 0x2020_2020) !== HTTP) return 0
  const isSecure = (<u32>load<u8>(start + 4) | CASE_BIT) === 0x73
  const colon = start + 4 + <usize>isSecure
  return (load<u32>(colon) & 0xff_ffff) === COLON_SLASH_SLASH ? colon + 3 : 0
}

function parseVersion(start: usize, stop: usize): i32 {
  if (stop - start >= 10 && load<u64>(start) === HTTP_SLASH_1_DOT_1 && <u32>load<u16>(start + 8) === CRLF) {
    store<i32>(table + (HEAD_versionMinor << 2), 1)
    return <i32>(start + 10)
  }
  return parseAnyVersion(start, stop)
}

/** Any version, byte by byte: errors and partial input need the place. */
function parseAnyVersion(start: usize, stop: usize): i32 {
  let prefix: u64 = HTTP_SLASH_1_DOT_1
  for (let i: usize = 0; i < 5; i++) {
    if (start + i >= stop) return 0
    if (<u64>load<u8>(start + i) !== (prefix & 0xff)) return ERROR_badVersion
    prefix >>= 8
  }
  const major = start + 5
  if (major >= stop) return 0
  if (!isDigit(load<u8>(major))) return ERROR_badVersion
  if (major + 1 === stop) return 0
  if (<u32>load<u8>(major + 1) !== DOT) return ERROR_badVersion
  if (major + 2 === stop) return 0
  const minor: u32 = load<u8>(major + 2)
  if (!isDigit(minor)) return ERROR_badVersion
  if (<u32>load<u8>(major) !== ONE) return ERROR_unsupportedVersion
  store<u32>(table + (HEAD_versionMinor << 2), minor - ZERO)
  return endOfLine(major + 3, stop, ERROR_badVersion)
}

function isDigit(byte: u32): bool {
  return byte >= ZERO && byte <= NINE
}

function parseFields(start: usize, stop: usize): i32 {
  let at = start
  let field = table + (HEAD_fields << 2)
  for (let count: i32 = 0; at < stop; count++) {
    const first = v128.load(at)
    const mask = notToken(first)
    let nameEnd: usize
    if (mask !== 0) nameEnd = at + <usize>ctz(mask)
    else nameEnd = endOfToken(at + LANES, stop)
    if (nameEnd === at && <u32>load<u8>(at) === CR) {
      store<i32>(table + (HEAD_fieldCount << 2), count)
      return endOfLine(at, stop, ERROR_bareCr)
    }
    if (count === fieldsMax) return ERROR_tooManyFields
    if (nameEnd >= stop) return 0
    if (<u32>load<u8>(nameEnd) !== COLON || nameEnd === at)
      return nameError(load<u8>(nameEnd), nameEnd === at)

    const afterColon = nameEnd + 1
    const valueEnd = endOfValue(afterColon, stop)
    if (valueEnd >= stop) return 0
    const id = idOf(fieldNames, at, nameEnd, first, CASE_BIT)
    const next = valueEnd + 2
    if (next > stop || <u32>load<u16>(valueEnd) !== CRLF)
      return endOfLine(valueEnd, stop, ERROR_badFieldValue)

    let from = afterColon
    let to = valueEnd
    if (from < to && isWhitespace(load<u8>(from))) from = afterWhitespace(from + 1, to)
    if (from < to && isWhitespace(load<u8>(to - 1))) to = beforeWhitespace(from, to - 1)
    store<u32>(field, <u32>(at - origin), FIELD_nameStart << 2)
    store<u32>(field, <u32>(nameEnd - origin), FIELD_nameEnd << 2)
    store<u32>(field, <u32>(from - origin), FIELD_valueStart << 2)
    store<u32>(field, <u32>(to - origin), FIELD_valueEnd << 2)
    store<i32>(field, id, FIELD_id << 2)
    field += FIELD_BYTES
    at = next
  }
  return 0
}

/** Whether the next 64 bytes hold nothing that `control` names. */
function isClean(at: usize): bool {
  const first = v128.or(control(v128.load(at)), control(v128.load(at, LANES)))
  const second = v128.or(control(v128.load(at, 2 * LANES)), control(v128.load(at, 3 * LANES)))
  return !v128.any_true(v128.or(first, second))
}

/** First byte that is no field-value character, or at least `stop`. */
function endOfValue(start: usize, stop: usize): usize {
  let at = start
  const near = min(stop, start + LONG_BYTES)
  while (at < near) {
    const end = endInBlock(at)
    if (end !== 0) return end
    at += LANES
  }
  return at < stop ? endOfLongValue(at, stop) : stop
}

/** Longer than most is often much longer: 64 bytes at a time. */
function endOfLongValue(start: usize, stop: usize): usize {
  let at = start
  while (at < stop) {
    while (at + 4 * LANES <= stop && isClean(at)) at += 4 * LANES
    const end = endInBlock(at)
    if (end !== 0) return end
    at += LANES
  }
  return stop
}

/** The place of the first byte of sixteen that ends a value, or 0. */
function endInBlock(at: usize): usize {
  const bytes = v128.load(at)
  const ends = control(bytes)
  if (!v128.any_true(ends)) return 0
  const mask = i8x16.bitmask(v128.andnot(ends, i8x16.eq(bytes, i8x16.splat(<i8>HTAB))))
  return mask === 0 ? 0 : at + <usize>ctz(mask)
}

function isWhitespace(byte: u32): bool {
  return byte === SP || byte === HTAB
}

function afterWhitespace(start: usize, end: usize): usize {
  let at = start
  while (at < end && isWhitespace(load<u8>(at))) at++
  return at
}

function beforeWhitespace(start: usize, end: usize): usize {
  let at = end
  while (at > start && isWhitespace(load<u8>(at - 1))) at--
  return at
}

function nameError(byte: u32, nameIsEmpty: bool): i32 {
  if (byte === LF) return ERROR_bareLf
  if (!isWhitespace(byte)) return ERROR_badFieldName
  return nameIsEmpty ? ERROR_obsFold : ERROR_spaceBeforeColon
}

function endOfLine(at: usize, stop: usize, otherwise: i32): i32 {
  if (at >= stop) return 0
  const byte: u32 = load<u8>(at)
  if (byte === LF) return ERROR_bareLf
  if (byte !== CR) return otherwise
  if (at + 1 === stop) return 0
  return <u32>load<u8>(at + 1) === LF ? <i32>(at + 2) : ERROR_bareCr
}

/**
 * The number of the name [start, end), whose first sixteen bytes are `first`, in the set at `names`; 0 for none. The image of a
 * set: 1024 buckets of a byte (length and first letter), one byte a name for the next of its bucket (32 bytes in
 * all), 32 bytes of letters a name.
 */
function idOf(names: usize, start: usize, end: usize, first: v128, mask: u32): i32 {
  const length = end - start
  if (length > 31) return 0
  let id: usize = load<u8>(names + (length << 5) + <usize>(load<u8>(start) & 31))
  if (id === 0) return 0
  const fold = i8x16.splat(<i8>mask)
  const wanted: u32 = <u32>((1 << length) - 1)
  do {
    const letters = names + 1024 + (id << 5)
    let equal: u32 = i8x16.bitmask(i8x16.eq(v128.or(first, fold), v128.load(letters)))
    if (length > 16) {
      equal |=
        i8x16.bitmask(i8x16.eq(v128.or(v128.load(start + LANES), fold), v128.load(letters + LANES))) << 16
    }
    if ((equal & wanted) === wanted) return <i32>id
    id = load<u8>(names + 1024 + id)
  } while (id !== 0)
  return 0
}
