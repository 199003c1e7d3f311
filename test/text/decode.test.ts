import { TextDecoder as StandardDecoder } from '@exodus/bytes/encoding.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePiece, encodingName } from '../../src/text/decode.ts'

const MULTI_BYTE = ['big5', 'euc-jp', 'euc-kr', 'gb18030', 'gbk', 'iso-2022-jp', 'shift_jis']
const SINGLE_BYTE = ['windows-1252', 'windows-874', 'iso-8859-16', 'koi8-u', 'macintosh', 'x-user-defined']

/** Bytes in which sequences of every encoding are likely, whole and broken. */
const byte = fc.oneof(
  fc.constantFrom(0x1b, 0x24, 0x28, 0x40, 0x42, 0x49, 0x4a, 0x30, 0x39, 0x7f, 0x80, 0x8e, 0x8f, 0x0e, 0xff),
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: 0x81, max: 0xfe }),
  fc.integer({ min: 0x21, max: 0x7e }),
)
const pieces = fc.array(fc.array(byte, { maxLength: 12 }), { maxLength: 6 })

function decode(name: string, parts: readonly number[][], isFatal = false): string | undefined {
  let text = ''
  let state = 0
  for (let i = 0; i <= parts.length; i++) {
    const piece = decodePiece(Uint8Array.from(parts[i] ?? []), name, {
      isFatal,
      ignoreBOM: false,
      state,
      isLast: i === parts.length,
    })
    if (piece === undefined) return undefined
    text += piece.text
    state = piece.state
  }
  return text
}

function standard(name: string, bytes: readonly number[], isFatal: boolean): string | undefined {
  try {
    return new StandardDecoder(name, { fatal: isFatal }).decode(Uint8Array.from(bytes))
  } catch {
    return undefined
  }
}

describe('decoding', () => {
  it.each([...MULTI_BYTE, ...SINGLE_BYTE])(
    '%s gives what the standard says, however it is cut (property)',
    (name) => {
      fc.assert(
        fc.property(pieces, fc.boolean(), (parts, isFatal) => {
          expect(decode(name, parts, isFatal)).toBe(standard(name, parts.flat(), isFatal))
        }),
        { numRuns: 500 },
      )
    },
  )

  it.each(MULTI_BYTE)('%s takes any state, and stays within its bounds (property)', (name) => {
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 20 }), fc.oneof(fc.integer(), fc.double()), (bytes, state) => {
        const options = { isFatal: false, ignoreBOM: false, state, isLast: true }
        const piece = decodePiece(Uint8Array.from(bytes), name, options)
        expect(piece?.state).toBe(0)
        expect(piece?.text.length).toBeLessThanOrEqual(bytes.length + 8)
      }),
      { numRuns: 300 },
    )
  })

  it('knows labels, and none that the standard has not', () => {
    expect(
      [
        ' LATIN1\n',
        'iso-8859-16',
        'x-user-defined',
        'sjis',
        'GB2312',
        'utf-7',
        'constructor',
        'x'.repeat(65),
      ].map(encodingName),
    ).toEqual([
      'windows-1252',
      'iso-8859-16',
      'x-user-defined',
      'shift_jis',
      'gbk',
      undefined,
      undefined,
      undefined,
    ])
    expect(
      decodePiece(new Uint8Array(1), 'constructor', {
        isFatal: false,
        ignoreBOM: false,
        state: 0,
        isLast: true,
      }),
    ).toBeUndefined()
  })
})
