import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ParserScratch } from '../../src/actor/scratch.ts'
import { AT, DEADLINE, Session } from '../../src/actor/session.ts'
import { HTTP_ERRORS } from '../../src/http/errors.ts'
import { ScalarParser } from '../../src/http/parser.ts'
import { CHUNKED_LIMITS, FakeSink, HEAD_LIMITS, SESSION_LIMITS } from '../support/fake-sink.ts'

const scratch = new ParserScratch(new ScalarParser(HEAD_LIMITS), CHUNKED_LIMITS)
/** Stands for ring memory: what is read is overwritten at once. */
const memory = new Uint8Array(65536)

function open(limits: Partial<typeof SESSION_LIMITS> = {}) {
  const sink = new FakeSink()
  const session = new Session(0, 1, { ...SESSION_LIMITS, ...limits }, scratch, sink)
  let received = 0
  const receive = (text: string) => {
    const at = 100
    Buffer.from(text, 'latin1').copy(memory, at)
    session.receive(memory, at, at + text.length)
    memory.fill(0x21)
    received += text.length
  }
  return { sink, session, receive, received: () => received }
}

const get = (target: string) => `GET ${target} HTTP/1.1\r\nhost: x\r\n\r\n`
const post = (target: string, body: string) =>
  `POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`
const chunked = (target: string, body: string, size: number) => {
  let text = `POST ${target} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`
  for (let at = 0; at < body.length; at += size) {
    const part = body.slice(at, at + size)
    text += `${part.length.toString(16)}\r\n${part}\r\n`
  }
  return `${text}0\r\n\r\n`
}

const message = fc.oneof(
  fc.nat(999).map((n) => ({ text: get(`/${n}`), target: `/${n}`, body: null })),
  fc.record({ n: fc.nat(999), length: fc.integer({ min: 1, max: 900 }) }).map(({ n, length }) => {
    const body = `${n},`.repeat(length).slice(0, length)
    return { text: post(`/${n}`, body), target: `/${n}`, body }
  }),
  fc
    .record({
      n: fc.nat(999),
      length: fc.integer({ min: 0, max: 600 }),
      size: fc.integer({ min: 10, max: 300 }),
    })
    .map(({ n, length, size }) => {
      const body = `${n};`.repeat(length).slice(0, length)
      return { text: chunked(`/${n}`, body, size), target: `/${n}`, body }
    }),
)

test('requests come out whole and in order, however they are cut, held, yielded or blocked', () => {
  const piece = fc.record({
    bytes: fc.integer({ min: 1, max: 400 }),
    hold: fc.boolean(),
    late: fc.boolean(),
    blocked: fc.boolean(),
    pulls: fc.boolean(),
  })
  const run = fc.property(
    fc.array(message, { minLength: 1, maxLength: 12 }),
    fc.array(piece, { minLength: 1, maxLength: 30 }),
    fc.constantFrom(0, 1, 50, 300, 4096),
    (messages, pieces, inlineBodyBytes) => {
      const { sink, session, receive } = open({ inlineBodyBytes })
      const text = messages.map((each) => each.text).join('')
      const goOn = () => {
        session.unsent = 0
        for (let turn = 0; turn < 100; turn++) {
          for (const reader of sink.readers) reader.wantsBody = true
          sink.timers.fire(Number.MAX_SAFE_INTEGER)
          if (session.at === AT.BUSY) session.answered()
          session.resume()
        }
      }
      let at = 0
      for (let i = 0; at < text.length; i++) {
        const { bytes, hold, late, blocked, pulls } = pieces[i % pieces.length]!
        sink.mode = hold ? 'hold' : 'answer'
        sink.pulls = pulls
        // An old turn: the session's share is over after each request.
        sink.nowMs = late ? performance.now() - 1000 : performance.now()
        session.unsent = blocked ? SESSION_LIMITS.sendWindowBytes : 0
        receive(text.slice(at, at + bytes))
        at += bytes
        if (i % 3 === 2) goOn()
      }
      goOn()
      expect(sink.requests.map(({ target, body }) => ({ target, body }))).toEqual(
        messages.map(({ target, body }) => ({ target, body })),
      )
      expect(sink.readers.size).toBe(0)
      expect(session.unreported).toBe(text.length)
      expect(session.isIdle).toBe(true)
      expect(sink.errors).toEqual([])
    },
  )
  fc.assert(run, { numRuns: 300 })
})

