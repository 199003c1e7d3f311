import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, field, json } from '../support/answer-parser.ts'
import { AROUND_THE_API, HARMLESS, MARK, THROUGH_THE_API } from '../support/bad-fields.ts'
import { head } from '../support/corpus.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const HOST = 'Host: ringlet.test'
/** Everything else an answer may be, by its path. */
const ANSWERS = `
const statuses = (url) => {
  const status = Number(url.searchParams.get('status'))
  const empty = status === 204 || status === 205 || status === 304
  const length = url.searchParams.get('length')
  const headers = length === null ? { x: 'y' } : { x: 'y', 'content-length': length }
  return new Response(empty ? null : 'hello', { status, headers })
}
const others = {
  '/status': statuses,
  '/echo': (url, request) => new Response('', { headers: { x: request.headers.get('x') } }),
  '/latin1': () => new Response('', { headers: { x: Array.from({ length: 96 }, (_, i) => String.fromCharCode(160 + i)).join('') } }),
  '/hop': () => new Response('hello', { headers: {
    'transfer-encoding': 'chunked', connection: 'upgrade', upgrade: 'h2c', 'keep-alive': 'timeout=1', te: 'trailers',
    trailer: 'x', 'proxy-connection': 'close', x: 'y' } }),
  '/close': () => new Response('hello', { headers: { connection: 'close' } }),
  '/date': () => new Response('', { headers: { date: 'Sun, 06 Nov 1994 08:49:37 GMT' } }),
  '/interim': (url) => new Response(null, { status: Number(url.searchParams.get('status')) }),
}
`

const BAD = [...THROUGH_THE_API, ...AROUND_THE_API]

const HANDLER = `
const codes = [
  ${[...BAD, ...HARMLESS].map(([, code]) => `() => { ${code} }`).join(',\n  ')}
]
${ANSWERS}
export default (request) => {
  const url = new URL(request.url)
  if (url.pathname === '/code') return codes[Number(url.searchParams.get('n'))]()
  const other = others[url.pathname]
  return other === undefined ? new Response('probe') : other(url, request)
}
`

let server: RunningServer

