import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPlainText, latin1, mendSurrogates } from '../../src/actor/text.ts'

/** A string's code units as the engine writes them: lone surrogates as three bytes each. */
function engineBytes(text: string): Buffer {
  const parts: Buffer[] = []
  for (const point of text) {
    const code = point.codePointAt(0)!
    if (code < 0xd800 || code > 0xdfff) parts.push(Buffer.from(point))
    else parts.push(Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)]))
  }
  return Buffer.concat(parts)
}

test('lone surrogates become U+FFFD, everything else stays, also beside the range', () => {
  const unit = fc.oneof(
    fc.constantFrom('a', 'í', '퟿', '힣', '\ud800', '\udbff', '\udc00', '\udfff', '😀', '', '�'),
    fc.string({ unit: 'binary', maxLength: 4 }),
  )
  const run = fc.property(fc.array(unit, { maxLength: 30 }), (units) => {
    const text = units.join('')
    const inside = engineBytes(text)
    const bytes = Buffer.concat([Buffer.from([0xed, 0xa0]), inside, Buffer.from([0x80, 0xed, 0xa0, 0x80])])
    mendSurrogates(bytes, 2, 2 + inside.length)
    expect(bytes.subarray(2, 2 + inside.length).toString()).toBe(Buffer.from(text).toString())
    expect([...bytes.subarray(0, 2), ...bytes.subarray(2 + inside.length)]).toEqual([
      0xed, 0xa0, 0x80, 0xed, 0xa0, 0x80,
    ])
  })
  fc.assert(run, { numRuns: 500 })
})

test.each([
  ['empty', [], true],
  ['ASCII', [0x61, 0x7f], true],
  ['UTF-8', [...Buffer.from('ö😀')], true],
  ['a NUL', [0x61, 0, 0x62], false],
  ['a byte order mark', [0xef, 0xbb, 0xbf, 0x61], false],
  ['a byte order mark further on', [0x61, 0xef, 0xbb, 0xbf], true],
  ['a part of a character', [0xc3], false],
  ['a surrogate', [0xed, 0xa0, 0x80], false],
  ['an overlong form', [0xc0, 0x80], false],
])('plain text: %s', (_, bytes, expected) => {
  // In the midst of what would change each verdict.
  const memory = Uint8Array.from([0xef, 0xbb, 0xbf, 0, ...bytes, 0, 0xff])
  expect(isPlainText(memory, 4, 4 + bytes.length)).toBe(expected)
})

test('field text is Latin-1, of a view too', () => {
  const memory = Uint8Array.from([1, 2, 0x61, 0xe9, 0xff, 3])
  expect(latin1(memory.subarray(1), 1, 4)).toBe('aéÿ')
})
