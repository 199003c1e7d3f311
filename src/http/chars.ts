/** Character classes as lookup tables: `TABLE[byte] === 1` when the byte belongs to the class. */

export const HTAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SP = 0x20
export const COLON = 0x3a

const DIGITS = '0123456789'
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

function classOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] = 1
  return table
}

function classOfRange(first: number, last: number): Uint8Array {
  return new Uint8Array(256).fill(1, first, last + 1)
}

/** tchar, RFC 9110 5.6.2: methods and field names. */
export const TOKEN = classOf(`!#$%&'*+-.^_\`|~${DIGITS}${LETTERS}`)

/** field-vchar, SP and HTAB, RFC 9110 5.5; obs-text (0x80 up) is allowed and means latin1. */
export const FIELD_VALUE = classOfRange(0x20, 0xff)
FIELD_VALUE[0x7f] = 0
FIELD_VALUE[HTAB] = 1

/** Visible ASCII but `#`: a target has no fragment (RFC 9112 3.2), and nothing else above 0x7e or below 0x21. */
export const TARGET = classOfRange(0x21, 0x7e)
TARGET[0x23] = 0

/**
 * One character of a reg-name, RFC 3986 3.2.2, without `%` (checked apart) and without the comma, which
 * would let a folded pair of Host fields pass for one.
 */
export const REG_NAME = classOf(`-._~!$&'()*+;=${DIGITS}${LETTERS}`)

/** qdtext, RFC 9110 5.6.4: inside a quoted string without `"` and `\`. */
export const QUOTED_TEXT = FIELD_VALUE.slice()
QUOTED_TEXT[0x22] = 0
QUOTED_TEXT[0x5c] = 0

/** The value of a hexadecimal digit, or 255. */
export const HEX_VALUE = new Uint8Array(256).fill(255)
for (let i = 0; i < 16; i++) {
  HEX_VALUE['0123456789abcdef'.charCodeAt(i)] = i
  HEX_VALUE['0123456789ABCDEF'.charCodeAt(i)] = i
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** `text` as latin1 bytes; for constants. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
