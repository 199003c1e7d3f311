/**
 * What the host does for the guest's ops, as pure functions on plain values. Arguments come from user code: nothing is
 * assumed about their values. Their lengths are bounded here where the work would be out of proportion (URLs, labels); text and
 * bytes to convert are bounded by what the border hands over. See ops.ts for the ops and for WIRE TEXT.
 */
import { DECODE, URL_PART } from './ops.ts'

/** UTF-16 units of a URL, a base or a URL's part; what is longer is no valid URL. */
const URL_CHARS_MAX = 65_536
/** UTF-16 units of an encoding label; the longest known one has 19. */
const LABEL_CHARS_MAX = 64
/** WIRE TEXT on the host's side: a string, or its UTF-16 units as bytes. */
export type WireText = string | Uint8Array
/** What crosses the border, either way. Text has no NUL and no lone surrogate; bytes are an ArrayBuffer in the guest. */
export type HostValue = undefined | number | string | Uint8Array

const LONE_SURROGATE = /\p{Surrogate}/u

function plain(text: WireText): string {
  if (typeof text === 'string') return text
  return Buffer.from(text.buffer, text.byteOffset, text.byteLength & ~1).toString('utf16le')
}

function wire(text: string): WireText {
  return text.includes('\0') || LONE_SURROGATE.test(text) ? Buffer.from(text, 'utf16le') : text
}

/** Not by `URL.canParse`: Node 20's, once V8 has optimised its caller, takes the Latin-1 characters of a text for UTF-8. */
function parse(text: string, base: string | undefined): URL | undefined {
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
      url.host = value
      break
    case URL_PART.HOSTNAME:
      url.hostname = value
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

const encoder = new TextEncoder()

/** OP.TEXT_ENCODE: UTF-8. */
export function textEncode(text: WireText): Uint8Array {
  return encoder.encode(plain(text))
}

/** One decoder an encoding and flags, without state between calls: made once, since making one costs more than using it. */
const decoders = new Map<string, { decode(bytes: Uint8Array): string }>()

/** OP.TEXT_DECODE; undefined for bytes that are wrong under DECODE.FATAL, or an unknown label. */
export function textDecode(bytes: Uint8Array, label: string, flags: number): WireText | undefined {
  const name = encodingName(label)
  if (name === undefined) return undefined
  if (name === 'windows-1252') return wire(decodeWindows1252(bytes))
  // Only Unicode has byte order marks, and Node 20 loses a first 0xFF of other encodings when told to ignore them.
  const bits = name.startsWith('utf-') ? DECODE.FATAL | DECODE.IGNORE_BOM : DECODE.FATAL
  const key = `${name}:${flags & bits}`
  let decoder = decoders.get(key)
  if (decoder === undefined) {
    decoder = new TextDecoder(name, {
      fatal: (flags & DECODE.FATAL) !== 0,
      ignoreBOM: (flags & bits & DECODE.IGNORE_BOM) !== 0,
    })
    decoders.set(key, decoder)
  }
  try {
    return wire(decoder.decode(bytes))
  } catch {
    return undefined
  }
}

/** The characters of windows-1252 for 0x80 to 0x9F, where it differs from latin1 (Encoding, index-windows-1252). */
const WINDOWS_1252 =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178'

/** Node 20 decodes this one, which the labels `latin1` and `ascii` stand for, as ISO 8859-1. */
function decodeWindows1252(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    units[i] = byte >= 0x80 && byte <= 0x9f ? WINDOWS_1252.charCodeAt(byte - 0x80) : byte
  }
  return Buffer.from(units.buffer).toString('utf16le')
}

/** OP.ENCODING_NAME. */
export function encodingName(label: WireText): string | undefined {
  const text = plain(label)
  if (text.length > LABEL_CHARS_MAX) return undefined
  try {
    return new TextDecoder(text).encoding
  } catch {
    return undefined
  }
}
