import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { barrier } from '../support/expectations.ts'
import { residentBytes } from '../support/process-memory.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const BODY_BYTES = 64 * 1024
const MIB = 1024 * 1024
const get = (path: string, method = 'GET') => `${method} ${path} HTTP/1.1\r\nHost: ringlet.test\r\n\r\n`

/** `/big?n=7` answers 64 KiB in which every eight characters are the number; `/size` the length of the body sent. */
const HANDLER = `export default async (request: Request) => {
  const url = new URL(request.url)
  if (url.pathname === '/size') return Response.json({ bytes: (await request.arrayBuffer()).byteLength })
  if (url.pathname === '/big') return new Response((url.searchParams.get('n') ?? '').padStart(8, '0').repeat(8192))
  return Response.text('small')
}
`
const bodyOf = (n: number) => Buffer.alloc(BODY_BYTES, String(n).padStart(8, '0'))

let server: RunningServer

beforeAll(async () => {
  server = await startServer({
    args: ['handler.ts'],
    handlerFiles: { 'handler.ts': HANDLER },
    config: { limits: { cpuMs: 2_000 } },
  })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

function bigRequests(count: number): string {
  return Array.from({ length: count }, (_, at) => get(`/big?n=${at}`)).join('')
}

async function expectBigAnswers(wire: Wire, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at++) {
    const answer = await wire.read()
    expect(answer.status).toBe(200)
    expect(answer.body.equals(bodyOf(at)), `answer ${at}`).toBe(true)
  }
}

async function expectServed(wire: Wire, times: number): Promise<void> {
  for (let count = 0; count < times; count++) await barrier(wire)
}

/** What must not have happened by the end of a test here: nothing of it is an error of the server. */
function expectNoErrors(): void {
  expect(server.logs().filter(({ level }) => typeof level === 'number' && level >= 50)).toEqual([])
}

describe('a client that does not read', () => {
  test('200 pipelined answers of 64 KiB: others are served meanwhile, then it gets every byte', async () => {
    using slow = await Wire.connect(server.port)
    using other = await Wire.connect(server.port)
    slow.socket.pause()
    await slow.send(bigRequests(200))
    await expectServed(other, 300)
    slow.socket.resume()
    await expectBigAnswers(slow, 0, 200)
    expect(slow.unread.length).toBe(0)
    await slow.send(get('/'))
    expect((await slow.read()).body.toString()).toBe('small')
    expectNoErrors()
  })

  test('128 MiB of answers are not kept for it', async () => {
    using other = await Wire.connect(server.port)
    await expectServed(other, 200)
    const before = residentBytes(server.pid)
    using slow = await Wire.connect(server.port)
    slow.socket.pause()
    const sent = slow.send(bigRequests(2048))
    let most = 0
    for (let round = 0; round < 30; round++) {
      await expectServed(other, 50)
      most = Math.max(most, residentBytes(server.pid) - before)
    }
    expect(most / MIB).toBeLessThan(48)
    slow.socket.resume()
    await expectBigAnswers(slow, 0, 2048)
    await sent
    expectNoErrors()
  })

  test('forty of them do not stall one that reads', async () => {
    const slow = await Promise.all(Array.from({ length: 40 }, () => Wire.connect(server.port)))
    using other = await Wire.connect(server.port)
    const before = residentBytes(server.pid)
    for (const wire of slow) {
      wire.socket.pause()
      await wire.send(bigRequests(100))
    }
    await expectServed(other, 200)
    // 40 × 100 × 64 KiB would be 250 MiB; the send window allows 1 MiB for each.
    expect((residentBytes(server.pid) - before) / MIB).toBeLessThan(120)
    for (const wire of slow.slice(0, 5)) {
      wire.socket.resume()
      await expectBigAnswers(wire, 0, 100)
    }
    for (const wire of slow) wire.reset()
    await expectServed(other, 50)
    expectNoErrors()
  })
})

describe('a client that leaves', () => {
  test('in the middle of an answer', async () => {
    for (let round = 0; round < 20; round++) {
      using wire = await Wire.connect(server.port)
      await wire.send(bigRequests(10))
      await wire.receive(1)
      wire.reset()
    }
    using other = await Wire.connect(server.port)
    await expectServed(other, 50)
    expectNoErrors()
  })

  test('in the middle of a head or a body', async () => {
    const parts = [
      'GET / HT',
      'GET / HTTP/1.1\r\nHost:',
      'POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc',
    ]
    for (let round = 0; round < 20; round++) {
      using wire = await Wire.connect(server.port)
      await wire.send(parts[round % parts.length]!)
      wire.reset()
    }
    using other = await Wire.connect(server.port)
    await expectServed(other, 50)
    expectNoErrors()
  })

  test('its own side only: it gets its answer, then the end', async () => {
    for (const count of [1, 30]) {
      using wire = await Wire.connect(server.port)
      wire.socket.end(bigRequests(count))
      await expectBigAnswers(wire, 0, count)
      expect(await wire.waitForEnd()).toBe('end')
      expect(wire.unread.length).toBe(0)
    }
  })
})

describe('many', () => {
  test('1,000 connections at once, each asked twice', async () => {
    const wires = await Promise.all(Array.from({ length: 1000 }, () => Wire.connect(server.port)))
    try {
      for (let round = 0; round < 2; round++) {
        await Promise.all(wires.map((wire) => wire.send(get('/'))))
        const answers = await Promise.all(wires.map((wire) => wire.read()))
        expect(answers.every((answer) => answer.status === 200 && answer.body.toString() === 'small')).toBe(
          true,
        )
      }
    } finally {
      for (const wire of wires) wire[Symbol.dispose]()
    }
    expectNoErrors()
  })

  test('300 connections that send large bodies at once', async () => {
    const body = Buffer.alloc(200_000, 'b')
    const head = Buffer.from(`POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
    const message = Buffer.concat([head, body])
    const wires = await Promise.all(Array.from({ length: 300 }, () => Wire.connect(server.port)))
    try {
      const sent = Promise.all(wires.map((wire) => wire.send(message)))
      const answers = await Promise.all(wires.map((wire) => wire.read()))
      await sent
      expect(new Set(answers.map((answer) => answer.body.toString()))).toEqual(new Set(['{"bytes":200000}']))
    } finally {
      for (const wire of wires) wire[Symbol.dispose]()
    }
    expectNoErrors()
  })

  test('a slow answer first and fast ones after it stay in order', async () => {
    const code = `export default async (request) => {
      const ms = Number(new URL(request.url).searchParams.get('ms'))
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
      return Response.json({ ms })
    }`
    await using waiting = await startServer({ args: ['-e', code] })
    using wire = await Wire.connect(waiting.port)
    const delays = [120, 0, 60, 1, 0, 90, 0]
    await wire.send(delays.map((ms) => get(`/?ms=${ms}`)).join(''))
    for (const ms of delays) expect((await wire.read()).body.toString()).toBe(JSON.stringify({ ms }))
  })
})
