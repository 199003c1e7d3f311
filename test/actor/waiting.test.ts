import { expect, test } from 'vitest'
import { BufferBudget } from '../../src/actor/bytes.ts'
import type { RequestHead } from '../../src/actor/request.ts'
import { ParserScratch } from '../../src/actor/scratch.ts'
import { Session } from '../../src/actor/session.ts'
import { WaitingRoom } from '../../src/actor/waiting.ts'
import { ScalarParser } from '../../src/http/parser.ts'
import { CHUNKED_LIMITS, FakeSink, HEAD_LIMITS, SESSION_LIMITS } from '../support/fake-sink.ts'

const WAIT_MS = 100

function request(functionIndex: number) {
  const bytes = new Uint8Array(Buffer.from('....POST /path HTTP/1.1\r\n\r\nbody....'))
  const head: RequestHead = {
    bytes,
    start: 4,
    end: 27,
    functionIndex,
    methodEnd: 8,
    targetStart: 9,
    targetEnd: 14,
    isHead: false,
    keepAlive: true,
    saysKeepAlive: false,
    allowsChunks: true,
  }
  return { bytes, head, body: { bytes, start: 27, end: 31, streams: false } }
}

const session = () =>
  new Session(
    0,
    1,
    SESSION_LIMITS,
    new ParserScratch(new ScalarParser(HEAD_LIMITS), CHUNKED_LIMITS),
    new FakeSink(),
  )

/** Whether a request of this function found room. */
function enter(room: WaitingRoom, functionIndex: number, id: number, sinceMs = 0): boolean {
  const { head, body } = request(functionIndex)
  return room.add(session(), head, body, id, sinceMs, WAIT_MS)
}

test('keeps a copy: the ring’s memory is used again', () => {
  const room = new WaitingRoom(4, 1, new BufferBudget(1 << 20))
  const { bytes, head, body } = request(0)
  room.add(session(), head, body, 7, 50, WAIT_MS)
  room.add(session(), head, { bytes: null, start: 0, end: 0, streams: false }, 8, 50, WAIT_MS)
  bytes.fill(0)
  const waiting = room.peek(0)!
  const text = (from: number, to: number) => Buffer.from(waiting.head.bytes.subarray(from, to)).toString()
  expect(text(waiting.head.start, waiting.head.methodEnd)).toBe('POST')
  expect(text(waiting.head.targetStart, waiting.head.targetEnd)).toBe('/path')
  expect(text(0, waiting.head.end)).toBe('POST /path HTTP/1.1\r\n\r\n')
  expect(Buffer.from(waiting.body.bytes!).toString()).toBe('body')
  expect(waiting).toMatchObject({ id: 7, sinceMs: 50, untilMs: 150 })
  room.shift(0)
  expect(room.peek(0)!.body).toEqual({ bytes: null, start: 0, end: 0, streams: false })
})

test('first come, first served, each function by itself', () => {
  const room = new WaitingRoom(10, 2, new BufferBudget(1 << 20))
  for (const [index, id] of [
    [0, 1],
    [1, 2],
    [0, 3],
    [1, 4],
  ] as const)
    enter(room, index, id)
  expect([room.peek(0)!.id, room.peek(1)!.id]).toEqual([1, 2])
  room.shift(0)
  expect([room.peek(0)!.id, room.peek(1)!.id, room.size]).toEqual([3, 2, 3])
  room.shift(0)
  room.shift(0)
  expect([room.peek(0), room.size]).toEqual([undefined, 2])
  expect([room.isEmpty(0), room.isEmpty(1)]).toEqual([true, false])
})

test('is bounded, and no function of several fills it alone', () => {
  const one = new WaitingRoom(3, 1, new BufferBudget(1 << 20))
  expect([1, 2, 3, 4].map((id) => enter(one, 0, id))).toEqual([true, true, true, false])
  const two = new WaitingRoom(5, 2, new BufferBudget(1 << 20))
  expect([1, 2, 3, 4].map((id) => enter(two, 0, id))).toEqual([true, true, true, false])
  expect([5, 6, 7].map((id) => enter(two, 1, id))).toEqual([true, true, false])
  expect(two.size).toBe(5)
  two.shift(0)
  expect(enter(two, 1, 8)).toBe(true)
  expect(enter(new WaitingRoom(0, 1, new BufferBudget(1 << 20)), 0, 1)).toBe(false)
})

test('lets go of those whose time is over, and only those', () => {
  const room = new WaitingRoom(10, 2, new BufferBudget(1 << 20))
  enter(room, 0, 1, 0)
  enter(room, 1, 2, 10)
  enter(room, 0, 3, 20)
  expect(room.expired(99)).toEqual([])
  expect(room.expired(110).map(({ id }) => id)).toEqual([1, 2])
  expect([room.size, room.peek(0)!.id]).toEqual([1, 3])
  expect(room.expired(1000).map(({ id }) => id)).toEqual([3])
  expect(room.expired(1000)).toEqual([])
  expect(room.size).toBe(0)
})
