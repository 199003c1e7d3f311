/**
 * What the host does for the guest's ops, as pure functions on plain values. Arguments come from user code: nothing is
 * assumed about their values. Their lengths are bounded here where the work would be out of proportion (URLs, labels); text and
 * bytes to convert are bounded by what the border hands over. See ops.ts for the ops and for WIRE TEXT.
 */
import { decodePiece, encodingName as labelledEncoding } from '../text/decode.ts'
import { DECODE, STATE_UNIT_BASE, STATE_UNIT_BITS, STATE_UNIT_MASK, URL_PART } from './ops.ts'

/** UTF-16 units of a URL, a base or a URL's part; what is longer is no valid URL. */
const URL_CHARS_MAX = 65_536
/**
 * Characters of a host; what is longer is no valid URL. A name has 253 at most, and Punycode takes time with the square of a label's
 * length: 60,000 characters are two seconds, which nothing can interrupt.
 */
const HOST_CHARS_MAX = 2048
/** What the parser skips before the scheme, and wherever it stands. */
const NOT_IN_URL = /^[\0-\x20]+|[\t\n\r]/g
/** What comes before the authority: of the schemes whose slashes do not matter, of others, of a URL that is relative to a scheme. */
const TO_AUTHORITY = /^(?:(?:https?|wss?|ftp):[/\\]*|[a-z][a-z\d+.-]*:[/\\]{2}|[/\\]{2,})/i
const BEHIND_AUTHORITY = /[/\\?#]/
/** WIRE TEXT on the host's side: a string, or its UTF-16 units as bytes. */
export type WireText = string | Uint8Array
/** What crosses the border, either way. Text has no NUL and no lone surrogate; bytes are an ArrayBuffer in the guest. */
export type HostValue = undefined | number | string | Uint8Array

function plain(text: WireText): string {
  if (typeof text === 'string') return text
  return Buffer.from(text.buffer, text.byteOffset, text.byteLength & ~1).toString('utf16le')
}

/** Of ES2024, which Node.js 20 has. */
type WellFormed = string & { isWellFormed(): boolean }

function wire(text: string): WireText {
  return text.includes('\0') || !(text as WellFormed).isWellFormed() ? Buffer.from(text, 'utf16le') : text
}

/** Whether a URL's host, with its port, is too long to be looked at; of a relative URL without one it is not. */
function hasLongHost(text: string): boolean {
  if (text.length <= HOST_CHARS_MAX) return false
  const plain = text.replace(NOT_IN_URL, '')
  const start = TO_AUTHORITY.exec(plain)?.[0].length
  if (start === undefined) return false
  const [authority = ''] = plain.slice(start).split(BEHIND_AUTHORITY, 1)
  return authority.length - (authority.lastIndexOf('@') + 1) > HOST_CHARS_MAX
}

/** Not by `URL.canParse`: Node 20's, once V8 has optimised its caller, takes the Latin-1 characters of a text for UTF-8. */
function parse(text: string, base: string | undefined): URL | undefined {
  if (hasLongHost(text) || (base !== undefined && hasLongHost(base))) return undefined
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

/** OP.URL_PARSE. */
export function urlParse(input: WireText, base: WireText | undefined): string | undefined {
  const text = plain(input)
  const against = base === undefined ? undefined : plain(base)
  if (text.length > URL_CHARS_MAX || (against !== undefined && against.length > URL_CHARS_MAX))
    return undefined
  const url = parse(text, against)
  return url === undefined || url.href.length > URL_CHARS_MAX ? undefined : joinParts(url)
}

/** OP.URL_SET; undefined if `href` is no URL, which the guest's own code never sends. */
export function urlSet(href: string, part: number, value: WireText): string | undefined {
  const url = href.length > URL_CHARS_MAX ? undefined : parse(href, undefined)
  if (url === undefined) return undefined
  const text = plain(value)
  if (text.length <= URL_CHARS_MAX) setPart(url, part, text)
  return joinParts(url.href.length > URL_CHARS_MAX ? new URL(href) : url)
}

function setPart(url: URL, part: number, value: string): void {
  switch (part) {
    case URL_PART.PROTOCOL:
      url.protocol = value
      break
    case URL_PART.USERNAME:
      url.username = value
      break
    case URL_PART.PASSWORD:
      url.password = value
      break
    case URL_PART.HOST:
      if (!hasLongHost(`//${value}`)) url.host = value
      break
    case URL_PART.HOSTNAME:
      if (!hasLongHost(`//${value}`)) url.hostname = value
      break
    case URL_PART.PORT:
      url.port = value
      break
    case URL_PART.PATHNAME:
      url.pathname = value
      break
    case URL_PART.SEARCH:
      url.search = value
      break
    case URL_PART.HASH:
      url.hash = value
      break
  }
}

/** None of a URL's parts can hold a line end: the parser drops or encodes them. */
function joinParts(url: URL): string {
  return [
    url.href,
    url.origin,
    url.protocol,
    url.username,
    url.password,
    url.host,
    url.hostname,
    url.port,
    url.pathname,
    url.search,
    url.hash,
  ].join('\n')
}

const UTF_8 = 'utf-8'
const encoder = new TextEncoder()

/** OP.TEXT_ENCODE: UTF-8. */
export function textEncode(text: WireText): Uint8Array {
  return encoder.encode(plain(text))
}

/**
 * OP.TEXT_DECODE; undefined for bytes that are wrong under DECODE.FATAL, or a label that is none; '' stands for UTF-8. `state` counts under
 * DECODE.PIECE only: what the piece before has left.
 */
export function textDecode(
  bytes: Uint8Array,
  label: string,
  flags: number,
  state: number,
): WireText | undefined {
  const name = label === '' ? UTF_8 : labelledEncoding(label)
  if (name === undefined) return undefined
  const isPiece = (flags & DECODE.PIECE) !== 0
  const piece = decodePiece(bytes, name, {
    isFatal: (flags & DECODE.FATAL) !== 0,
    ignoreBOM: (flags & DECODE.IGNORE_BOM) !== 0,
    state: isPiece ? state : 0,
    isLast: (flags & DECODE.OPEN) === 0,
  })
  if (piece === undefined) return undefined
  return isPiece ? wire(stateUnits(piece.state) + piece.text) : wire(piece.text)
}

/** A state (24 bits) as two units that cross in a string: see DECODE.PIECE. */
function stateUnits(state: number): string {
  return String.fromCharCode(
    STATE_UNIT_BASE + (state & STATE_UNIT_MASK),
    STATE_UNIT_BASE + (state >> STATE_UNIT_BITS),
  )
}

/** OP.ENCODING_NAME. */
export function encodingName(label: WireText): string | undefined {
  return labelledEncoding(plain(label))
}
