import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkedDecoder } from '../../src/http/chunked.ts'
import { betweenCanaries, bytesOf, CANARIES, textOf } from './support/bytes.ts'
import { CHUNKED_CASES, CHUNKED_LIMITS, type ChunkedCase } from './support/chunked-cases.ts'
import { nameOf, outcome } from './support/codes.ts'

interface Decoded {
  result: string | number
  body: string
  done: boolean
}

/** Feeds the input in the pieces given by their ends; the result is the error's name or all bytes consumed. */
function decodePieces(decoder: ChunkedDecoder, input: Uint8Array, start: number, ends: number[]): Decoded {
  decoder.reset()
  const dst = new Uint8Array(input.length + 4).fill(0xaa)
  let at = start
  let written = 0
  for (const end of ends) {
    const result = decoder.decode(input, at, end, dst, written)
    written += decoder.written
    if (result < 0) return { result: outcome(result), body: textOf(dst, 0, written), done: decoder.done }
    at += result
    if (decoder.done) break
    expect(at).toBe(end)
  }
  expect(dst.subarray(written).every((byte) => byte === 0xaa)).toBe(true)
  return { result: at - start, body: textOf(dst, 0, written), done: decoder.done }
}

function check({ input, expected }: ChunkedCase, decoded: Decoded): void {
  if (expected === null) {
    expect(decoded).toMatchObject({ result: input.length, done: false })
  } else if (typeof expected === 'string') {
    expect(decoded).toMatchObject({ result: nameOf(expected), done: false })
  } else {
    const result = input.length - (expected.rest ?? '').length
    expect(decoded).toEqual({ result, body: expected.body, done: true })
  }
}

describe(`chunked decoder: ${CHUNKED_CASES.length} bodies`, () => {
  const decoder = new ChunkedDecoder(CHUNKED_LIMITS)

  it.each(CHUNKED_CASES)('$comment: $input', (entry) => {
    for (const canary of CANARIES) {
      const { bytes, start, end } = betweenCanaries(entry.input, canary)
      const before = bytes.slice()
      check(entry, decodePieces(decoder, bytes, start, [end]))
      expect(bytes).toEqual(before)
    }
  })

  it.each(CHUNKED_CASES)('cut in two at every byte, and byte by byte: $input', (entry) => {
    const { bytes, start, end } = betweenCanaries(entry.input, '0\r\n\r\n')
    for (let cut = start; cut <= end; cut++) check(entry, decodePieces(decoder, bytes, start, [cut, end]))
    const every = Array.from({ length: end - start }, (_, i) => start + i + 1)
    check(entry, decodePieces(decoder, bytes, start, every))
  })

  it.each(CHUNKED_CASES)('every truncation is partial or the same error: $input', (entry) => {
    const { bytes, start, end } = betweenCanaries(entry.input, '\r\n')
    for (let cut = start; cut < end; cut++) {
      const { result, done } = decodePieces(decoder, bytes, start, [cut])
      if (typeof entry.expected === 'string') expect([cut - start, nameOf(entry.expected)]).toContain(result)
      else if (!done) expect(result).toBe(cut - start)
      else expect(result).toBe(entry.input.length - (entry.expected?.rest ?? '').length)
    }
  })

  it.each(CHUNKED_CASES)('in place: $input', (entry) => {
    for (const offset of [0, 3]) {
      const { bytes, start, end } = betweenCanaries(entry.input, 'A')
      decoder.reset()
      const consumed = decoder.decode(bytes, start, end, bytes, start - offset)
      const body = textOf(bytes, start - offset, start - offset + decoder.written)
      check(entry, { result: outcome(consumed), body, done: decoder.done })
      expect(textOf(bytes, end)).toBe('A'.repeat(64))
      expect(textOf(bytes, 0, start - offset)).toBe('A'.repeat(64 - offset))
    }
  })
})

