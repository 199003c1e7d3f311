import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  beginHead,
  bodyAllowed,
  CONNECTION,
  copyFields,
  DateCache,
  endHead,
  HEAD_OVERHEAD_BYTES,
  lengthAllowed,
  NO_LENGTH,
  ResponseFields,
  reasonPhrase,
  statusLine,
  writeAscii,
  writeHead,
  writeInteger,
} from '../../src/http/response.ts'
import { betweenCanaries, bytesOf, CANARIES, textOf } from './support/bytes.ts'
import { outcome } from './support/codes.ts'

const dateLine = new DateCache().refresh(784111777000)
const DATE = 'date: Sun, 06 Nov 1994 08:49:37 GMT\r\n'

describe('status line, RFC 9112 4', () => {
  it('has the registered reason, or none after a space', () => {
    expect(textOf(statusLine(200))).toBe('HTTP/1.1 200 OK\r\n')
    expect(textOf(statusLine(404))).toBe('HTTP/1.1 404 Not Found\r\n')
    expect(textOf(statusLine(299))).toBe('HTTP/1.1 299 \r\n')
  })

  it('is made once per status', () => {
    expect(statusLine(201)).toBe(statusLine(201))
  })

  it.each([99, 600, 200.5, Number.NaN, -1])('throws on %d', (status) => {
    expect(() => statusLine(status)).toThrow(RangeError)
  })
})

describe('content rules', () => {
  it('1xx, 204, 205, 304 and HEAD carry no content, RFC 9110 6.4.1 and 15.3.6', () => {
    const without = [100, 101, 103, 199, 204, 205, 304]
    for (let status = 100; status < 600; status++) {
      expect([status, bodyAllowed(status, false)]).toEqual([
        status,
        !without.includes(status) && status >= 200,
      ])
      expect(bodyAllowed(status, true)).toBe(false)
    }
  })

  it('1xx and 204 carry no Content-Length, RFC 9110 8.6', () => {
    expect([100, 199, 204].map(lengthAllowed)).toEqual([false, false, false])
    expect([200, 205, 304, 404].map(lengthAllowed)).toEqual([true, true, true, true])
  })
})

describe('head', () => {
  const room = () => new Uint8Array(HEAD_OVERHEAD_BYTES)

  it('is written in order, with what was asked for', () => {
    const bytes = room()
    expect(textOf(bytes, 0, writeHead(bytes, 0, 200, 12, CONNECTION.implicit, dateLine))).toBe(
      `HTTP/1.1 200 OK\r\n${DATE}content-length: 12\r\n\r\n`,
    )
    expect(textOf(bytes, 0, writeHead(bytes, 0, 204, NO_LENGTH, CONNECTION.close, dateLine))).toBe(
      `HTTP/1.1 204 No Content\r\n${DATE}connection: close\r\n\r\n`,
    )
    expect(textOf(bytes, 0, endHead(bytes, 0, 0, CONNECTION.keepAlive, null))).toBe(
      'content-length: 0\r\nconnection: keep-alive\r\n\r\n',
    )
  })

  it('takes fields between beginning and end, at any offset', () => {
    const bytes = new Uint8Array(HEAD_OVERHEAD_BYTES + 64)
    let at = beginHead(bytes, 10, 200)
    at = writeAscii(bytes, at, 'x: y\r\n')
    at = endHead(bytes, at, 1, CONNECTION.implicit, dateLine)
    expect(textOf(bytes, 10, at)).toBe(`HTTP/1.1 200 OK\r\nx: y\r\n${DATE}content-length: 1\r\n\r\n`)
  })

  it('never needs more than HEAD_OVERHEAD_BYTES', () => {
    for (let status = 100; status < 600; status++) {
      const bytes = room()
      const at = writeHead(bytes, 0, status, Number.MAX_SAFE_INTEGER, CONNECTION.keepAlive, dateLine)
      expect(at).toBeLessThanOrEqual(HEAD_OVERHEAD_BYTES)
      expect(textOf(bytes, 0, at)).toContain(` ${reasonPhrase(status)}\r\n`)
    }
  })

  it('throws when there is no room', () => {
    expect(() => beginHead(room(), 1, 200)).toThrow(RangeError)
    expect(() => endHead(new Uint8Array(20), 0, 5, CONNECTION.close, null)).toThrow(RangeError)
  })

  it('writes integers as decimal digits', () => {
    const bytes = new Uint8Array(20)
    const edges = [0, 9, 10, 99, 100, 2 ** 31, 2 ** 32, 10 ** 15, Number.MAX_SAFE_INTEGER]
    for (const value of edges) expect(textOf(bytes, 2, writeInteger(bytes, 2, value))).toBe(String(value))
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(textOf(bytes, 0, writeInteger(bytes, 0, value))).toBe(String(value))
      }),
    )
  })
})

describe('date, RFC 9110 5.6.7', () => {
  it('is IMF-fixdate', () => {
    expect(textOf(dateLine)).toBe(DATE)
  })

  it('is made once per second of the clock passed in, forwards and backwards', () => {
    const cache = new DateCache()
    const first = cache.refresh(1_000_000_000_000)
    expect(cache.refresh(1_000_000_000_999)).toBe(first)
    expect(cache.line).toBe(first)
    expect(textOf(cache.refresh(1_000_000_001_000))).toBe('date: Sun, 09 Sep 2001 01:46:41 GMT\r\n')
    expect(textOf(cache.refresh(999_999_999_999))).toBe('date: Sun, 09 Sep 2001 01:46:39 GMT\r\n')
  })
})

/** The bytes of a text in UTF-8, as a text of one character a byte. */
function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