beforeAll(async () => {
  server = await startServer({
    args: ['--isolation', 'request', 'handler.js'],
    handlerFiles: { 'handler.js': HANDLER },
    config: { limits: { cpuMs: 5_000 } },
  })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

/** The answer to one request, and the proof that the next one on the connection is framed and answered by itself. */
async function answerTo(target: string, method = 'GET', ...fields: string[]): Promise<Answer> {
  using wire = await Wire.connect(server.port)
  await wire.send(head(`${method} ${target} HTTP/1.1`, HOST, ...fields) + head('GET /probe HTTP/1.1', HOST))
  const answer = await wire.read(method)
  expect((await wire.read()).body.toString()).toBe('probe')
  wire.halfClose()
  expect(await wire.readToEnd()).toEqual([])
  return answer
}

/** All that was sent, as text. */
function textOf({ status, fields, body }: Answer): string {
  return JSON.stringify([status, fields, body.toString('latin1')])
}

async function expectRefused(index: number): Promise<void> {
  const [, , error, reason] = BAD[index]!
  const seen = server.logs().length
  const answer = await answerTo(`/code?n=${index}`)
  expect(answer.status).toBe(500)
  expect(json(answer)).toMatchObject({ error, status: 500 })
  expect(textOf(answer)).not.toContain(MARK)
  expect(field(answer, 'x')).toBeUndefined()
  const lines = server.logs()
  const line = await server.waitForLog(
    (entry) => entry['error'] !== undefined && lines.indexOf(entry) >= seen,
  )
  const { message } = line['error'] as { message: string }
  expect(message).toContain(reason)
  expect(line['level']).toBe(50)
}

describe('fields that cannot be sent: 500, a log line with the reason, not a byte on the wire', () => {
  test.each(THROUGH_THE_API.map(([name], index) => [name, index] as const))('%s', (_, index) =>
    expectRefused(index),
  )

  test.each(AROUND_THE_API.map(([name], index) => [name, index + THROUGH_THE_API.length] as const))(
    'past the checks of the API: %s',
    (_, index) => expectRefused(index),
  )

  test.each(HARMLESS.map(([name], index) => [name, index + BAD.length] as const))(
    'an overwritten %s changes nothing',
    async (_, index) => {
      const answer = await answerTo(`/code?n=${index}`)
      expect(textOf(answer)).not.toContain(MARK)
      expect([answer.status, field(answer, 'x'), answer.body.toString()]).toEqual([200, 'ok', 'body'])
    },
  )
})

describe('characters beyond ASCII, RFC 9110 5.5', () => {
  test('every character of latin1 is sent as its one byte', async () => {
    const answer = await answerTo('/latin1')
    expect(field(answer, 'x')).toBe(
      Array.from({ length: 96 }, (_, i) => String.fromCharCode(160 + i)).join(''),
    )
  })

  test('a value that came in goes out as the same bytes', async () => {
    const value = 'caf\xe9 \x80\xff'
    expect(field(await answerTo('/echo', 'GET', `X: ${value}`), 'x')).toBe(value)
  })
})

describe('content and its length, RFC 9110 6.4.1 and 8.6', () => {
  const lengthOf = async (target: string, method = 'GET') => {
    const answer = await answerTo(target, method)
    return [answer.status, field(answer, 'content-length'), answer.body.toString()]
  }

  test.each([200, 201, 299, 301, 400, 404, 500, 599])(
    '%d has content, and HEAD its length',
    async (status) => {
      expect(await lengthOf(`/status?status=${status}`)).toEqual([status, '5', 'hello'])
      expect(await lengthOf(`/status?status=${status}`, 'HEAD')).toEqual([status, '5', ''])
    },
  )

  test.each([
    [204, undefined],
    [205, '0'],
    [304, undefined],
  ])('%d has no content, and %s for its length', async (status, length) => {
    expect(await lengthOf(`/status?status=${status}`)).toEqual([status, length, ''])
  })

  test('204 has no length though the function gives one; 304 tells it, 205 does not', async () => {
    expect(await lengthOf('/status?status=204&length=5')).toEqual([204, undefined, ''])
    expect(await lengthOf('/status?status=205&length=5')).toEqual([205, '0', ''])
    expect(await lengthOf('/status?status=304&length=5')).toEqual([304, '5', ''])
  })

  test.each([3, 7, 0, 5])('a length of %d for five bytes is put right', async (length) => {
    expect(await lengthOf(`/status?status=200&length=${length}`)).toEqual([200, '5', 'hello'])
  })

  test.each([100, 101, 102, 103, 199])('%d is no answer a function can give', async (status) => {
    const answer = await answerTo(`/interim?status=${status}`)
    expect([answer.status, json(answer)['error']]).toEqual([500, 'handler-failed'])
  })

  test('a refused answer to HEAD has no content either', async () => {
    const answer = await answerTo('/code?n=0', 'HEAD')
    expect([answer.status, answer.body.length]).toEqual([500, 0])
    expect(Number(field(answer, 'content-length'))).toBeGreaterThan(0)
  })
})

describe('fields that are the server’s', () => {
  test('those of the hop are dropped, RFC 9110 7.6.1', async () => {
    const answer = await answerTo('/hop')
    expect(answer.fields.map(([name]) => name).sort()).toEqual([
      'content-length',
      'content-type',
      'date',
      'x',
    ])
    expect([answer.framing, answer.body.toString()]).toEqual(['length', 'hello'])
  })

  test('connection: close is heeded, RFC 9112 9.6', async () => {
    using wire = await Wire.connect(server.port)
    await wire.send(head('GET /close HTTP/1.1', HOST) + head('GET /probe HTTP/1.1', HOST))
    const answers = await wire.readToEnd()
    expect(answers.map((answer) => [answer.body.toString(), field(answer, 'connection')])).toEqual([
      ['hello', 'close'],
    ])
  })

  test('a date of the function’s own is kept, and the only one, RFC 9110 6.6.1', async () => {
    expect(field(await answerTo('/date'), 'date')).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
  })

  test('the date is the second of the answer, and goes on with the clock', async () => {
    using wire = await Wire.connect(server.port)
    const dates: number[] = []
    while (dates.at(-1)! - dates[0]! < 1000 || dates.length < 2) {
      // The clock is read once a turn of the shard, and a turn is short unless its thread is kept off its core.
      const earliest = Math.floor((Date.now() - 500) / 1000) * 1000
      await wire.send(head('GET /probe HTTP/1.1', HOST))
      const date = Date.parse(field(await wire.read(), 'date')!)
      expect(date).toBeGreaterThanOrEqual(earliest)
      expect(date).toBeLessThanOrEqual(Date.now())
      dates.push(date)
    }
    expect(new Set(dates)).toEqual(new Set([dates[0]!, dates[0]! + 1000]))
  })
})
