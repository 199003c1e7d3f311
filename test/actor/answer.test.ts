import { Consumer, createSharedMemory, type Doorbell, Producer } from '@shared/ringbuffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ACCEPTOR_MEMORY_BYTES } from '../../src/acceptor/acceptor.ts'
import { type AnswerParts, AnswerWriter } from '../../src/actor/answer.ts'
import { Outbox } from '../../src/actor/outbox.ts'
import { ParserScratch } from '../../src/actor/scratch.ts'
import { Session } from '../../src/actor/session.ts'
import { HEAD_KIND } from '../../src/guest/ops.ts'
import { DateCache } from '../../src/http/date.ts'
import { httpError } from '../../src/http/errors.ts'
import { ScalarParser } from '../../src/http/parser.ts'
import { idleType, kindOf, RESPONSE } from '../../src/protocol.ts'
import { acceptorBell, createShard, responseRing } from '../../src/shard.ts'
import { CHUNKED_LIMITS, FakeSink, HEAD_LIMITS, SESSION_LIMITS } from '../support/fake-sink.ts'

const SIZES = {
  requestBytes: 1024,
  responseBytes: 65536,
  scratchBytes: 0,
  highWatermark: 0.75,
  lowWatermark: 0.25,
}
const DATE = 'date: Thu, 01 Jan 1970 00:00:00 GMT\r\n'

const SLOT = 3

interface Rec {
  readonly kind: number
  readonly generation: number
  readonly bytes: Buffer
}

function world(sendWindowBytes: number) {
  const shard = createShard(0, SIZES, createSharedMemory(ACCEPTOR_MEMORY_BYTES))
  const { buffer } = shard.memory
  const consumer = new Consumer(responseRing(shard))
  const records: Rec[] = []
  const read = () => {
    const before = records.length
    while (consumer.next()) {
      const { type, slot, generation, offset, length } = consumer
      expect(slot).toBe(SLOT)
      records.push({
        kind: kindOf(type),
        generation,
        bytes: Buffer.from(Buffer.from(buffer, offset, length)),
      })
    }
    consumer.release()
    return records.length - before
  }
  // One thread: while the actor's side waits for room, the acceptor's side makes some.
  const waits = { count: 0, prepared: false }
  const roomBell = {
    prepare: () => {
      waits.prepared = true
    },
    cancel: () => {
      waits.prepared = false
    },
    wait: () => {
      expect(waits.prepared).toBe(true)
      waits.count++
      if (read() === 0) throw new Error('waits for room in an empty ring')
    },
  }
  const outbox = new Outbox(
    buffer,
    new Producer(responseRing(shard)),
    acceptorBell(shard),
    roomBell as unknown as Doorbell,
  )
  const date = new DateCache()
  date.refresh(0)
  const session = new Session(
    SLOT,
    5,
    SESSION_LIMITS,
    new ParserScratch(new ScalarParser(HEAD_LIMITS), CHUNKED_LIMITS),
    new FakeSink(),
  )
  outbox.address(session.slot, session.generation)
  /** What the acceptor has got since the last call. */
  const drain = (): Rec[] => {
    read()
    return records.splice(0)
  }
  return { outbox, session, drain, waits, writer: new AnswerWriter(outbox, date, sendWindowBytes) }
}

/** An answer's parts, as they would lie in a guest's memory. */
function parts(
  body: string | Uint8Array,
  { status = 200, headKind = HEAD_KIND.TEXT as number, fields = '' } = {},
): AnswerParts {
  const content = Buffer.from(body as string)
  const bytes = new Uint8Array(
    Buffer.concat([Buffer.from('###'), Buffer.from(fields), content, Buffer.from('###')]),
  )
  const bodyStart = 3 + fields.length
  return {
    bytes,
    status,
    headKind,
    headStart: 3,
    headEnd: bodyStart,
    bodyStart,
    bodyEnd: bodyStart + content.length,
  }
}

const delivery = (changes = {}) => ({ isHead: false, close: false, saysKeepAlive: false, ...changes })
const join = (records: readonly Rec[]) => Buffer.concat(records.map(({ bytes }) => bytes)).toString('latin1')