describe('chunked decoder', () => {
  it('stops when the destination is full, says how much it needs, and goes on', () => {
    const decoder = new ChunkedDecoder(CHUNKED_LIMITS)
    const input = bytesOf('8\r\nabcdefgh\r\n0\r\n\r\n')
    const dst = new Uint8Array(3)
    let at = decoder.decode(input, 0, input.length, dst, 0)
    expect([at, decoder.written, decoder.needed]).toEqual([6, 3, 5])
    expect(decoder.decode(input, at, input.length, dst, 3)).toBe(0)
    expect([decoder.written, decoder.needed, decoder.done]).toEqual([0, 5, false])
    const more = new Uint8Array(8)
    at += decoder.decode(input, at, input.length, more, 3)
    expect([at, decoder.written, decoder.needed, decoder.done]).toEqual([input.length, 5, 0, true])
    expect(textOf(more)).toBe('\0\0\0defgh')
    expect(decoder.bodyBytes).toBe(8)
  })

  it('reads framing though the destination is full', () => {
    const decoder = new ChunkedDecoder(CHUNKED_LIMITS)
    const input = bytesOf('1\r\nx\r\n0\r\n\r\n')
    const dst = new Uint8Array(1)
    expect(decoder.decode(input, 0, input.length, dst, 0)).toBe(input.length)
    expect(decoder.done).toBe(true)
  })

  it('consumes nothing once done, and keeps an error until reset', () => {
    const decoder = new ChunkedDecoder(CHUNKED_LIMITS)
    const good = bytesOf('0\r\n\r\n')
    const dst = new Uint8Array(8)
    expect(decoder.decode(good, 0, good.length, dst, 0)).toBe(5)
    expect(decoder.decode(good, 0, good.length, dst, 0)).toBe(0)
    decoder.reset()
    expect(outcome(decoder.decode(bytesOf('z'), 0, 1, dst, 0))).toBe('bad-chunk-size')
    expect(outcome(decoder.decode(good, 0, good.length, dst, 0))).toBe('bad-chunk-size')
    decoder.reset()
    expect(decoder.decode(good, 0, good.length, dst, 0)).toBe(5)
  })

  it('copies what came before an error, and not after', () => {
    const decoder = new ChunkedDecoder(CHUNKED_LIMITS)
    const input = bytesOf('2\r\nab\r\nz')
    const dst = new Uint8Array(4)
    expect(outcome(decoder.decode(input, 0, input.length, dst, 0))).toBe('bad-chunk-size')
    expect([decoder.written, textOf(dst)]).toEqual([2, 'ab\0\0'])
  })

  it('does not refuse a long body of small but honest chunks', () => {
    const decoder = new ChunkedDecoder({ ...CHUNKED_LIMITS, bodyBytes: 100_000 })
    const input = bytesOf(`${'8\r\n01234567\r\n'.repeat(5000)}0\r\n\r\n`)
    const dst = new Uint8Array(40_000)
    expect(decoder.decode(input, 0, input.length, dst, 0)).toBe(input.length)
    expect([decoder.written, decoder.done]).toEqual([40_000, true])
  })

  it('gives back any body, however chunked and cut, through any size of destination', () => {
    const limits = {
      bodyBytes: 4096,
      extensionBytes: 4096,
      overheadBytes: 4096,
      trailerBytes: 64,
      trailerFields: 4,
    }
    const decoder = new ChunkedDecoder(limits)
    const chunk = fc.record({
      data: fc.uint8Array({ minLength: 1, maxLength: 600 }),
      extension: fc.constantFrom('', '', ';a', ';a=b', ' ; a = "\\" ;"'),
    })
    const input = fc.record({
      chunks: fc.array(chunk, { maxLength: 6 }),
      trailers: fc.constantFrom('', 'x: y\r\n'),
      pieceBytes: fc.integer({ min: 1, max: 300 }),
      roomBytes: fc.integer({ min: 1, max: 300 }),
      inPlace: fc.boolean(),
    })
    fc.assert(
      fc.property(input, ({ chunks, trailers, pieceBytes, roomBytes, inPlace }) => {
        const bytes = Uint8Array.from([
          ...chunks.flatMap(({ data, extension }) => [
            ...bytesOf(`${data.length.toString(16)}${extension}\r\n`),
            ...data,
            ...bytesOf('\r\n'),
          ]),
          ...bytesOf(`0\r\n${trailers}\r\n`),
        ])
        decoder.reset()
        const body: number[] = []
        const room = new Uint8Array(roomBytes)
        let at = 0
        let written = 0
        while (!decoder.done) {
          const end = Math.min(bytes.length, at + pieceBytes)
          const result = inPlace
            ? decoder.decode(bytes, at, end, bytes, written)
            : decoder.decode(bytes, at, end, room, 0)
          expect(result).toBeGreaterThan(0)
          if (!inPlace) body.push(...room.subarray(0, decoder.written))
          written += decoder.written
          at += result
        }
        expect(at).toBe(bytes.length)
        expect(inPlace ? [...bytes.subarray(0, written)] : body).toEqual(
          chunks.flatMap(({ data }) => [...data]),
        )
      }),
    )
  })

  it('ends in a result on random bytes, the same for the whole and for pieces', () => {
    const alphabet = fc.constantFrom(...bytesOf('0123afz;="\\ \t\r\n:\0\xff'))
    const decoder = new ChunkedDecoder(CHUNKED_LIMITS)
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 80 }), fc.integer({ min: 1, max: 9 }), (list, piece) => {
        const bytes = Uint8Array.from(list)
        const ends = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) =>
          Math.min(bytes.length, (i + 1) * piece),
        )
        expect(decodePieces(decoder, bytes, 0, ends)).toEqual(decodePieces(decoder, bytes, 0, [bytes.length]))
      }),
      { numRuns: 500 },
    )
  })
})