test.each([
  ['a head', get('/a'), { method: 'GET', target: '/a', body: null }],
  ['a body', post('/b', 'the body'), { method: 'POST', target: '/b', body: 'the body' }],
  ['chunks', chunked('/c', 'some chunks', 4), { method: 'POST', target: '/c', body: 'some chunks' }],
])('%s cut in two at every place', (_, text, expected) => {
  for (let at = 1; at < text.length; at++) {
    const { sink, session, receive } = open()
    receive(text.slice(0, at))
    expect(sink.requests).toEqual([])
    expect(session.isIdle).toBe(false)
    receive(text.slice(at))
    expect(sink.requests).toEqual([expected])
    expect(session.unreported).toBe(text.length)
    expect(session.isIdle).toBe(true)
  }
})

test('an answer to come holds later requests back', () => {
  const { sink, session, receive } = open()
  sink.mode = 'hold'
  receive(get('/1') + get('/2'))
  receive(get('/3'))
  expect(sink.requests.map(({ target }) => target)).toEqual(['/1'])
  expect(session.at).toBe(AT.BUSY)
  session.answered()
  session.resume()
  expect(sink.requests.map(({ target }) => target)).toEqual(['/1', '/2'])
  // Only what was begun is given back.
  expect(session.unreported).toBe(get('/1').length * 2)
})

test('a share that is over yields after a whole request, and goes on when asked to', () => {
  const { sink, session, receive } = open()
  sink.nowMs = performance.now() - 1000
  receive(get('/1') + get('/2') + get('/3').slice(0, 9))
  expect(sink.requests).toHaveLength(1)
  expect(session.hasYielded).toBe(true)
  session.resume()
  expect(sink.requests).toHaveLength(2)
  session.resume()
  expect(session.hasYielded).toBe(false)
  receive(get('/3').slice(9))
  expect(sink.requests).toHaveLength(3)
})

test('a full send window stops the reading of requests, not of a body', () => {
  const { sink, session, receive } = open()
  const [start, end] = [post('/1', 'body').slice(0, -2), post('/1', 'body').slice(-2)]
  receive(start)
  session.unsent = SESSION_LIMITS.sendWindowBytes
  receive(end + get('/2'))
  expect(sink.requests.map(({ target }) => target)).toEqual(['/1'])
  expect(session.isBlocked).toBe(true)
  session.unsent = 0
  expect(session.isBlocked).toBe(false)
  session.resume()
  expect(sink.requests.map(({ target }) => target)).toEqual(['/1', '/2'])
})

test.each(['now', 'kept'])('closing drops the rest, and every byte is given back: %s', (when) => {
  const { sink, session, receive, received } = open()
  sink.mode = when === 'now' ? 'close' : 'hold'
  receive(get('/1') + get('/2'))
  receive(get('/3').slice(0, 5))
  if (when === 'kept') session.close()
  receive('whatever else comes')
  expect(sink.requests).toHaveLength(1)
  expect(session.at).toBe(AT.CLOSED)
  expect(session.unreported).toBe(received())
  expect([session.deadline, session.deadlineMs]).toEqual([DEADLINE.NONE, Number.POSITIVE_INFINITY])
})

