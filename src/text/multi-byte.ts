// The decoders of the Encoding standard, sections 10 to 13, for encodings of several bytes a character, but for iso-2022-jp. Where
// the standard puts a byte back into its queue, it is ASCII or begins anew: both are done in place here.

import { GB18030_BMP_POINTERS } from './layout.ts'
import { table } from './tables.ts'
import type { PieceDecoder, Units } from './units.ts'

const isAscii = (byte: number): boolean => byte < 0x80
const isIn = (byte: number, first: number, last: number): boolean => byte >= first && byte <= last

interface TwoBytes {
  isLead(byte: number): boolean
  /** A byte from 0x80 that is a character alone, else 0. */
  alone(byte: number): number
  /** Puts the character of two bytes; false if there is none. */
  pair(lead: number, trail: number, out: Units): boolean
}

/** The state is the lead byte. */
function twoBytes({ isLead, alone, pair }: TwoBytes): PieceDecoder {
  return (bytes, state, isLast, out) => {
    let lead = state & 0xff
    for (let i = 0; i < bytes.length && !out.failed; i++) {
      const byte = bytes[i]!
      if (lead !== 0) {
        if (!pair(lead, byte, out)) {
          out.error()
          if (isAscii(byte)) out.put(byte)
        }
        lead = 0
      } else if (isAscii(byte)) out.put(byte)
      else if (isLead(byte)) lead = byte
      else {
        const unit = alone(byte)
        if (unit === 0) out.error()
        else out.put(unit)
      }
    }
    if (!isLast || lead === 0) return lead
    out.error()
    return 0
  }
}

/** Puts the unit of a pointer in a table; false if it has none. */
function putUnit(units: Uint16Array, pointer: number, out: Units): boolean {
  const unit = units[pointer]
  if (unit === undefined || unit === 0) return false
  out.put(unit)
  return true
}

/** Section 13.1.1. */
const eucKr = (): PieceDecoder => {
  const units = table('euc-kr')
  return twoBytes({
    isLead: (byte) => isIn(byte, 0x81, 0xfe),
    alone: () => 0,
    pair: (lead, trail, out) =>
      isIn(trail, 0x41, 0xfe) && putUnit(units, (lead - 0x81) * 190 + trail - 0x41, out),
  })
}

/** Section 11.1.1. */
const big5 = (): PieceDecoder => {
  const units = table('big5')
  const seconds = table('big5-second')
  return twoBytes({
    isLead: (byte) => isIn(byte, 0x81, 0xfe),
    alone: () => 0,
    pair: (lead, trail, out) => {
      if (!isIn(trail, 0x40, 0x7e) && !isIn(trail, 0xa1, 0xfe)) return false
      const pointer = (lead - 0x81) * 157 + trail - (trail < 0x7f ? 0x40 : 0x62)
      if (!putUnit(units, pointer, out)) return false
      if (seconds[pointer] !== 0) out.put(seconds[pointer]!)
      return true
    },
  })
}

/** Section 12.3.1. */
const shiftJis = (): PieceDecoder => {
  const units = table('jis0208')
  return twoBytes({
    isLead: (byte) => isIn(byte, 0x81, 0x9f) || isIn(byte, 0xe0, 0xfc),
    alone: (byte) => (byte === 0x80 ? 0x80 : isIn(byte, 0xa1, 0xdf) ? 0xff61 - 0xa1 + byte : 0),
    pair: (lead, trail, out) => {
      if (!isIn(trail, 0x40, 0x7e) && !isIn(trail, 0x80, 0xfc)) return false
      const row = lead - (lead < 0xa0 ? 0x81 : 0xc1)
      return putUnit(units, row * 188 + trail - (trail < 0x7f ? 0x40 : 0x41), out)
    },
  })
}

const JIS0212 = 0x100

