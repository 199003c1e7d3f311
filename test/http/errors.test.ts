import { describe, expect, it } from 'vitest'
import { HTTP_ERRORS, httpError } from '../../src/http/errors.ts'
import { DateCache, errorResponse } from '../../src/http/response.ts'
import { textOf } from './support/bytes.ts'
import { CHUNKED_CASES } from './support/chunked-cases.ts'
import type { ErrorKey } from './support/codes.ts'
import { FRAMING_CASES } from './support/framing-cases.ts'
import { HEAD_CASES } from './support/head-cases.ts'

const KEYS = Object.keys(HTTP_ERRORS) as ErrorKey[]
const dateLine = new DateCache().refresh(784111777000)

/** Head and content of an answer. */
function split(answer: Uint8Array): { lines: string[]; content: string } {
  const text = textOf(answer)
  const end = text.indexOf('\r\n\r\n')
  return { lines: text.slice(0, end).split('\r\n'), content: text.slice(end + 4) }
}

describe('the table of errors', () => {
  it('has a stable name, a status and a section for every code', () => {
    for (const key of KEYS) {
      const { name, status, reason, rfc } = httpError(HTTP_ERRORS[key])
      expect(name).toMatch(/^[a-z]+(-[a-z0-9.]+)+$/)
      expect([400, 408, 413, 414, 417, 431, 500, 501, 503, 505]).toContain(status)
      expect(reason).toMatch(/^[A-Z][^\r\n]*[^.]$/)
      expect(rfc).toMatch(/^RFC (9110|9112|6585) \d+(\.\d+)*$/)
    }
    expect(new Set(KEYS.map((key) => httpError(HTTP_ERRORS[key]).name)).size).toBe(KEYS.length)
    expect(new Set(Object.values(HTTP_ERRORS)).size).toBe(KEYS.length)
    expect(Math.max(...Object.values(HTTP_ERRORS))).toBe(-1)
  })

  it('throws on any other number', () => {
    expect(() => httpError(0)).toThrow(RangeError)
    expect(() => httpError(-1000)).toThrow(RangeError)
  })

  it('has an entry in a corpus, with its section, for every refusal of a request', () => {
    const cases = [...HEAD_CASES, ...FRAMING_CASES, ...CHUNKED_CASES]
    const covered = new Set(
      cases.filter(({ comment }) => comment.includes('RFC')).map(({ expected }) => expected as ErrorKey),
    )
    // The clock's and the buffers' are made by the server, those of an answer's fields are in response.test.ts.
    const elsewhere = KEYS.filter((key) => /Timeout$|^badResponse|^buffersFull$/.test(key))
    expect(KEYS.filter((key) => !covered.has(key) && !elsewhere.includes(key))).toEqual([])
    expect(elsewhere).toHaveLength(6)
  })
})

describe('error answers', () => {
  it.each(KEYS)('%s is complete, closes, and says why in JSON', (key) => {
    const { name, status, reason } = httpError(HTTP_ERRORS[key])
    const { lines, content } = split(errorResponse(HTTP_ERRORS[key], dateLine))
    expect(lines[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [A-Z]`))
    expect(lines).toContain('content-type: application/json')
    expect(lines).toContain(`content-length: ${content.length}`)
    expect(lines).toContain('connection: close')
    expect(lines).toContain('date: Sun, 06 Nov 1994 08:49:37 GMT')
    expect(JSON.parse(content)).toEqual({ error: name, status, message: reason })
  })

  it('of a status keep the connection unless told otherwise', () => {
    const { lines, content } = split(errorResponse(404, dateLine))
    expect(lines[0]).toBe('HTTP/1.1 404 Not Found')
    expect(lines).not.toContain('connection: close')
    expect(JSON.parse(content)).toEqual({ error: 'not-found', status: 404, message: 'Not Found' })
    expect(split(errorResponse(404, dateLine, { close: true })).lines).toContain('connection: close')
  })

  it('leave the content out for HEAD, and keep its length, RFC 9110 9.3.2', () => {
    const full = split(errorResponse(500, dateLine))
    const { lines, content } = split(errorResponse(500, dateLine, { isHead: true }))
    expect([lines, content]).toEqual([full.lines, ''])
  })

  it('count the length of a message in bytes, and escape it', () => {
    const answer = errorResponse(503, dateLine, { message: 'é"\r\n', retryAfterS: 1.2 })
    const { lines, content } = split(answer)
    expect(lines).toContain('retry-after: 2')
    expect(lines).toContain(`content-length: ${content.length}`)
    expect(JSON.parse(Buffer.from(content, 'latin1').toString('utf8')).message).toBe('é"\r\n')
  })

  it.each([0, 200, 399, 499, 600])('throw on %d, which is no error', (status) => {
    expect(() => errorResponse(status, dateLine)).toThrow(RangeError)
  })
})