test.each([
  ['a bad head', 'GET / HTTP/1.1\r\nbad name: x\r\n\r\n', undefined],
  ['a long head', `GET / HTTP/1.1\r\nx: ${'x'.repeat(3000)}`, HTTP_ERRORS.headTooLarge],
  ['a long body', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n', HTTP_ERRORS.bodyTooLarge],
  ['long chunks', `${chunked('/', 'x'.repeat(5000), 1000)}`, HTTP_ERRORS.bodyTooLarge],
])('%s is refused once, at once and in pieces, and every byte is given back', (_, text, error) => {
  for (const size of [text.length, 7]) {
    const { sink, session, receive, received } = open()
    for (let at = 0; at < text.length; at += size) receive(text.slice(at, at + size))
    receive(get('/after'))
    expect(sink.errors).toHaveLength(1)
    if (error !== undefined) expect(sink.errors).toEqual([error])
    expect(sink.requests).toEqual([])
    expect(session.at).toBe(AT.CLOSED)
    expect(session.unreported).toBe(received())
  }
})

test('100 (Continue) is asked for only when the body has not begun to come', () => {
  const head = 'POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n'
  const waiting = open()
  waiting.receive(head)
  expect(waiting.sink.continues).toBe(1)
  waiting.receive('body')
  expect(waiting.sink.requests.map(({ body }) => body)).toEqual(['body'])
  const eager = open()
  eager.receive(`${head}bo`)
  expect(eager.sink.continues).toBe(0)
})

test('deadlines: idle, head from its first byte, body from its head, none while an answer is due', () => {
  const { sink, session, receive } = open()
  const at = (ms: number) => {
    sink.nowMs = ms
  }
  const base = performance.now() + 1e6
  expect(session.deadline).toBe(DEADLINE.IDLE)
  at(base)
  receive('GET')
  expect([session.deadline, session.deadlineMs]).toEqual([DEADLINE.HEAD, base + 1000])
  at(base + 500)
  receive(' /')
  expect(session.deadlineMs).toBe(base + 1000)
  receive(' HTTP/1.1\r\nhost: x\r\n\r\n')
  expect([session.deadline, session.deadlineMs]).toEqual([DEADLINE.IDLE, base + 500 + 3000])
  at(base + 600)
  receive(post('/', 'body').slice(0, -1))
  expect([session.deadline, session.deadlineMs]).toEqual([DEADLINE.BODY, base + 600 + 2000])
  sink.mode = 'hold'
  receive('y')
  expect(session.deadline).toBe(DEADLINE.NONE)
})

describe('a body longer than limits.inlineBodyBytes', () => {
  const body = 'abcdefghij'.repeat(30)
  const forms: [string, string][] = [
    ['with a length', post('/up', body)],
    ['in chunks', chunked('/up', body, 40)],
  ]

  test.each(forms)(
    '%s: its request runs with the first of it, and the client is held until it is asked for',
    (_, text) => {
      const { sink, session, receive } = open({ inlineBodyBytes: 100 })
      sink.pulls = false
      receive(text.slice(0, 240))
      expect(sink.requests).toHaveLength(1)
      const first = sink.requests[0]!.body!
      expect(body.startsWith(first)).toBe(true)
      receive(text.slice(240) + get('/next'))
      // Nothing more is taken, and nothing more given back: the window closes on the client.
      expect(sink.requests[0]!.body).toBe(first)
      expect(session.unreported).toBe(240)
      expect(session.at).toBe(AT.STREAM)
      const [reader] = sink.readers
      sink.pulls = true
      reader!.wantsBody = true
      // It may have had its share of the time before the next request.
      do session.resume()
      while (session.hasYielded)
      expect(sink.requests.map((each) => [each.target, each.body])).toEqual([
        ['/up', body],
        ['/next', null],
      ])
      expect(session.isIdle).toBe(true)
    },
  )

  test.each(forms)(
    '%s: after an early answer the rest is dropped, and the next request served',
    (_, text) => {
      for (const size of [1, 7, 100, text.length]) {
        const { sink, session, receive, received } = open({ inlineBodyBytes: 100 })
        sink.answersEarly = true
        const all = text + get('/next')
        for (let at = 0; at < all.length; at += size) receive(all.slice(at, at + size))
        expect(sink.requests.map(({ target }) => target)).toEqual(['/up', '/next'])
        expect(session.isIdle).toBe(true)
        expect(session.unreported).toBe(received())
      }
    },
  )

  test('an answer that the client has not taken yet does not stop the dropping, and is waited for', () => {
    const { sink, session, receive } = open({ inlineBodyBytes: 100 })
    sink.mode = 'hold'
    const text = post('/up', body)
    receive(text.slice(0, 300))
    session.dropBody()
    expect(session.isDropping).toBe(true)
    receive(text.slice(300) + get('/next'))
    expect(session.at).toBe(AT.BUSY)
    expect(sink.requests).toHaveLength(1)
    sink.mode = 'answer'
    session.answered()
    session.resume()
    expect(sink.requests.map(({ target }) => target)).toEqual(['/up', '/next'])
  })

  test('too long in chunks, or wrong in the middle: refused, once', () => {
    const long = chunked('/up', 'x'.repeat(5000), 90)
    const wrong = chunked('/up', body, 40).replace('ghij\r\n', 'ghijXX')
    for (const [text, error] of [
      [long, HTTP_ERRORS.bodyTooLarge],
      [wrong, HTTP_ERRORS.badChunkEnd],
    ] as const) {
      const { sink, session, receive } = open({ inlineBodyBytes: 100 })
      for (let at = 0; at < text.length; at += 33) receive(text.slice(at, at + 33))
      expect(sink.errors).toEqual([error])
      expect(session.at).toBe(AT.CLOSED)
    }
  })

  test('waits for 100 (Continue) until somebody asks for it', () => {
    const head = 'POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 300\r\n\r\n'
    const { sink, session, receive } = open({ inlineBodyBytes: 100 })
    receive(head)
    expect([sink.continues, session.owesContinue, sink.requests.length]).toEqual([0, true, 1])
  })

  test('is cut short when the client leaves before its end, and not before what came is read', () => {
    const { sink, session, receive } = open({ inlineBodyBytes: 100 })
    sink.pulls = false
    const text = post('/up', body)
    receive(text.slice(0, 240))
    receive(text.slice(240, 260))
    session.ended = true
    expect(session.isCutShort).toBe(false)
    for (const reader of sink.readers) reader.wantsBody = true
    session.resume()
    expect(session.isCutShort).toBe(true)
  })

  test('has a deadline until it has come, also while it is dropped', () => {
    const { sink, session, receive } = open({ inlineBodyBytes: 100 })
    const text = post('/up', body)
    receive(text.slice(0, 240))
    expect([session.deadline, session.deadlineMs]).toEqual([DEADLINE.BODY, sink.nowMs + 2000])
    session.answered()
    expect(session.deadline).toBe(DEADLINE.BODY)
    receive(text.slice(240))
    expect(session.deadline).toBe(DEADLINE.IDLE)
  })
})

test('a connection that is to move hands on everything from that request on, and consumes nothing of it', () => {
  const { sink, session, receive } = open()
  receive(get('/1'))
  sink.lane = 1
  receive(post('/2', 'body') + get('/3'))
  receive(get('/4').slice(0, 5))
  expect([session.at, session.lane]).toEqual([AT.MOVED, 1])
  expect(sink.requests.map(({ target }) => target)).toEqual(['/1'])
  expect(session.unreported).toBe(get('/1').length)
  let handed = ''
  const take = (bytes: Uint8Array, from: number, to: number) => {
    handed += Buffer.from(bytes.subarray(from, to)).toString('latin1')
  }
  session.handOn(take)
  receive(get('/4').slice(5))
  session.handOn(take)
  session.handOn(take)
  expect(handed).toBe(post('/2', 'body') + get('/3') + get('/4'))
  expect([session.deadline, session.isIdle]).toEqual([DEADLINE.NONE, false])
})
