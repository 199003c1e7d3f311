import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, json } from '../support/answer-parser.ts'
import { head } from '../support/corpus.ts'
import { ECHO_HANDLER, type Echo } from '../support/echo.ts'
import { expectRefusal } from '../support/expectations.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const HOST = 'Host: ringlet.test'
const HEAD_BYTES = 2048
const TARGET_BYTES = 512
const FIELDS = 20
const BODY_BYTES = 4096
const HEAD_MS = 300
const BODY_MS = 300
const IDLE_MS = 400
/** The clocks of the server may be coarse; a timeout may come early by this much and no more. */
const EARLY_MS = 60

let server: RunningServer

beforeAll(async () => {
  server = await startServer({
    args: ['handler.ts'],
    handlerFiles: { 'handler.ts': ECHO_HANDLER },
    config: {
      limits: { headBytes: HEAD_BYTES, targetBytes: TARGET_BYTES, fields: FIELDS, bodyBytes: BODY_BYTES },
      timeouts: { headMs: HEAD_MS, bodyMs: BODY_MS, idleMs: IDLE_MS },
    },
  })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

/** Sends pieces on a new connection, reads the only answer and the end of the connection. */
async function refusalOf(...pieces: string[]): Promise<Answer> {
  using wire = await Wire.connect(server.port)
  const answers = wire.readToEnd()
  await wire.sendMaybe(...pieces)
  expect(await answers).toHaveLength(1)
  return (await answers)[0]!
}

async function expectNamed(answer: Answer, status: number, error: string): Promise<void> {
  expectRefusal(answer, [status], error)
  expect(json<{ error: string }>(answer).error).toBe(error)
}

async function echoOf(...pieces: string[]): Promise<Echo> {
  using wire = await Wire.connect(server.port)
  await wire.send(...pieces)
  const answer = await wire.readFinal()
  expect(answer.status).toBe(200)
  return json<Echo>(answer)
}

const withLength = (bytes: number, ...fields: string[]) =>
  head('POST / HTTP/1.1', HOST, `Content-Length: ${bytes}`, ...fields)
const CHUNKED = head('POST / HTTP/1.1', HOST, 'Transfer-Encoding: chunked')
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'c'.repeat(bytes)}\r\n`

describe('sizes', () => {
  test('a target of exactly the limit is served, one byte more is 414', async () => {
    const target = `/${'t'.repeat(TARGET_BYTES - 1)}`
    expect((await echoOf(head(`GET ${target} HTTP/1.1`, HOST))).url).toBe(`http://ringlet.test${target}`)
    await expectNamed(await refusalOf(head(`GET ${target}t HTTP/1.1`, HOST)), 414, 'target-too-long')
  })

  test('a target without end is 414 without waiting for its end', async () => {
    await expectNamed(await refusalOf(`GET /${'t'.repeat(TARGET_BYTES)}`), 414, 'target-too-long')
  })

  test('a head of exactly the limit is served, one byte more is 431', async () => {
    const start = head('GET / HTTP/1.1', HOST, 'X-Pad: ').length
    const pad = 'p'.repeat(HEAD_BYTES - start)
    expect((await echoOf(head('GET / HTTP/1.1', HOST, `X-Pad: ${pad}`))).headers['x-pad']).toBe(pad)
    await expectNamed(await refusalOf(head('GET / HTTP/1.1', HOST, `X-Pad: ${pad}p`)), 431, 'head-too-large')
  })

  test('a head without end is 431 without waiting for its end', async () => {
    await expectNamed(
      await refusalOf(`GET / HTTP/1.1\r\nX-Pad: ${'p'.repeat(HEAD_BYTES)}`),
      431,
      'head-too-large',
    )
  })

  test('as many fields as the limit are served, one more is 431', async () => {
    const fields = Array.from({ length: FIELDS - 1 }, (_, at) => `X-F${at}: ${at}`)
    expect(Object.keys((await echoOf(head('GET / HTTP/1.1', HOST, ...fields))).headers)).toHaveLength(FIELDS)
    await expectNamed(
      await refusalOf(head('GET / HTTP/1.1', HOST, ...fields, 'X-More: 1')),
      431,
      'too-many-fields',
    )
  })

  test('a body of exactly the limit is served, by length and in chunks', async () => {
    expect((await echoOf(withLength(BODY_BYTES), 'b'.repeat(BODY_BYTES))).bodyBytes).toBe(BODY_BYTES)
    const half = chunk(BODY_BYTES / 2)
    expect((await echoOf(CHUNKED, half, half, '0\r\n\r\n')).bodyBytes).toBe(BODY_BYTES)
  })

  test('a length above the limit is 413 before any of the body is sent', async () => {
    await expectNamed(await refusalOf(withLength(BODY_BYTES + 1)), 413, 'body-too-large')
  })

  test('a length above the limit is 413 though the client sends the body at once', async () => {
    await expectNamed(
      await refusalOf(withLength(BODY_BYTES * 64), ...Array<string>(64).fill('b'.repeat(BODY_BYTES))),
      413,
      'body-too-large',
    )
  })

  test('a length above the limit with Expect is 413 and no 100', async () => {
    using wire = await Wire.connect(server.port)
    await wire.send(withLength(BODY_BYTES + 1, 'Expect: 100-continue'))
    await expectNamed(await wire.read(), 413, 'body-too-large')
  })

  test('chunks above the limit are 413', async () => {
    const half = chunk(BODY_BYTES / 2)
    await expectNamed(await refusalOf(CHUNKED, half, half, chunk(1), '0\r\n\r\n'), 413, 'body-too-large')
  })

  test('a chunk size above the limit is 413 before its data', async () => {
    await expectNamed(await refusalOf(CHUNKED, `${(BODY_BYTES + 1).toString(16)}\r\n`), 413, 'body-too-large')
  })

  test('chunk extensions and tiny chunks without end are refused', async () => {
    const extension = `1;${'e'.repeat(60_000)}\r\n`
    expectRefusal(await refusalOf(CHUNKED, extension), [400, 413], 'one endless extension')
    const tiny = `1;${'e'.repeat(60)}\r\nc\r\n`.repeat(1500)
    expectRefusal(await refusalOf(CHUNKED, tiny), [400, 413], 'extensions on every chunk')
  })

  test('trailers without end are refused', async () => {
    const trailers = Array.from({ length: 2000 }, (_, at) => `X-T${at}: ${at}\r\n`).join('')
    expectRefusal(await refusalOf(CHUNKED, '0\r\n', trailers), [413, 431], 'trailers')
  })

  test('a method without end is refused', async () => {
    expectRefusal(await refusalOf('M'.repeat(4096)), [400, 431, 501], 'a method')
  })

  test('unknown expectation 417, version 505, coding 501', async () => {
    await expectNamed(await refusalOf(withLength(3, 'Expect: tea'), 'abc'), 417, 'unknown-expectation')
    await expectNamed(await refusalOf(head('GET / HTTP/3.0', HOST)), 505, 'unsupported-version')
    await expectNamed(
      await refusalOf(head('POST / HTTP/1.1', HOST, 'Transfer-Encoding: br, chunked')),
      501,
      'unknown-transfer-coding',
    )
  })
})

