import { describe, expect, it } from 'vitest'
import { type HeadLimits, HeadTable, parseHead } from '../../src/http/head.ts'
import { bytesOf } from './support/bytes.ts'
import { outcome } from './support/codes.ts'

const LIMITS: HeadLimits = { headBytes: 65_536, targetBytes: 32_768, fields: 4096, leadingEmptyLines: 8 }

/** A view that counts the bytes read through it. */
function counting(bytes: Uint8Array): { view: Uint8Array; reads: () => number } {
  let reads = 0
  const view = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++
      return Reflect.get(target, key, target)
    },
  })
  return { view, reads: () => reads }
}

/** Feeds `text` in pieces of `pieceBytes`; returns the outcome, the bytes read, and how many had arrived. */
function feed(text: string, pieceBytes: number, limits = LIMITS) {
  const { view, reads } = counting(bytesOf(text))
  const table = new HeadTable(limits.fields)
  let result = 0
  let end = 0
  while (result === 0 && end < text.length) {
    const scanned = end
    end = Math.min(text.length, end + pieceBytes)
    result = parseHead(view, 0, end, scanned, table, limits)
  }
  return { result: outcome(result), reads: reads(), arrived: end }
}

const SHAPES: Record<string, (size: number) => string> = {
  'one long value': (size) => `GET / HTTP/1.1\r\na: ${'x'.repeat(size)}\r\n\r\n`,
  'one long name': (size) => `GET / HTTP/1.1\r\n${'x'.repeat(size)}: a\r\n\r\n`,
  'one long target': (size) => `GET /${'x'.repeat(size)} HTTP/1.1\r\n\r\n`,
  'many fields': (size) => `GET / HTTP/1.1\r\n${'a:b\r\n'.repeat(size / 5)}\r\n`,
  'a value of spaces': (size) => `GET / HTTP/1.1\r\na:${' '.repeat(size)}\r\n\r\n`,
  'empty lines first': (size) => `${'\r\n'.repeat(8)}GET / HTTP/1.1\r\na: ${'x'.repeat(size)}\r\n\r\n`,
  'an almost ended head': (size) => `GET / HTTP/1.1\r\n${'a:\r\n'.repeat(size / 4)}\r\n`,
}

describe('a head fed in pieces costs linear work', () => {
  describe.each(Object.keys(SHAPES))('%s', (shape) => {
    it.each([1, 2, 7, 1000])('in pieces of %i bytes', (pieceBytes) => {
      const text = SHAPES[shape]!(16_000)
      const { result, reads } = feed(text, pieceBytes)
      expect(result).toBe(text.length)
      // One look for the end (up to three reads a byte), the parses at each doubling (together twice a parse of
      // the whole), and the last parse: names, values and trimming read a byte up to five times.
      expect(reads).toBeLessThan(20 * text.length)
    })
  })

  it('around the limit of the target too', () => {
    const text = SHAPES['many fields']!(16_000)
    const { result, reads } = feed(text, 1, { ...LIMITS, targetBytes: 8000 })
    expect(result).toBe(text.length)
    expect(reads).toBeLessThan(20 * text.length)
  })

  it('reads no more than a few times each byte of a head that comes whole', () => {
    for (const shape of Object.values(SHAPES)) {
      const text = shape(16_000)
      expect(feed(text, text.length).reads).toBeLessThan(5 * text.length)
    }
  })
})

describe('limits are reported as soon as they are passed', () => {
  it.each([1, 2, 3, 5])('a target too long, pieces of %i', (pieceBytes) => {
    for (const before of ['', '\r\n', '\r\n\r\n']) {
      for (const method of ['GET', 'M'.repeat(32)]) {
        const limits = { ...LIMITS, targetBytes: 100 }
        const text = `${before}${method} /${'x'.repeat(400)}`
        const known = before.length + method.length + 1 + 101
        const { result, arrived } = feed(text, pieceBytes, limits)
        expect(result).toBe('target-too-long')
        expect(arrived).toBeLessThan(known + pieceBytes)
      }
    }
  })

  it.each([1, 2, 3, 5])('a head too large, pieces of %i', (pieceBytes) => {
    const limits = { ...LIMITS, headBytes: 100 }
    const { result, arrived } = feed(`GET / HTTP/1.1\r\na: ${'x'.repeat(400)}`, pieceBytes, limits)
    expect(result).toBe('head-too-large')
    expect(arrived).toBeLessThan(100 + pieceBytes)
  })

  it.each(['GET / HTTP/1.1\r\na: xxxxxxxxxxxxxxxxxxxxxx\n', '\r\n\r\nGET /xxxxxxxxxxxxx HTTP/1.1\n'])(
    'a bare LF with the byte itself: %j',
    (text) => {
      expect(feed(`${text}a: b\r\n\r\n`, 1)).toMatchObject({ result: 'bare-lf', arrived: text.length })
    },
  )

  it('garbage is refused long before it fills the head', () => {
    const { result, arrived } = feed(`GET / HTTP/1.1\r\n\0${'x'.repeat(4000)}`, 1)
    expect(result).toBe('bad-field-name')
    expect(arrived).toBeLessThanOrEqual(2 * 'GET / HTTP/1.1\r\n\0'.length)
  })
})
