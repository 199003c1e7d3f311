import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Gate } from '../support/gate.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ringlet.test\r\n\r\n`
const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: ringlet.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`

const OFFENCES = 3
const CPU_MS = 20
const textOf = async (wire: Wire) => {
  const answer = await wire.read()
  return `${answer.status} ${answer.body}`
}

describe('a function that keeps using up its processor time', () => {
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer({
      config: {
        functions: [
          {
            name: 'good',
            routes: ['/good'],
            code: 'export default async (r) => Response.text("good " + (await r.text()))',
          },
          {
            name: 'bad',
            routes: ['/bad', '/bad/echo'],
            code: 'export default async (r) => { if (!r.url.endsWith("echo")) for (;;) {} ; return Response.text("bad " + (await r.text()).length) }',
          },
        ],
        limits: { cpuMs: CPU_MS },
        penalty: { offences: OFFENCES, windowMs: 60_000, ms: 60_000 },
      },
    })
    using wire = await Wire.connect(server.port)
    for (let i = 0; i < OFFENCES; i++) {
      await wire.send(get('/bad'))
      expect((await wire.read()).status).toBe(503)
    }
    await server.waitForLog(
      ({ msg, function: name }) => name === 'bad' && String(msg).startsWith('function served apart'),
    )
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  test('is still served, and a connection that asks for both goes to and fro', async () => {
    using wire = await Wire.connect(server.port)
    for (let i = 0; i < 20; i++) {
      await wire.send(post('/bad/echo', 'x'.repeat(i)))
      expect(await textOf(wire)).toBe(`200 bad ${i}`)
      await wire.send(post('/good', `${i}`))
      expect(await textOf(wire)).toBe(`200 good ${i}`)
    }
  })

  test('answers come in the order of pipelined requests, across both', async () => {
    for (const size of [1, 7, 100, 100_000]) {
      using wire = await Wire.connect(server.port)
      const requests = Array.from({ length: 12 }, (_, i) =>
        i % 3 === 1 ? post('/bad/echo', 'y'.repeat(i)) : post('/good', `${i}`),
      )
      const text = requests.join('')
      for (let at = 0; at < text.length; at += size) await wire.send(text.slice(at, at + size))
      for (let i = 0; i < 12; i++)
        expect(await textOf(wire)).toBe(i % 3 === 1 ? `200 bad ${i}` : `200 good ${i}`)
    }
  })

  test('gets large bodies whole, in any pieces', async () => {
    for (const chunks of [[300_000], [1, 100_000, 199_999], Array.from({ length: 30 }, () => 10_000)]) {
      using wire = await Wire.connect(server.port)
      await wire.send('POST /bad/echo HTTP/1.1\r\nHost: ringlet.test\r\nContent-Length: 300000\r\n\r\n')
      for (const length of chunks) await wire.send('z'.repeat(length))
      expect(await textOf(wire)).toBe('200 bad 300000')
    }
  })

  test('a client that has ended its side is answered, one that has gone costs nothing', async () => {
    using half = await Wire.connect(server.port)
    await half.send(get('/bad/echo'))
    half.halfClose()
    expect(await textOf(half)).toBe('200 bad 0')
    await half.waitForEnd()
    for (let i = 0; i < 5; i++) {
      const gone = await Wire.connect(server.port)
      await gone.send(get('/bad'))
      gone.reset()
      gone[Symbol.dispose]()
    }
    using wire = await Wire.connect(server.port)
    await wire.send(get('/bad/echo'))
    expect(await textOf(wire)).toBe('200 bad 0')
  })

  test('its neighbour on the only normal shard does not wait for it', async () => {
    const burning = await Promise.all(Array.from({ length: 8 }, () => Wire.connect(server.port)))
    for (const wire of burning) await wire.send(get('/bad'))
    using wire = await Wire.connect(server.port)
    await wire.send(post('/good', 'now'))
    expect(await textOf(wire)).toBe('200 good now')
    // Eight requests of 20 ms each on one thread: the first may be answered by now, the last cannot be.
    expect(burning.filter(({ receivedBytes }) => receivedBytes === 0).length).toBeGreaterThan(0)
    for (const each of burning) {
      expect((await each.read()).status).toBe(503)
      each[Symbol.dispose]()
    }
  })

  test('stops with the server', async () => {
    using wire = await Wire.connect(server.port)
    await wire.send(get('/bad') + get('/bad'))
    await wire.read()
    const exit = await server.stop()
    expect(exit.code).toBe(0)
    expect((await wire.read()).status).toBe(503)
  })
})

test('a request that finds no runtime and no room to wait goes to another shard before it is answered 503', async () => {
  using gate = await Gate.open()
  await using server = await startServer({
    args: ['--cores', '2'],
    config: {
      functions: [
        {
          name: 'slow',
          routes: ['/slow'],
          code: 'export default async (r, { GATE }) => { await fetch(GATE); return Response.text("done") }',
          env: { GATE: gate.url },
          fetch: { allow: [gate.origin] },
        },
      ],
      pool: { maxPerFunction: 1, prewarm: 1, queueRequests: 1, queueMs: 5000 },
    },
  })
  // One runtime and one place to wait on each of two shards: four requests are served, wherever they arrive.
  const wires = await Promise.all(Array.from({ length: 8 }, () => Wire.connect(server.port)))
  const ofOneShard = wires.filter((_, i) => i % 2 === 0)
  for (const wire of ofOneShard) await wire.send(get('/slow'))
  // A handler waits on each shard: the one that all have come to had no room for the third.
  await gate.waiting(2)
  gate.stayOpen()
  const answers = await Promise.all(ofOneShard.map((wire) => wire.read()))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  for (const wire of wires) wire[Symbol.dispose]()
})

test('a function that keeps wanting more memory than it may have is served apart as well', async () => {
  await using server = await startServer({
    config: {
      functions: [
        {
          name: 'hoards',
          routes: ['/*'],
          code: 'export default () => { const all = []; for (;;) all.push(new Uint8Array(1 << 18).fill(1)) }',
        },
      ],
      limits: { memoryBytes: 20 << 20, bodyBytes: 1 << 20, responseBytes: 1 << 20, cpuMs: 5000 },
      gc: { softBytes: 1 << 20, highBytes: 16 << 20 },
      penalty: { offences: OFFENCES, windowMs: 60_000, ms: 60_000 },
    },
  })
  using wire = await Wire.connect(server.port)
  for (let i = 0; i < OFFENCES; i++) {
    await wire.send(get('/'))
    expect(JSON.parse((await wire.read()).body.toString()).error).toBe('memory-limit')
  }
  await server.waitForLog(({ msg }) => String(msg).startsWith('function served apart'))
})

test('a function whose requests take long is served apart where the configuration says so, and answered', async () => {
  const start = (busyMs: number) =>
    startServer({
      config: {
        functions: [
          {
            name: 'heavy',
            routes: ['/heavy'],
            code: 'export default () => { let sum = 0; for (let i = 0; i < 2e6; i++) sum += i % 7; return Response.text(String(sum)) }',
          },
          { name: 'light', routes: ['/light'], code: 'export default () => Response.text("light")' },
        ],
        limits: { cpuMs: 10_000 },
        penalty: { offences: OFFENCES, windowMs: 60_000, ms: 60_000, busyMs },
      },
    })
  const apart = ({ msg }: { msg?: unknown }) => String(msg).startsWith('function served apart')
  await using server = await start(5)
  await using other = await start(0)
  for (const each of [server, other]) {
    using wire = await Wire.connect(each.port)
    for (let i = 0; i < 2 * OFFENCES; i++) {
      await wire.send(get('/heavy') + get('/light'))
      expect([await textOf(wire), await textOf(wire)]).toEqual(['200 5999995', '200 light'])
    }
  }
  expect(await server.waitForLog(apart)).toMatchObject({ function: 'heavy' })
  await other.stop()
  expect(other.logs().filter(apart)).toEqual([])
  await server.stop()
  expect(server.logs().filter(apart)).toHaveLength(1)
})
