// The sentences of RFC 9112 and RFC 9110 that bind a server's reading, each with messages that show how it is kept, through
// everything that reads: head, framing and body. What binds its writing is in response.test.ts.

import { describe, expect, it } from 'vitest'
import { headLimits } from '../../src/actor/plan.ts'
import { defaultConfig } from '../../src/config/defaults.ts'
import { ChunkedDecoder } from '../../src/http/chunked.ts'
import { Framing, readFraming } from '../../src/http/framing.ts'
import { HEAD, HeadTable } from '../../src/http/table.ts'
import { BODY_SENTENCES } from './support/body-sentences.ts'
import { bytesOf, textOf } from './support/bytes.ts'
import { nameOf, outcome } from './support/codes.ts'
import type { ParseHead } from './support/head-conformance.ts'
import { HEAD_SENTENCES } from './support/head-sentences.ts'
import type { Read } from './support/sentences.ts'
import { IMPLEMENTATIONS } from './support/simd.ts'

/** As configured without a word. */
const LIMITS = headLimits(defaultConfig())
const CHUNKED = {
  bodyBytes: 1024 * 1024,
  extensionBytes: 1024,
  overheadBytes: 16_384,
  trailerBytes: 8192,
  trailerFields: 100,
}

const SENTENCES = [...HEAD_SENTENCES, ...BODY_SENTENCES]

const table = new HeadTable(LIMITS.fields)
const framing = new Framing()

/** One message, or the error's name, or 0 when more is due. */
function read(input: string, parseHead: ParseHead): Read | string | number {
  const bytes = bytesOf(input)
  const headEnd = parseHead(bytes, 0, bytes.length, 0, table, LIMITS)
  if (headEnd <= 0) return outcome(headEnd)
  const error = readFraming(bytes, table, framing)
  if (error !== 0) return outcome(error)
  const body = readBody(bytes, headEnd)
  if (typeof body !== 'object') return body
  const { words } = table
  const range = (from: number, to: number) => textOf(bytes, words[from]!, words[to]!)
  const { contentLength, chunked, keepAlive, expectContinue, upgrade, hostStart, hostEnd } = framing
  return {
    method: range(HEAD.methodStart, HEAD.methodEnd),
    target: range(HEAD.targetStart, HEAD.targetEnd),
    host: textOf(bytes, hostStart, hostEnd),
    contentLength,
    chunked,
    keepAlive,
    expectContinue,
    upgrade,
    fields: Array.from({ length: table.fieldCount }, (_, i) => [
      textOf(bytes, table.nameStart(i), table.nameEnd(i)),
      textOf(bytes, table.valueStart(i), table.valueEnd(i)),
    ]),
    body: body.text,
    rest: textOf(bytes, body.end),
  }
}

function readBody(bytes: Uint8Array, from: number): { text: string; end: number } | string | number {
  if (!framing.chunked) {
    const end = from + Math.max(0, framing.contentLength)
    return end > bytes.length ? 0 : { text: textOf(bytes, from, end), end }
  }
  const decoder = new ChunkedDecoder(CHUNKED)
  const content = new Uint8Array(bytes.length)
  const consumed = decoder.decode(bytes, from, bytes.length, content, 0)
  if (consumed < 0) return outcome(consumed)
  return decoder.done ? { text: textOf(content, 0, decoder.written), end: from + consumed } : 0
}

describe.each(IMPLEMENTATIONS)('%s', (_, parseHead) => {
  it.each(SENTENCES)('$section: $says', ({ inputs, expected }) => {
    expect(inputs.length).toBeGreaterThan(0)
    for (const input of inputs) {
      const result = read(input, parseHead)
      if (typeof expected === 'string') expect(result, input).toBe(nameOf(expected))
      else expect(result, input).toMatchObject(expected)
    }
  })
})

describe('the sentences', () => {
  it('are of every section that binds a server’s reading', () => {
    const sections = new Set(SENTENCES.map(({ section }) => section))
    const of9112 = '2.1 2.2 2.3 3 3.1 3.2 3.2.1 3.2.2 3.2.3 3.2.4 5 5.1 5.2 6 6.1 6.3 7.1 7.1.1 7.1.2 7.2 9.3'
    const of9110 =
      '2.5 4.2.1 4.2.4 5.1 5.4 5.5 5.6.1 5.6.2 5.6.4 6.5.1 7.2 7.8 8.6 9.3.6 10.1.1 15.5.14 15.6.6'
    const wanted = [
      ...of9112.split(' ').map((section) => `RFC 9112 ${section}`),
      ...of9110.split(' ').map((section) => `RFC 9110 ${section}`),
    ]
    expect([...sections].sort()).toEqual(wanted.sort())
  })
})