describe('100-continue', () => {
  test('100 comes before the body is sent, the answer after it', async () => {
    using wire = await Wire.connect(server.port)
    for (const body of ['first', 'second']) {
      await wire.send(withLength(body.length, 'Expect: 100-continue'))
      const interim = await wire.read()
      expect(interim.status).toBe(100)
      expect(interim.body.length).toBe(0)
      await wire.send(body)
      const answer = await wire.read()
      expect(answer.status).toBe(200)
      expect(json<Echo>(answer).bodyBytes).toBe(body.length)
    }
  })

  test('100 comes for a chunked body as well', async () => {
    using wire = await Wire.connect(server.port)
    await wire.send(head('POST / HTTP/1.1', HOST, 'Transfer-Encoding: chunked', 'Expect: 100-continue'))
    expect((await wire.read()).status).toBe(100)
    await wire.send(chunk(3), '0\r\n\r\n')
    expect(json<Echo>(await wire.read()).bodyBytes).toBe(3)
  })

  test('an HTTP/1.0 client is never sent 100', async () => {
    using wire = await Wire.connect(server.port)
    await wire.send(head('POST / HTTP/1.0', HOST, 'Content-Length: 2', 'Expect: 100-continue'), 'ok')
    expect((await wire.read()).status).toBe(200)
  })

  test('100 waits for the answers before it', async () => {
    using wire = await Wire.connect(server.port)
    await wire.send(head('GET / HTTP/1.1', HOST) + withLength(2, 'Expect: 100-continue'))
    expect((await wire.read()).status).toBe(200)
    expect((await wire.read()).status).toBe(100)
    await wire.send('ok')
    expect((await wire.read()).status).toBe(200)
  })
})

describe('timeouts', () => {
  async function timed(work: () => Promise<void>): Promise<number> {
    const start = performance.now()
    await work()
    return performance.now() - start
  }

  test('a head that does not end is 408', async () => {
    const tookMs = await timed(async () =>
      expectNamed(await refusalOf('GET / HTTP/1.1\r\nHost: r'), 408, 'head-timeout'),
    )
    expect(tookMs).toBeGreaterThan(HEAD_MS - EARLY_MS)
  })

  test('a head that trickles in is 408: bytes do not renew the time', async () => {
    using wire = await Wire.connect(server.port)
    const answers = wire.readToEnd()
    let ended = false
    const trickle = (async () => {
      await wire.sendMaybe('GET / HTTP/1.1\r\nX-Slow: ')
      while (!ended) {
        await wire.sendMaybe('s')
        await new Promise((resolve) => setTimeout(resolve, HEAD_MS / 10))
      }
    })()
    const [answer, ...others] = await answers
    ended = true
    await trickle
    expect(others).toHaveLength(0)
    await expectNamed(answer!, 408, 'head-timeout')
  })

  test('a body that does not end is 408, by length and in chunks', async () => {
    const tookMs = await timed(async () =>
      expectNamed(await refusalOf(withLength(10), 'half'), 408, 'body-timeout'),
    )
    expect(tookMs).toBeGreaterThan(BODY_MS - EARLY_MS)
    await expectNamed(await refusalOf(CHUNKED, chunk(3)), 408, 'body-timeout')
  })

  test('a connection without a request is closed without a word', async () => {
    using wire = await Wire.connect(server.port)
    const tookMs = await timed(async () => expect(await wire.readToEnd()).toEqual([]))
    expect(tookMs).toBeGreaterThan(IDLE_MS - EARLY_MS)
  })

  test('a connection that falls idle after a request is closed without a further word', async () => {
    using wire = await Wire.connect(server.port)
    await wire.send(head('GET / HTTP/1.1', HOST))
    expect((await wire.readToEnd()).map(({ status }) => status)).toEqual([200])
  })

  test('a request on a connection renews its time', async () => {
    using wire = await Wire.connect(server.port)
    const start = performance.now()
    for (let count = 0; performance.now() - start < IDLE_MS * 2; count++) {
      await wire.send(head(`GET /${count} HTTP/1.1`, HOST))
      expect((await wire.read()).status).toBe(200)
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS / 8))
    }
  })
})
