import { describe, expect, it } from 'vitest'
import { HEAD, type HeadLimits, HeadTable, METHOD, TARGET_FORM } from '../../../src/http/head.ts'
import { betweenCanaries, CANARIES, textOf } from './bytes.ts'
import { nameOf, outcome } from './codes.ts'
import { CASE_LIMITS, HEAD_CASES, type HeadCase, type HeadParts } from './head-cases.ts'

export type ParseHead = (
  bytes: Uint8Array,
  start: number,
  end: number,
  scanned: number,
  table: HeadTable,
  limits: HeadLimits,
) => number

function keyOf(table: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(table).find((key) => table[key] === value) ?? `unknown ${value}`
}

/** The parsed parts as text, in the shape of a table entry with nothing left out. */
function partsOf(bytes: Uint8Array, table: HeadTable, rest: string): Required<HeadParts> {
  const { words } = table
  const range = (from: number, to: number) => textOf(bytes, words[from]!, words[to]!)
  return {
    method: range(HEAD.methodStart, HEAD.methodEnd),
    id: keyOf(METHOD, words[HEAD.methodId]!),
    target: range(HEAD.targetStart, HEAD.targetEnd),
    form: keyOf(TARGET_FORM, words[HEAD.targetForm]!),
    path: range(HEAD.pathStart, HEAD.queryStart),
    query: range(HEAD.queryStart, HEAD.targetEnd),
    authority: range(HEAD.authorityStart, HEAD.authorityEnd),
    minor: words[HEAD.versionMinor]!,
    fields: Array.from({ length: table.fieldCount }, (_, i) => [
      textOf(bytes, table.nameStart(i), table.nameEnd(i)),
      textOf(bytes, table.valueStart(i), table.valueEnd(i)),
    ]),
    rest,
  }
}

/** What the whole input must return: an error's name, 0, or the head's length. */
function expectedOutcome({ input, expected }: HeadCase): string | number {
  if (expected === 'partial') return 0
  return typeof expected === 'string' ? nameOf(expected) : input.length - (expected.rest ?? '').length
}

/** Every implementation of `parseHead` passes this suite. */
export function headConformance(name: string, parseHead: ParseHead): void {
  const table = new HeadTable(CASE_LIMITS.fields)
  const parse = (bytes: Uint8Array, start: number, end: number, scanned: number) =>
    outcome(parseHead(bytes, start, end, scanned, table, CASE_LIMITS))

  describe(`${name}: ${HEAD_CASES.length} heads`, () => {
    it.each(HEAD_CASES)('$comment: $input', (entry) => {
      for (const canary of CANARIES) {
        const { bytes, start, end } = betweenCanaries(entry.input, canary)
        const before = bytes.slice()
        const result = parse(bytes, start, end, 0)
        expect(result).toBe(expectedOutcome(entry))
        expect(bytes).toEqual(before)
        if (typeof entry.expected === 'string') continue
        const parts = partsOf(bytes, table, textOf(bytes, start + Number(result), end))
        expect(parts).toMatchObject(entry.expected)
        expect(parts.fields).toHaveLength(entry.expected.fields.length)
      }
    })

    it.each(HEAD_CASES)('every truncation of: $input', (entry) => {
      const whole = expectedOutcome(entry)
      for (const canary of CANARIES) {
        const { bytes, start, end } = betweenCanaries(entry.input, canary)
        let failed = false
        for (let cut = start; cut <= end; cut++) {
          const result = parse(bytes, start, cut, 0)
          if (typeof whole === 'number') expect(result).toBe(whole > 0 && cut - start >= whole ? whole : 0)
          else if (failed) expect(result).toBe(whole)
          else expect([0, whole]).toContain(result)
          failed = result !== 0
        }
      }
    })

    it.each(HEAD_CASES)('cut in two at every byte: $input', (entry) => {
      // An error may wait for the end of the head when the bytes came in pieces: so an end is supplied.
      const input =
        typeof entry.expected === 'string' && entry.expected !== 'partial'
          ? `${entry.input}\r\n\r\n`
          : entry.input
      const whole = expectedOutcome(entry)
      const { bytes, start, end } = betweenCanaries(input, '\r\n')
      for (let cut = start; cut <= end; cut++) {
        const first = parse(bytes, start, cut, 0)
        expect(first === 0 ? parse(bytes, start, end, cut - start) : first).toBe(whole)
      }
    })

    it.each(HEAD_CASES)('one byte at a time: $input', (entry) => {
      const input =
        typeof entry.expected === 'string' && entry.expected !== 'partial'
          ? `${entry.input}\r\n\r\n`
          : entry.input
      const whole = expectedOutcome(entry)
      const { bytes, start, end } = betweenCanaries(input, '\n')
      let result: string | number = 0
      for (let cut = start; cut <= end && result === 0; cut++) {
        result = parse(bytes, start, cut, Math.max(0, cut - start - 1))
        if (typeof whole === 'number' && result !== 0) expect(cut - start).toBe(whole)
      }
      expect(result).toBe(whole)
    })
  })
}
