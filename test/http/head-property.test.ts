import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Framing, readFraming } from '../../src/http/framing.ts'
import { HEAD, HeadTable, parseHead } from '../../src/http/head.ts'
import { bytesOf, textOf } from './support/bytes.ts'
import { FRAMING_CASES } from './support/framing-cases.ts'
import { HEAD_CASES } from './support/head-cases.ts'

const LIMITS = { headBytes: 4096, targetBytes: 256, fields: 16, leadingEmptyLines: 3 }
const table = new HeadTable(LIMITS.fields)
const framing = new Framing()

const tchars = [..."!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"]
const token = (maxLength: number) => fc.string({ unit: fc.constantFrom(...tchars), minLength: 1, maxLength })
const targetChars = [...'/?&=%.:;,@!$*abcXYZ019~{}|<>"\\^`[]()+-_']
const valueChars = [...' \t!"#,:;abcXYZ019\x7e\x80\xe9\xff']

const heads = fc.record({
  emptyLines: fc.nat(LIMITS.leadingEmptyLines),
  method: token(32),
  path: fc.string({ unit: fc.constantFrom(...targetChars), maxLength: 200 }).map((path) => `/${path}`),
  minor: fc.nat(9),
  fields: fc.array(
    fc.record({
      name: token(40),
      value: fc
        .string({ unit: fc.constantFrom(...valueChars), maxLength: 60 })
        .map((v) => v.replace(/^[ \t]+|[ \t]+$/g, '')),
      before: fc.constantFrom('', ' ', '\t', ' \t '),
      after: fc.constantFrom('', ' ', '\t '),
    }),
    { maxLength: LIMITS.fields },
  ),
  rest: fc.string({ unit: 'binary-ascii', maxLength: 20 }),
})

describe('generated heads', () => {
  it('a valid head gives back the parts it was made of, wherever it was cut', () => {
    fc.assert(
      fc.property(heads, fc.nat(), (head, cutAt) => {
        const lines = head.fields.map((f) => `${f.name}:${f.before}${f.value}${f.after}\r\n`).join('')
        const text = `${'\r\n'.repeat(head.emptyLines)}${head.method} ${head.path} HTTP/1.${head.minor}\r\n${lines}\r\n`
        const bytes = bytesOf(text + head.rest)
        const cut = cutAt % text.length
        expect(parseHead(bytes, 0, cut, 0, table, LIMITS)).toBe(0)
        expect(parseHead(bytes, 0, bytes.length, cut, table, LIMITS)).toBe(text.length)
        const { words } = table
        expect(textOf(bytes, words[HEAD.methodStart]!, words[HEAD.methodEnd]!)).toBe(head.method)
        expect(textOf(bytes, words[HEAD.targetStart]!, words[HEAD.targetEnd]!)).toBe(head.path)
        expect(words[HEAD.versionMinor]).toBe(head.minor)
        const fields = head.fields.map((_, i) => [
          textOf(bytes, table.nameStart(i), table.nameEnd(i)),
          textOf(bytes, table.valueStart(i), table.valueEnd(i)),
        ])
        expect(fields).toEqual(head.fields.map((f) => [f.name, f.value]))
      }),
    )
  })

  it('random bytes end in a result, the same for the whole and for pieces', () => {
    const noise = fc.uint8Array({ maxLength: 200 })
    // Random bytes alone die in the first line: most runs break a good head instead.
    const base = fc.constantFrom(...HEAD_CASES.map((c) => c.input), ...FRAMING_CASES.map((c) => c.input))
    fc.assert(
      fc.property(
        base,
        fc.nat(),
        noise,
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        (text, at, extra, replace, piece) => {
          const good = bytesOf(text)
          const from = at % (good.length + 1)
          const tail = good.subarray(replace ? from + extra.length : from)
          const bytes = Uint8Array.from([...good.subarray(0, from), ...extra, ...tail])
          const whole = parseHead(bytes, 0, bytes.length, 0, table, LIMITS)
          if (whole > 0) {
            expect(whole).toBeLessThanOrEqual(bytes.length)
            expect(readFraming(bytes, table, framing)).toBeLessThanOrEqual(0)
          }
          let pieces = 0
          for (let end = 0; end < bytes.length && pieces === 0; ) {
            const scanned = end
            end = Math.min(bytes.length, end + piece)
            pieces = parseHead(bytes, 0, end, scanned, table, LIMITS)
          }
          // An error in pieces may wait for the end of the head, a success may not.
          if (whole < 0) expect([0, whole]).toContain(pieces)
          else expect(pieces).toBe(whole)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('purely random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(parseHead(bytes, 0, bytes.length, 0, table, LIMITS)).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })
})