describe('a guest’s fields', () => {
  const seen = new ResponseFields()
  const copy = (block: string) => {
    const src = bytesOf(block)
    const dst = new Uint8Array(src.length + 4)
    const result = copyFields(src, 0, src.length, dst, 4, seen)
    return { result: outcome(result), text: result < 0 ? null : textOf(dst, 4, result) }
  }

  it('are copied as they are', () => {
    const block = 'a: b\r\nset-cookie: x=y\r\nset-cookie: z\r\nempty:\r\ntab: a\tb \r\n'
    expect(copy(block)).toEqual({ result: 4 + block.length, text: block })
    expect(copy('')).toEqual({ result: 4, text: '' })
    expect(seen).toEqual(new ResponseFields())
  })

  it('have every character of latin1 as its one byte, RFC 9110 5.5', () => {
    const latin = Array.from({ length: 128 }, (_, i) => String.fromCharCode(0x80 + i)).join('')
    const block = utf8(`a: ${latin}b\r\nc: ${latin}\r\n`)
    expect(copy(block).text).toBe(`a: ${latin}b\r\nc: ${latin}\r\n`)
  })

  it.each([
    utf8('\u0100'),
    utf8('\u07ff'),
    utf8('\u010d\u010a'),
    utf8('\u560d\u560a'),
    utf8('\u{1f600}'),
    '\xe9',
    '\x80',
    '\xff',
    '\xc3',
    '\xc2\xc2\x80',
    '\xc3a',
    '\xc0\x8d\xc0\x8a',
    '\xc1\x8a',
    '\xe0\x80\x8a',
  ])('with a character beyond latin1, or no character at all, are refused, RFC 9110 5.5: %j', (value) => {
    expect(copy(`a: ${value}\r\n`).result).toBe('bad-response-field-value')
    expect(copy(`a: b\r\nc: x${value}y\r\nd: e\r\n`).result).toBe('bad-response-field-value')
  })

  it.each([
    'content-length: 5',
    'Transfer-Encoding: chunked',
    'CONNECTION: upgrade',
    'keep-alive: timeout=5',
    'proxy-connection: close',
    'upgrade: h2c',
    'te: trailers',
    'trailer: x',
  ])('are dropped where only the server may speak, RFC 9110 7.6.1: %s', (line) => {
    expect(copy(`a: b\r\n${line}\r\nc: d\r\n`).text).toBe('a: b\r\nc: d\r\n')
  })

  it('are noted where the server would add its own', () => {
    copy(
      'Date: x\r\nContent-Type: text/plain\r\nserver: me\r\nContent-Length: 42 \r\nConnection: x, Close\r\n',
    )
    expect({ ...seen }).toEqual({
      hasDate: true,
      hasContentType: true,
      hasServer: true,
      close: true,
      contentLength: 42,
    })
    expect(copy('date: x\r\ncontent-type: y\r\nserver: z\r\n').text).toBe(
      'date: x\r\ncontent-type: y\r\nserver: z\r\n',
    )
    copy('connection: keep-alive\r\n')
    expect(seen).toEqual(new ResponseFields())
  })

  it.each([
    'a b: c\r\n',
    ': x\r\n',
    'a : b\r\n',
    ' a: b\r\n',
    'a\r\n',
    'a',
    'x: y\r\n\r\n',
    'a\0: b\r\n',
    'a\xe9: b\r\n',
    '\r\n',
  ])('with a name that is no token are refused, RFC 9110 5.1: %j', (block) => {
    expect(copy(block).result).toBe('bad-response-field-name')
  })

  it.each([
    'a: b',
    'a: b\r',
    'a: b\n',
    'a: b\rc\r\n',
    'a: b\nc: d\r\n',
    'a: \0\r\n',
    'a: \x7f\r\n',
    'a: \x1b[0m\r\n',
    'a: b\r\r\n',
  ])('with CR, LF, NUL or another control character in a value are refused, RFC 9110 5.5: %j', (block) => {
    expect(copy(block).result).toBe('bad-response-field-value')
  })

  it.each([
    'content-length: x\r\n',
    'content-length:\r\n',
    'content-length: 5\r\ncontent-length: 5\r\n',
    'content-length: -1\r\n',
  ])('with a length that is none are refused, RFC 9110 8.6: %j', (block) => {
    expect(copy(block).result).toBe('bad-response-content-length')
  })

  it('are refused the same at whatever stands around the block', () => {
    for (const block of ['a', 'a:', 'a: b', 'a: b\r', 'a: b\r\nc']) {
      for (const canary of CANARIES) {
        const { bytes, start, end } = betweenCanaries(block, canary)
        expect(outcome(copyFields(bytes, start, end, new Uint8Array(64), 0, seen))).toBe(copy(block).result)
      }
    }
  })

  it('throw for want of room before a byte is written', () => {
    const dst = new Uint8Array(5)
    expect(() => copyFields(bytesOf('a: b\r\n'), 0, 6, dst, 0, seen)).toThrow(RangeError)
    expect(dst).toEqual(new Uint8Array(5))
  })

  it('whatever they are, come out as whole lines without a control character', () => {
    const piece = fc.constantFrom(
      'a',
      'connection',
      'content-length',
      'date',
      ':',
      ' ',
      '5',
      '\r\n',
      '\r',
      '\n',
      '\0',
      '\xff',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const { text } = copy(pieces.join(''))
        if (text !== null)
          expect(text).toMatch(/^((?!connection:|content-length:)[\w-]+:[^\0-\x08\n-\x1f\x7f]*\r\n)*$/)
      }),
      { numRuns: 500 },
    )
  })
})
