// Makes the file of index tables (src/text/layout.ts) from a library that has them all: what each sequence of bytes stands for.
import { createMultibyteDecoder } from '@exodus/bytes/multi-byte.js'
import { createSinglebyteDecoder } from '@exodus/bytes/single-byte.js'
import { LAYOUT, SINGLE_BYTE, type SingleByteName, type TableName } from '../src/text/layout.ts'

const REPLACEMENT = '\ufffd'

/** The bytes that a pointer stands for. */
const SEQUENCES: Record<Exclude<TableName, SingleByteName>, (pointer: number) => number[]> = {
  jis0208: (pointer) => {
    const row = Math.floor(pointer / 188)
    const cell = pointer % 188
    return [row + (row < 0x1f ? 0x81 : 0xc1), cell + (cell < 0x3f ? 0x40 : 0x41)]
  },
  jis0212: (pointer) => [0x8f, Math.floor(pointer / 94) + 0xa1, (pointer % 94) + 0xa1],
  'euc-kr': (pointer) => [Math.floor(pointer / 190) + 0x81, (pointer % 190) + 0x41],
  gb18030: (pointer) => {
    const cell = pointer % 190
    return [Math.floor(pointer / 190) + 0x81, cell + (cell < 0x3f ? 0x40 : 0x41)]
  },
  'gb18030-bmp': (pointer) => [
    Math.floor(pointer / 12_600) + 0x81,
    (Math.floor(pointer / 1260) % 10) + 0x30,
    (Math.floor(pointer / 10) % 126) + 0x81,
    (pointer % 10) + 0x30,
  ],
  big5: big5Sequence,
  'big5-second': big5Sequence,
}

const ENCODINGS: Record<keyof typeof SEQUENCES, string> = {
  jis0208: 'shift_jis',
  jis0212: 'euc-jp',
  'euc-kr': 'euc-kr',
  gb18030: 'gb18030',
  'gb18030-bmp': 'gb18030',
  big5: 'big5',
  'big5-second': 'big5',
}

function big5Sequence(pointer: number): number[] {
  const cell = pointer % 157
  return [Math.floor(pointer / 157) + 0x81, cell + (cell < 0x3f ? 0x40 : 0x62)]
}

/** The file's bytes. */
export function encodingTables(): Uint8Array {
  const rows = LAYOUT.map(([name, units]) => {
    if (SINGLE_BYTE.includes(name as SingleByteName)) return singleByte(name)
    return multiByte(name as keyof typeof SEQUENCES, units)
  })
  return Buffer.concat(rows.map((row) => Buffer.from(row.buffer)))
}

function singleByte(name: string): Uint16Array {
  const text = createSinglebyteDecoder(name, true)(Uint8Array.from({ length: 128 }, (_, i) => i + 0x80))
  return Uint16Array.from(text, (character) => (character === REPLACEMENT ? 0 : character.charCodeAt(0)))
}

function multiByte(name: keyof typeof SEQUENCES, units: number): Uint16Array {
  const decode = createMultibyteDecoder(ENCODINGS[name], true)
  return Uint16Array.from({ length: units }, (_, pointer) => {
    const text = decode(Uint8Array.from(SEQUENCES[name](pointer)))
    if (text.startsWith(REPLACEMENT)) return 0
    return (name === 'big5-second' ? text.charCodeAt(1) : text.charCodeAt(0)) || 0
  })
}
