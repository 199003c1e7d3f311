import { describe, expect, it } from 'vitest'
import { FIELD_ID, HEAD, HeadTable, METHOD, parseHead } from '../../src/http/head.ts'
import { bytesOf } from './support/bytes.ts'
import { outcome } from './support/codes.ts'
import { CASE_LIMITS } from './support/head-cases.ts'
import { headConformance } from './support/head-conformance.ts'
import { IMPLEMENTATIONS } from './support/simd.ts'

for (const [name, parse] of IMPLEMENTATIONS) headConformance(name, parse)

const WIDE = { headBytes: 65_536, targetBytes: 8192, fields: 64, leadingEmptyLines: 2 }

function parsed(text: string): HeadTable {
  const table = new HeadTable(WIDE.fields)
  const bytes = bytesOf(text)
  expect(parseHead(bytes, 0, bytes.length, 0, table, WIDE)).toBe(bytes.length)
  return table
}

const lower = (name: string) => name
const upper = (name: string) => name.toUpperCase()
const mixed = (name: string) =>
  name.replaceAll(/[a-z]/g, (c, i: number) => (i % 2 === 0 ? c.toUpperCase() : c))

describe('known names', () => {
  it.each([lower, upper, mixed])(
    'finds every known field without regard to case, RFC 9110 5.1 (%o)',
    (casing) => {
      const names = Object.keys(FIELD_ID).filter((name) => name !== 'other')
      const table = parsed(`GET / HTTP/1.1\r\n${names.map((name) => `${casing(name)}: x\r\n`).join('')}\r\n`)
      names.forEach((name, i) => {
        expect(table.fieldId(i)).toBe(FIELD_ID[name as keyof typeof FIELD_ID])
        expect(table.find(FIELD_ID[name as keyof typeof FIELD_ID])).toBe(i)
      })
    },
  )

  it('does not take a near name for a known one', () => {
    const names = Object.keys(FIELD_ID).flatMap((name) => [
      `${name}x`,
      `x${name}`,
      name.slice(1),
      name.slice(0, -1),
      `${name.slice(0, -1)}!`,
      name.replace('-', '_'),
      `${name[0]}^${name.slice(2)}`,
    ])
    const known = new Set(Object.keys(FIELD_ID))
    for (const name of names.filter((name) => name !== '' && (!known.has(name) || name === 'other'))) {
      const table = parsed(`GET / HTTP/1.1\r\n${name}: x\r\n\r\n`)
      expect([name, table.fieldId(0)]).toEqual([name, FIELD_ID.other])
    }
  })

  it('finds repeated fields one after the other', () => {
    const table = parsed('GET / HTTP/1.1\r\nrange: 1\r\nx: 2\r\nRange: 3\r\n\r\n')
    expect(table.find(FIELD_ID.range)).toBe(0)
    expect(table.find(FIELD_ID.range, 1)).toBe(2)
    expect(table.find(FIELD_ID.range, 3)).toBe(-1)
  })

  it('numbers methods by their exact name', () => {
    for (const [name, id] of Object.entries(METHOD)) {
      expect(parsed(`${name} / HTTP/1.1\r\n\r\n`).words[HEAD.methodId]).toBe(id)
      expect(parsed(`${name}X / HTTP/1.1\r\n\r\n`).words[HEAD.methodId]).toBe(METHOD.other)
    }
  })
})

describe('the head table', () => {
  it('lives in words the caller gives', () => {
    const words = new Int32Array(new SharedArrayBuffer(4 * HeadTable.wordsFor(4)))
    const table = new HeadTable(4, words)
    const bytes = bytesOf('GET / HTTP/1.1\r\na: b\r\n\r\n')
    expect(parseHead(bytes, 0, bytes.length, 0, table, CASE_LIMITS)).toBe(bytes.length)
    expect(table.words).toBe(words)
    expect(words[HEAD.fieldCount]).toBe(1)
  })

  it('throws when given too few words', () => {
    expect(() => new HeadTable(4, new Int32Array(HeadTable.wordsFor(4) - 1))).toThrow(RangeError)
  })

  it('never holds more fields than it has room for, whatever the limit says', () => {
    const table = new HeadTable(1)
    const bytes = bytesOf('GET / HTTP/1.1\r\na: b\r\nc: d\r\n\r\n')
    expect(outcome(parseHead(bytes, 0, bytes.length, 0, table, CASE_LIMITS))).toBe('too-many-fields')
  })
})
