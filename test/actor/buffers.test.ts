import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BufferBudget, ByteStore } from '../../src/actor/bytes.ts'
import { ParserScratch } from '../../src/actor/scratch.ts'
import { AT, Session } from '../../src/actor/session.ts'
import { WaitingRoom } from '../../src/actor/waiting.ts'
import { HTTP_ERRORS } from '../../src/http/errors.ts'
import { ScalarParser } from '../../src/http/parser.ts'
import { CHUNKED_LIMITS, FakeSink, HEAD_LIMITS, SESSION_LIMITS } from '../support/fake-sink.ts'

const KIB = 1024
const scratch = new ParserScratch(new ScalarParser(HEAD_LIMITS), CHUNKED_LIMITS)

function world(budgetBytes: number) {
  const sink = new FakeSink()
  sink.buffers = new BufferBudget(budgetBytes)
  const connect = () => {
    const session = new Session(0, 1, SESSION_LIMITS, scratch, sink)
    let received = 0
    const receive = (text: string) => {
      const bytes = new Uint8Array(Buffer.from(text, 'latin1'))
      received += bytes.length
      session.receive(bytes, 0, bytes.length)
    }
    return { session, receive, received: () => received }
  }
  return { sink, connect, buffers: sink.buffers }
}

const head = (length: number) => `POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`

describe('the budget', () => {
  test('what does not fit is refused and changes nothing', () => {
    const budget = new BufferBudget(8 * KIB)
    const store = new ByteStore(budget)
    expect(store.append(new Uint8Array(5000), 0, 5000)).toBe(true)
    expect([store.length, budget.usedBytes]).toEqual([5000, 8 * KIB])
    expect(store.append(new Uint8Array(4000), 0, 4000)).toBe(false)
    expect([store.length, budget.usedBytes]).toEqual([5000, 8 * KIB])
    store.clear()
    expect([budget.usedBytes, budget.peakBytes]).toEqual([0, 8 * KIB])
  })

  test('the last quarter is for small buffers', () => {
    const budget = new BufferBudget(400 * KIB)
    expect(budget.tryTake(300 * KIB, 300 * KIB)).toBe(true)
    expect(budget.tryTake(33 * KIB, 33 * KIB)).toBe(false)
    expect(budget.tryTake(16 * KIB, 64 * KIB)).toBe(false)
    expect(budget.tryTake(32 * KIB, 32 * KIB)).toBe(true)
    budget.give(300 * KIB)
    expect(budget.tryTake(64 * KIB, 64 * KIB)).toBe(true)
    expect(budget.peakBytes).toBe(332 * KIB)
  })
})

describe('a session that the buffers have no room for', () => {
  test.each([
    ['in the middle of a head', 'GET /some/path HTTP/1.1\r\nhost: '],
    ['in the middle of a body', `${head(2000)}${'b'.repeat(800)}`],
    ['in the middle of chunks', 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n500\r\nabc'],
  ])('%s is refused and closed, and every byte is given back', (_, text) => {
    const { sink, connect, buffers } = world(4 * KIB)
    expect(buffers.tryTake(4 * KIB, 1)).toBe(true)
    const { session, receive, received } = connect()
    receive(text)
    expect(sink.errors).toEqual([HTTP_ERRORS.buffersFull])
    expect(session.at).toBe(AT.CLOSED)
    expect(session.unreported).toBe(received())
    expect(buffers.usedBytes).toBe(4 * KIB)
  })

  test('with requests behind one that is being answered it is refused too', () => {
    const { sink, connect, buffers } = world(KIB)
    sink.mode = 'hold'
    const { session, receive, received } = connect()
    receive('GET /held HTTP/1.1\r\nhost: x\r\n\r\n')
    receive('GET /next HTTP/1.1\r\nhost: x\r\n\r\n')
    expect([session.at, buffers.usedBytes]).toEqual([AT.BUSY, KIB])
    receive('x'.repeat(KIB))
    expect(sink.errors).toEqual([HTTP_ERRORS.buffersFull])
    expect([session.at, session.unreported, buffers.usedBytes]).toEqual([AT.CLOSED, received(), 0])
  })

  test('those that keep whole bodies take nobody’s head its room, nor a request’s that comes whole', () => {
    const { sink, connect } = world(256 * KIB)
    const limits = { ...SESSION_LIMITS, bodyBytes: 1 << 20, inlineBodyBytes: 1 << 20 }
    const greedy = Array.from({ length: 20 }, () => {
      const session = new Session(0, 1, limits, scratch, sink)
      const bytes = new Uint8Array(Buffer.from(`${head(100_000)}${'b'.repeat(60_000)}`))
      session.receive(bytes, 0, bytes.length)
      return session
    })
    expect(greedy.filter(({ at }) => at === AT.CLOSED).length).toBeGreaterThan(10)
    expect(sink.errors.every((error) => error === HTTP_ERRORS.buffersFull)).toBe(true)
    const refused = sink.errors.length
    const { receive } = connect()
    receive('GET /in-two HTTP/1.1\r\nho')
    receive('st: x\r\n\r\n')
    connect().receive('GET /whole HTTP/1.1\r\nhost: x\r\n\r\n')
    expect(sink.requests.map(({ target }) => target)).toEqual(['/in-two', '/whole'])
    expect(sink.errors).toHaveLength(refused)
  })
})

test('whatever many sessions do, the bound holds, and all is given back in the end', () => {
  const text = fc.constantFrom(
    'GET /a HTTP/1.1\r\nhost: x\r\n\r\n',
    `${head(1500)}${'b'.repeat(1500)}`,
    'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  )
  const step = fc.record({
    who: fc.nat(5),
    text,
    bytes: fc.integer({ min: 1, max: 1600 }),
    leaves: fc.boolean(),
  })
  const run = fc.property(
    fc.array(step, { minLength: 1, maxLength: 40 }),
    fc.constantFrom('answer' as const, 'hold' as const),
    (steps, mode) => {
      const { sink, connect, buffers } = world(8 * KIB)
      sink.mode = mode
      const clients = Array.from({ length: 6 }, connect)
      for (const { who, text: whole, bytes, leaves } of steps) {
        const { session, receive } = clients[who]!
        receive(whole.slice(0, bytes))
        if (leaves) session.close()
        expect(buffers.usedBytes).toBeLessThanOrEqual(8 * KIB)
      }
      for (const { session, received } of clients) {
        session.close()
        expect(session.unreported).toBe(received())
      }
      expect(buffers.usedBytes).toBe(0)
    },
  )
  fc.assert(run, { numRuns: 300 })
})

test('requests that wait for a runtime count as well, and give back what they took', () => {
  const buffers = new BufferBudget(100)
  const room = new WaitingRoom(10, 1, buffers)
  const { connect } = world(KIB)
  const bytes = new Uint8Array(60)
  const { session } = connect()
  const request = { ...session.head, bytes, start: 0, end: 40, functionIndex: 0 }
  const body = { bytes, start: 40, end: 60, streams: false }
  expect(room.add(session, request, body, 1, 0, 100)).toBe(true)
  expect(room.add(session, request, body, 2, 0, 100)).toBe(false)
  expect([room.size, buffers.usedBytes]).toEqual([1, 60])
  room.shift(0)
  expect(buffers.usedBytes).toBe(0)
  expect(room.add(session, request, body, 3, 0, 100)).toBe(true)
  expect(room.expired(1000)).toHaveLength(1)
  expect([room.size, buffers.usedBytes]).toEqual([0, 0])
})