/** The bytes of one answer that fits into a record. */
function written(answer: AnswerParts, changes = {}): string {
  const { outbox, session, writer, drain } = world(65536)
  expect(writer.write(session, answer, delivery(changes))).toBe(0)
  outbox.commit(RESPONSE.DATA)
  const text = join(drain())
  expect(session.unsent).toBe(text.length)
  return text
}

test('head, date, length and body', () => {
  expect(written(parts('hello'))).toBe(
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain;charset=UTF-8\r\n${DATE}content-length: 5\r\n\r\nhello`,
  )
  expect(written(parts('', { headKind: HEAD_KIND.NONE }))).toBe(
    `HTTP/1.1 200 OK\r\n${DATE}content-length: 0\r\n\r\n`,
  )
})

test('what no body may follow has none, and HEAD has the length of what GET would have', () => {
  expect(written(parts('hello'), { isHead: true })).toMatch(/content-length: 5\r\n\r\n$/)
  expect(written(parts('hello', { status: 204, headKind: HEAD_KIND.NONE }))).toBe(
    `HTTP/1.1 204 No Content\r\n${DATE}\r\n`,
  )
  expect(written(parts('hello', { status: 304 }))).toMatch(/\r\n\r\n$/)
})

test('a guest’s own fields, less what only the server may say', () => {
  const fields = 'x-one: 1\r\nconnection: close\r\ntransfer-encoding: chunked\r\ndate: today\r\n'
  const changes = delivery()
  const { outbox, session, writer, drain } = world(65536)
  expect(writer.write(session, parts('body', { headKind: HEAD_KIND.CUSTOM, fields }), changes)).toBe(0)
  outbox.commit(RESPONSE.DATA)
  expect(join(drain())).toBe(
    'HTTP/1.1 200 OK\r\nx-one: 1\r\ndate: today\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody',
  )
  expect(changes.close).toBe(true)
})

test.each(['bad name: 1\r\n', 'x: a\nb\r\n', 'x: no end', 'x: 1\r\nset: \0\r\n'])(
  'fields that cannot be sent leave nothing behind: %j',
  (fields) => {
    const { outbox, session, writer, drain } = world(65536)
    writer.write(session, parts('before'), delivery())
    const unsent = session.unsent
    const error = writer.write(session, parts('body', { headKind: HEAD_KIND.CUSTOM, fields }), delivery())
    expect(httpError(error).status).toBe(500)
    expect(session.unsent).toBe(unsent)
    writer.writeRaw(session, Buffer.from('instead'))
    outbox.commit(RESPONSE.DATA)
    const text = join(drain())
    expect(text).toMatch(/\r\n\r\nbeforeinstead$/)
    expect(session.unsent).toBe(text.length)
  },
)

test('pipelined answers share a record, as long as there is room behind it', () => {
  const { outbox, session, writer, drain } = world(1 << 20)
  for (let i = 0; i < 10; i++) writer.write(session, parts(`answer ${i}`), delivery())
  outbox.commit(idleType(10))
  const records = drain()
  expect(records).toHaveLength(1)
  expect(records[0]!.kind).toBe(RESPONSE.DATA_IDLE)
  expect(join(records).match(/answer \d/g)).toHaveLength(10)
})

test('a closing record and one that says idle are written even when they are empty, others are not', () => {
  const { outbox, drain } = world(65536)
  outbox.commit(RESPONSE.DATA)
  expect(drain()).toEqual([])
  outbox.commit(idleType(1))
  expect(drain()).toMatchObject([{ kind: RESPONSE.DATA_IDLE, generation: 5 }])
  outbox.commit(RESPONSE.DATA_CLOSE)
  expect(drain()).toEqual([{ kind: RESPONSE.DATA_CLOSE, generation: 5, bytes: Buffer.alloc(0) }])
})

test('an open record is never given another connection', () => {
  const { outbox, session, writer } = world(65536)
  writer.write(session, parts('hello'), delivery())
  expect(() => outbox.address(9, 9)).toThrow('open')
})

test('answers of any size arrive whole, by pieces that the window and the ring allow', () => {
  const size = fc.oneof(
    fc.nat(400),
    fc.integer({ min: 15_000, max: 17_000 }),
    fc.integer({ min: 30_000, max: 100_000 }),
  )
  const run = fc.property(
    fc.array(fc.record({ size, custom: fc.boolean() }), { minLength: 1, maxLength: 5 }),
    fc.array(fc.integer({ min: 200, max: 30_000 }), { minLength: 1, maxLength: 8 }),
    fc.constantFrom(1024, 16_384, 40_000, 1 << 20),
    (answers, credits, windowBytes) => {
      const { outbox, session, writer, drain } = world(windowBytes)
      let got = ''
      let owed = 0
      let turn = 0
      const acceptor = () => {
        const text = join(drain())
        got += text
        owed += text.length
        const credit = Math.min(owed, credits[turn++ % credits.length]!)
        owed -= credit
        session.unsent -= credit
      }
      let expected = ''
      for (const answer of answers) {
        const body = Buffer.alloc(answer.size, `${answer.size}-`).toString('latin1')
        const kind = answer.custom
          ? { headKind: HEAD_KIND.CUSTOM as number, fields: `x: ${'y'.repeat(500)}\r\n` }
          : {}
        const source = parts(body, kind)
        expect(writer.write(session, source, delivery())).toBe(0)
        // The guest's memory is used again at once.
        source.bytes.fill(0)
        for (let steps = 0; session.out.length > 0; steps++) {
          expect(steps).toBeLessThan(1000)
          if (outbox.isOpen) outbox.commit(RESPONSE.DATA)
          acceptor()
          writer.writeOn(session)
          // A head may pass the window, a body does not.
          expect(session.unsent).toBeLessThanOrEqual(windowBytes + 1000)
        }
        if (outbox.isOpen) outbox.commit(idleType(0))
        acceptor()
        while (owed > 0) acceptor()
        const type = answer.custom ? `x: ${'y'.repeat(500)}` : 'content-type: text/plain;charset=UTF-8'
        expected += `HTTP/1.1 200 OK\r\n${type}\r\n${DATE}content-length: ${answer.size}\r\n\r\n${body}`
      }
      // Compared as a whole only when they differ in length: a diff of 100 KB helps nobody.
      expect(got.length).toBe(expected.length)
      expect(got === expected).toBe(true)
      expect(session.unsent).toBe(0)
    },
  )
  fc.assert(run, { numRuns: 40 })
})

test('a full ring is waited for, and nothing is lost', () => {
  const { outbox, session, writer, drain, waits } = world(1 << 20)
  const body = Buffer.alloc(300_000, '0123456789').toString('latin1')
  expect(writer.write(session, parts(body), delivery())).toBe(0)
  expect(session.out.length).toBe(0)
  expect(waits.count).toBeGreaterThan(2)
  outbox.commit(idleType(1))
  outbox.consumed(session.slot, session.generation, 1)
  const records = drain()
  expect(join(records.slice(0, -1)).endsWith(`\r\n\r\n${body}`)).toBe(true)
  expect(records.at(-1)!.kind).toBe(RESPONSE.CONSUMED)
})

test('the last piece of a large answer is open, so that its end says how the connection goes on', () => {
  const { outbox, session, writer, drain } = world(60_000)
  writer.write(session, parts('x'.repeat(50_000)), delivery())
  expect(session.out.length).toBe(0)
  outbox.commit(RESPONSE.DATA_CLOSE)
  const kinds = drain().map(({ kind }) => kind)
  expect(kinds.slice(0, -1).every((kind) => kind === RESPONSE.DATA)).toBe(true)
  expect(kinds.at(-1)).toBe(RESPONSE.DATA_CLOSE)
  expect(kinds.length).toBeGreaterThan(1)
})

test('credits for received bytes go between records', () => {
  const { outbox, session, writer, drain } = world(65536)
  writer.write(session, parts('a'), delivery())
  outbox.commit(RESPONSE.DATA)
  outbox.consumed(session.slot, session.generation, 123_456)
  const [, credit] = drain()
  expect(credit!.kind).toBe(RESPONSE.CONSUMED)
  expect(credit!.bytes.readInt32LE()).toBe(123_456)
})
