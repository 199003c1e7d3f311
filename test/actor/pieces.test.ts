import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BufferBudget } from '../../src/actor/bytes.ts'
import { BodyPieces, SMALL_PIECE_MS, SMALL_PIECES_MAX, UNANSWERED_PIECE_MS } from '../../src/actor/pieces.ts'
import { ParserScratch } from '../../src/actor/scratch.ts'
import { Session } from '../../src/actor/session.ts'
import { HTTP_ERRORS } from '../../src/http/errors.ts'
import { ScalarParser } from '../../src/http/parser.ts'
import { CHUNKED_LIMITS, FakeSink, HEAD_LIMITS, SESSION_LIMITS } from '../support/fake-sink.ts'

const LARGE = 16_384

function begin() {
  const sink = new FakeSink()
  const pieces = new BodyPieces(sink)
  const got: { text: string; atMs: number; isLate: boolean; isLast: boolean }[] = []
  const note = (bytes: Uint8Array, from: number, to: number, isLate: boolean, isLast: boolean) => {
    got.push({ text: Buffer.from(bytes.subarray(from, to)).toString(), atMs: sink.nowMs, isLate, isLast })
    bytes.fill(0x21, from, to)
  }
  const reader = {
    wantsBody: true,
    isAnswering: true,
    piece: (bytes: Uint8Array, from: number, to: number, isLast: boolean) =>
      note(bytes, from, to, false, isLast),
    latePiece: (bytes: Uint8Array, from: number, to: number) => note(bytes, from, to, true, false),
  }
  sink.nowMs = 1000
  return {
    sink,
    pieces,
    got,
    reader,
    texts: () => got.map(({ text }) => text),
    take: (text: string, isLast = false) =>
      pieces.take(reader, Buffer.from(`..${text}`), 2, 2 + text.length, isLast),
    /** Time goes on; what is due happens when it is. */
    wait: (ms: number) => {
      const untilMs = sink.nowMs + ms
      while (sink.timers.nextMs <= untilMs) {
        sink.nowMs = sink.timers.nextMs
        sink.timers.fire(sink.nowMs)
      }
      sink.nowMs = untilMs
    },
  }
}

/** The small pieces that go at once have gone. */
function spent() {
  const all = begin()
  for (let i = 0; i < SMALL_PIECES_MAX; i++) all.take('x')
  expect(all.got.splice(0)).toHaveLength(SMALL_PIECES_MAX)
  return all
}

describe('small pieces of a streamed body', () => {
  test('go at once as long as there are few of them, and without a timer', () => {
    const { take, got, sink } = begin()
    for (let i = 0; i < SMALL_PIECES_MAX; i++) {
      take(`piece ${i}`)
      expect(got.at(-1)).toEqual({ text: `piece ${i}`, atMs: 1000, isLate: false, isLast: false })
      expect(sink.timers.size).toBe(0)
    }
  })

  test('after that one goes in each time, with what has come meanwhile', () => {
    const { take, wait, got } = spent()
    for (const text of ['a', 'b', 'c']) take(text)
    expect(got).toEqual([])
    wait(SMALL_PIECE_MS - 1)
    take('d')
    expect(got).toEqual([])
    wait(1)
    expect(got).toEqual([{ text: 'abcd', atMs: 1000 + SMALL_PIECE_MS, isLate: true, isLast: false }])
    take('e')
    wait(SMALL_PIECE_MS)
    expect(got[1]).toMatchObject({ text: 'e', atMs: 1000 + 2 * SMALL_PIECE_MS })
    wait(SMALL_PIECE_MS * 3)
    for (const text of ['f', 'g', 'h', 'i']) take(text)
    // One for each time in which none came.
    expect(got.slice(2).map(({ text, isLate }) => [text, isLate])).toEqual([
      ['f', false],
      ['g', false],
      ['h', false],
    ])
  })

  test('wait for longer as long as there is no answer, and no longer when it has begun', () => {
    const { take, wait, texts, reader } = spent()
    reader.isAnswering = false
    take('a')
    wait(UNANSWERED_PIECE_MS - 1)
    expect(texts()).toEqual([])
    wait(1)
    expect(texts()).toEqual(['a'])
    take('b')
    reader.isAnswering = true
    wait(UNANSWERED_PIECE_MS)
    take('c')
    wait(SMALL_PIECE_MS)
    expect(texts()).toEqual(['a', 'b', 'c'])
    take('d')
    wait(SMALL_PIECE_MS - 1)
    expect(texts()).toEqual(['a', 'b', 'c'])
    wait(1)
    expect(texts()).toEqual(['a', 'b', 'c', 'd'])
  })

  test('wait no longer than for what is large, or the last', () => {
    const { take, wait, texts, got, sink } = spent()
    take('a')
    take('b'.repeat(LARGE - 1))
    expect(texts()).toEqual([`a${'b'.repeat(LARGE - 1)}`])
    expect(sink.timers.size).toBe(0)
    take('c')
    take('d', true)
    expect(got.slice(1)).toMatchObject([{ text: 'cd', isLast: true, isLate: false }])
    expect(sink.timers.size).toBe(0)
    wait(1000)
    expect(got).toHaveLength(2)
  })

  test('a large one costs none of the small ones their turn', () => {
    const { take, texts } = begin()
    for (let i = 0; i < 100; i++) take('x'.repeat(LARGE))
    for (let i = 0; i < SMALL_PIECES_MAX; i++) take('small')
    expect(texts()).toHaveLength(100 + SMALL_PIECES_MAX)
  })

  test('are dropped with what waits for them, and the next body begins anew', () => {
    const { take, wait, texts, pieces, sink } = spent()
    take('dropped')
    expect(sink.buffers.usedBytes).toBeGreaterThan(0)
    pieces.clear()
    expect([sink.timers.size, sink.buffers.usedBytes]).toEqual([0, 0])
    wait(1000)
    expect(texts()).toEqual([])
    pieces.begin()
    for (let i = 0; i < SMALL_PIECES_MAX; i++) take('y')
    expect(texts()).toHaveLength(SMALL_PIECES_MAX)
  })

  test('that find no room are refused', () => {
    const sink = new FakeSink()
    sink.nowMs = 1000
    sink.buffers = new BufferBudget(10)
    const pieces = new BodyPieces(sink)
    const reader = { wantsBody: true, isAnswering: false, piece: () => {}, latePiece: () => {} }
    const taken = Array.from({ length: SMALL_PIECES_MAX + 1 }, () =>
      pieces.take(reader, Buffer.alloc(4), 0, 4, false),
    )
    expect(taken).toEqual([...Array(SMALL_PIECES_MAX).fill(true), false])
  })

  test('come whole and in order, in time, and never in more pieces than the time allows', () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: 3000 }), ms: fc.nat(400) })
    const run = fc.property(fc.array(step, { maxLength: 200 }), fc.boolean(), (steps, isAnswering) => {
      const { take, wait, got, texts, sink, reader } = begin()
      reader.isAnswering = isAnswering
      const eachMs = isAnswering ? SMALL_PIECE_MS : UNANSWERED_PIECE_MS
      let sent = ''
      for (const { bytes, ms } of steps) {
        const text = String.fromCharCode(97 + (sent.length % 26)).repeat(bytes)
        take(text)
        sent += text
        expect(sink.timers.nextMs === Number.POSITIVE_INFINITY).toBe(texts().join('').length === sent.length)
        wait(ms)
        const small = got.filter(({ text }) => text.length < LARGE).length
        expect(small).toBeLessThanOrEqual(SMALL_PIECES_MAX + (sink.nowMs - 1000) / eachMs)
        if (ms >= eachMs) expect(texts().join('')).toBe(sent)
      }
      take('end', true)
      expect(texts().join('')).toBe(`${sent}end`)
      expect(sink.timers.size).toBe(0)
    })
    fc.assert(run, { numRuns: 100 })
  })
})

