import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/config/json.ts'
import { editDistance, nearest } from '../../src/config/suggest.ts'

describe('the place of a mistake in JSON', () => {
  const CASES: readonly [text: string, line: number, column: number][] = [
    ['', 1, 1],
    ['  ', 1, 3],
    ['{', 1, 2],
    ['[1,]', 1, 4],
    ['{"a":1,}', 1, 8],
    ['{"a" 1}', 1, 6],
    ['{"a":1 "b":2}', 1, 8],
    ["{'a':1}", 1, 2],
    ['{a:1}', 1, 2],
    ['[1}', 1, 3],
    ['{"a":1]', 1, 7],
    ['{}\n{}', 2, 1],
    ['[01]', 1, 2],
    ['[1.]', 1, 2],
    ['[+1]', 1, 2],
    ['[NaN]', 1, 2],
    ['[truefalse]', 1, 2],
    ['["a\nb"]', 1, 2],
    ['["\\x"]', 1, 2],
    ['["a]', 1, 2],
    ['{\n  "a": 1, // no comments\n}', 2, 11],
  ]
  it.each(CASES)('%j', (text, line, column) => {
    expect(parseJson(text)).toEqual({ ok: false, line, column })
  })

  it('is nowhere in valid JSON, and at most where a text was cut', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, n) => {
        const text = JSON.stringify(value)
        expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) })
        const cut = text.slice(0, n % text.length)
        const parsed = parseJson(`${cut}#`)
        if (parsed.ok) throw new Error(cut)
        const before =
          `${cut}#`
            .split('\n')
            .slice(0, parsed.line - 1)
            .join('\n').length + (parsed.line > 1 ? 1 : 0)
        expect(before + parsed.column - 1).toBeLessThanOrEqual(cut.length)
      }),
    )
  })
})

describe('suggestions', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['prot', 'port', 1],
    ['abcd', 'acbd', 1],
  ])('from %j to %j', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
    expect(editDistance(b, a)).toBe(distance)
  })

  it('are near or none', () => {
    const known = ['port', 'host', 'cpuMs', 'memoryBytes']
    expect(nearest('memory_byte', known)).toBe('memoryBytes')
    expect(nearest('MEMORYBYTES', known)).toBe('memoryBytes')
    expect(nearest('memory', known)).toBeUndefined()
    expect(nearest('x', known)).toBeUndefined()
    expect(nearest('p'.repeat(1_000_000), known)).toBeUndefined()
  })
})
