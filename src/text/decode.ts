// Text decoding by the Encoding standard, for guests. Node's TextDecoder does Unicode; the rest is decoded here, because Node's (ICU)
// differs from the standard in most legacy encodings, and because a decoder's state must be able to live in the guest.

import { isAscii } from 'node:buffer'
import { iso2022Jp } from './iso-2022-jp.ts'
import { SINGLE_BYTE, type SingleByteName } from './layout.ts'
import { MULTI_BYTE } from './multi-byte.ts'
import { table } from './tables.ts'
import { type PieceDecoder, Units } from './units.ts'

/** UTF-16 units of an encoding label; the longest known one has 19. */
const LABEL_CHARS_MAX = 64
const ASCII_WHITESPACE = /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g

/** Names that Node does not know. */
const OWN_LABELS = new Set(['iso-8859-16', 'x-user-defined'])

/** The encoding's name in lower case, undefined for a label that is none (Encoding, section 4.2). */
export function encodingName(label: string): string | undefined {
  const known = labels.get(label)
  if (known !== undefined) return known
  if (label.length > LABEL_CHARS_MAX) return undefined
  const name = look(label)
  if (name !== undefined && labels.size < LABELS_MAX) labels.set(label, name)
  return name
}

/** Labels that were asked for: to look one up makes a decoder. */
const labels = new Map<string, string>()
const LABELS_MAX = 300

function look(label: string): string | undefined {
  const text = label.replace(ASCII_WHITESPACE, '').toLowerCase()
  if (OWN_LABELS.has(text)) return text
  try {
    return new TextDecoder(text).encoding
  } catch {
    return undefined
  }
}

export interface Piece {
  readonly text: string
  /** For the next piece. */
  readonly state: number
}

/** How a piece is decoded. Nothing of it is trusted. */
export interface PieceOptions {
  readonly isFatal: boolean
  readonly ignoreBOM: boolean
  /** What the piece before has left; 0 at first. Looked at for multi-byte encodings only. */
  readonly state: number
  readonly isLast: boolean
}

/** One decoder an encoding and flags, without state between calls: made once, since making one costs more than using it. */
const unicode = new Map<string, { decode(bytes: Uint8Array): string }>()
const pieces = new Map<string, PieceDecoder>()

/** Undefined for bytes that are wrong when that is fatal, and for a name that is none. `name`: as {@link encodingName} gives it. */
export function decodePiece(bytes: Uint8Array, name: string, options: PieceOptions): Piece | undefined {
  if (name === 'utf-8' || name === 'utf-16le' || name === 'utf-16be')
    return decodeUnicode(bytes, name, options)
  if (SINGLE_BYTE.includes(name as SingleByteName)) {
    return decodeSingleByte(bytes, name as SingleByteName, options.isFatal)
  }
  const decoder = multiByteDecoder(name)
  if (decoder === undefined) return undefined
  const before = Number.isInteger(options.state) ? options.state : 0
  if (before === 0 && name !== 'iso-2022-jp' && isAscii(bytes)) return { text: latin1(bytes), state: 0 }
  const out = new Units(bytes.length, options.isFatal)
  const state = decoder(bytes, before, options.isLast, out)
  return out.failed ? undefined : { text: out.toString(), state }
}

function multiByteDecoder(name: string): PieceDecoder | undefined {
  const known = pieces.get(name)
  if (known !== undefined) return known
  const make =
    name === 'iso-2022-jp' ? iso2022Jp : Object.hasOwn(MULTI_BYTE, name) ? MULTI_BYTE[name] : undefined
  if (make === undefined) return undefined
  const decoder = make()
  pieces.set(name, decoder)
  return decoder
}

function decodeUnicode(
  bytes: Uint8Array,
  name: string,
  { isFatal, ignoreBOM }: PieceOptions,
): Piece | undefined {
  // What most texts are, at a quarter of a decoder's price.
  if (name === 'utf-8' && isAscii(bytes)) return { text: latin1(bytes), state: 0 }
  const key = `${name}:${isFatal}:${ignoreBOM}`
  let decoder = unicode.get(key)
  if (decoder === undefined)
    unicode.set(key, (decoder = new TextDecoder(name, { fatal: isFatal, ignoreBOM })))
  try {
    return { text: decoder.decode(bytes), state: 0 }
  } catch {
    return undefined
  }
}

function decodeSingleByte(bytes: Uint8Array, name: SingleByteName, isFatal: boolean): Piece | undefined {
  if (isAscii(bytes)) return { text: latin1(bytes), state: 0 }
  const units = table(name)
  const out = new Units(bytes.length, isFatal)
  for (let i = 0; i < bytes.length && !out.failed; i++) {
    const byte = bytes[i]!
    const unit = byte < 0x80 ? byte : units[byte - 0x80]!
    if (unit === 0 && byte !== 0) out.error()
    else out.put(unit)
  }
  return out.failed ? undefined : { text: out.toString(), state: 0 }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