describe('in a session', () => {
  function stream(limits: Partial<typeof SESSION_LIMITS> = {}) {
    const sink = new FakeSink()
    sink.nowMs = 1000
    const scratch = new ParserScratch(new ScalarParser(HEAD_LIMITS), CHUNKED_LIMITS)
    const session = new Session(0, 1, { ...SESSION_LIMITS, inlineBodyBytes: 0, ...limits }, scratch, sink)
    const receive = (text: string) => {
      const bytes = Buffer.from(text, 'latin1')
      session.receive(bytes, 0, bytes.length)
    }
    const head = 'POST /up HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n'
    return { sink, session, receive, head }
  }
  /** So many pieces that the last of them waits. */
  const many = '1\r\nx\r\n'.repeat(SMALL_PIECES_MAX + 1)
  const receiveMany = (receive: (text: string) => void) => {
    for (let i = 0; i <= SMALL_PIECES_MAX; i++) receive('1\r\nx\r\n')
  }

  test('a handler runs at its head, and each piece goes to it as it comes', () => {
    const { sink, receive, head } = stream()
    receive(head)
    expect(sink.requests).toHaveLength(1)
    receive('5\r\nfirst\r\n')
    expect(sink.pieces).toEqual(['first'])
    receive('6\r\nsecond\r\n')
    expect(sink.pieces).toEqual(['first', 'second'])
    receive('0\r\n\r\n')
    expect(sink.pieces).toEqual(['first', 'second', ''])
    expect(sink.readers.size).toBe(0)
  })

  test('what comes in one record is one piece', () => {
    const { sink, receive, head } = stream()
    receive(head)
    receive(many)
    expect(sink.pieces).toEqual(['x'.repeat(SMALL_PIECES_MAX + 1)])
  })

  test.each([
    ['the body is not wanted any more', 'dropBody'],
    ['the request has its answer', 'answered'],
    ['the connection closes', 'close'],
  ] as const)('%s: nothing waits for a time', (_, how) => {
    const { sink, session, receive, head } = stream()
    receive(head)
    receiveMany(receive)
    expect(sink.timers.size).toBe(1)
    session[how]()
    expect([sink.timers.size, sink.buffers.usedBytes]).toEqual([0, 0])
    expect(sink.pieces).toHaveLength(SMALL_PIECES_MAX)
  })

  test('an error in the body comes instead of what waits', () => {
    const { sink, receive, head } = stream()
    receive(head)
    receiveMany(receive)
    receive('no chunk\r\n')
    expect(sink.errors).toEqual([HTTP_ERRORS.badChunkSize])
    expect([sink.timers.size, sink.buffers.usedBytes]).toEqual([0, 0])
  })

  test('after its time the session goes on with what came behind', () => {
    const { sink, session, receive, head } = stream()
    receive(head)
    receiveMany(receive)
    sink.pulls = false
    sink.timers.fire(Number.MAX_SAFE_INTEGER)
    expect(sink.pieces).toHaveLength(SMALL_PIECES_MAX + 1)
    receive('5\r\nlater\r\n0\r\n\r\n')
    expect(sink.pieces).toHaveLength(SMALL_PIECES_MAX + 1)
    for (const reader of sink.readers) reader.wantsBody = true
    session.resume()
    expect(sink.pieces.slice(-1)).toEqual(['later'])
    expect(session.isIdle).toBe(true)
  })
})
