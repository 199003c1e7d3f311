import { describe, expect, it } from 'vitest'
import { Framing, readFraming } from '../../src/http/framing.ts'
import { HeadTable, parseHead } from '../../src/http/head.ts'
import { betweenCanaries, CANARIES, textOf } from './support/bytes.ts'
import { nameOf, outcome } from './support/codes.ts'
import { FRAMING_CASES } from './support/framing-cases.ts'

const LIMITS = { headBytes: 1024, targetBytes: 100, fields: 8, leadingEmptyLines: 1 }
const table = new HeadTable(LIMITS.fields)

/** Every call goes through the same object, as in production: nothing of one request may show in the next. */
const framing = new Framing()

function read(input: string, canary: string) {
  const { bytes, start, end } = betweenCanaries(input, canary)
  expect(parseHead(bytes, start, end, 0, table, LIMITS)).toBe(input.length)
  const result = outcome(readFraming(bytes, table, framing))
  const { hostStart, hostEnd, ...rest } = framing
  return { result, parts: { ...rest, host: textOf(bytes, hostStart, hostEnd) } }
}

describe(`framing: ${FRAMING_CASES.length} heads`, () => {
  it.each(FRAMING_CASES)('$comment: $input', ({ input, expected }) => {
    for (const canary of CANARIES) {
      const { result, parts } = read(input, canary)
      if (typeof expected === 'string') {
        expect(result).toBe(nameOf(expected))
      } else {
        expect(result).toBe(0)
        expect(parts).toMatchObject(expected)
      }
    }
  })

  it('leaves nothing of one request in the next', () => {
    const accepted = FRAMING_CASES.filter(({ expected }) => typeof expected !== 'string')
    const alone = new Map(accepted.map(({ input }) => [input, read(input, 'A').parts]))
    for (const before of FRAMING_CASES) {
      for (const { input } of accepted.slice(0, 12)) {
        read(before.input, 'A')
        expect(read(input, 'A').parts).toEqual(alone.get(input))
      }
    }
  })
})