/** Section 12.1.1. The state is the lead byte, with JIS0212 if 0x8F stood before it. */
const eucJp = (): PieceDecoder => {
  const jis0208 = table('jis0208')
  const jis0212 = table('jis0212')
  return (bytes, state, isLast, out) => {
    let lead = state & 0xff
    let units = (state & JIS0212) === 0 ? jis0208 : jis0212
    for (let i = 0; i < bytes.length && !out.failed; i++) {
      const byte = bytes[i]!
      if (lead === 0x8e && isIn(byte, 0xa1, 0xdf)) {
        lead = 0
        out.put(0xff61 - 0xa1 + byte)
      } else if (lead === 0x8f && isIn(byte, 0xa1, 0xfe)) {
        lead = byte
        units = jis0212
      } else if (lead !== 0) {
        const isPair = isIn(lead, 0xa1, 0xfe) && isIn(byte, 0xa1, 0xfe)
        if (!isPair || !putUnit(units, (lead - 0xa1) * 94 + byte - 0xa1, out)) {
          out.error()
          if (isAscii(byte)) out.put(byte)
        }
        lead = 0
        units = jis0208
      } else if (isAscii(byte)) out.put(byte)
      else if (byte === 0x8e || byte === 0x8f || isIn(byte, 0xa1, 0xfe)) lead = byte
      else out.error()
    }
    if (!isLast || lead === 0) return lead === 0 || units === jis0208 ? lead : lead | JIS0212
    out.error()
    return 0
  }
}

/** Of four bytes; -1 for none. */
function gb18030Point(pointer: number, bmp: Uint16Array): number {
  if (pointer < GB18030_BMP_POINTERS) return bmp[pointer] ?? -1
  return isIn(pointer, 189_000, 1_237_575) ? 0x1_0000 + pointer - 189_000 : -1
}

/** Section 10.2.1, which gbk shares. The state is the bytes of a character that has not ended, the first one lowest. */
const gb18030 = (): PieceDecoder => {
  const units = table('gb18030')
  const bmp = table('gb18030-bmp')
  return (bytes, state, isLast, out) => {
    let first = state & 0xff
    let second = (state >> 8) & 0xff
    let third = (state >> 16) & 0xff
    for (let i = 0; i < bytes.length && !out.failed; i++) {
      const byte = bytes[i]!
      if (third !== 0) {
        if (isIn(byte, 0x30, 0x39)) {
          const point = gb18030Point(
            ((first - 0x81) * 10 + second - 0x30) * 1260 + (third - 0x81) * 10 + byte - 0x30,
            bmp,
          )
          if (point < 0) out.error()
          else out.putPoint(point)
          first = 0
        } else {
          out.error()
          out.put(second)
          first = third
          i--
        }
        second = third = 0
      } else if (second !== 0) {
        if (isIn(byte, 0x81, 0xfe)) third = byte
        else {
          out.error()
          out.put(second)
          first = second = 0
          i--
        }
      } else if (first !== 0) {
        if (isIn(byte, 0x30, 0x39)) {
          second = byte
          continue
        }
        const isTrail = isIn(byte, 0x40, 0x7e) || isIn(byte, 0x80, 0xfe)
        const pointer = (first - 0x81) * 190 + byte - (byte < 0x7f ? 0x40 : 0x41)
        first = 0
        if (isTrail && putUnit(units, pointer, out)) continue
        out.error()
        if (isAscii(byte)) out.put(byte)
      } else if (isAscii(byte)) out.put(byte)
      else if (byte === 0x80) out.put(0x20ac)
      else if (byte === 0xff) out.error()
      else first = byte
    }
    const rest = first | (second << 8) | (third << 16)
    if (!isLast) return rest
    if (rest !== 0) out.error()
    return 0
  }
}

/** By name; each makes its decoder, for which the tables are read. */
export const MULTI_BYTE: Record<string, () => PieceDecoder> = {
  big5,
  'euc-jp': eucJp,
  'euc-kr': eucKr,
  gb18030,
  gbk: gb18030,
  shift_jis: shiftJis,
}
