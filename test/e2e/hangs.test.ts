import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINE_VARIANTS } from '../../src/engine/module.ts'
import { field } from '../support/answer-parser.ts'
import { barrier } from '../support/expectations.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

/** What a guest can do that the engine does not interrupt in time, or at all; and what it does. */
const HANGS: Record<string, string> = {
  'a join of a huge array': "return Response.text(String((new Array(1e9) + '').length))",
  'a search in a huge text':
    "return Response.text(String('x'.repeat(2 ** 25).indexOf('x'.repeat(2 ** 12) + 'y')))",
  'a big sort': 'for (;;) Array.from({ length: 3e5 }, (_, i) => (i * 7919) % 1e6).sort()',
  'a BigInt power': 'const big = 7n ** 150000n; for (;;) big * big',
  'a backtracking regular expression': "return Response.text(String(/^(a+)+$/.test('a'.repeat(40) + 'b')))",
  'a loop': 'for (;;) {}',
  'a loop in a getter': 'const o = { get x() { for (;;) {} } }; return Response.text(o.x)',
  'a loop in toJSON': 'return Response.json({ toJSON() { for (;;) {} } })',
  'a loop in a Proxy trap': 'const p = new Proxy({}, { get() { for (;;) {} } }); return Response.text(p.x)',
  'a chain of promises': 'const again = () => Promise.resolve().then(again); await again()',
  'a fill of a huge array': 'const a = new Uint8Array(3e7); for (;;) a.fill(1).sort()',
}

/** Tells that it is about to hang: a line of an error is written at once. */
const HANG = `export default () => {
  console.error('hangs')
  return Response.text(String((new Array(1e9) + '').length))
}`

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ringlet.test\r\n\r\n`
const hanging = (name: string, at: number) => ({
  name: `hang-${at}`,
  routes: [`/hang-${at}`],
  code: `export default async () => { ${HANGS[name]} }`,
})

describe.each(ENGINE_VARIANTS)('on %s', (engine) => {
  describe('a guest that does not stop', () => {
    let server: RunningServer
    beforeAll(async () => {
      const functions = [
        { name: 'good', routes: ['/good', '/'], code: 'export default () => Response.json({ good: true })' },
        ...Object.keys(HANGS).map(hanging),
      ]
      server = await startServer({
        engine,
        args: ['--cores', '2'],
        config: { functions, limits: { cpuMs: 50 }, watchdog: { graceMs: 100, strikes: 100 } },
      })
    })
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]()
    })

    test.each(Object.keys(HANGS).map((name, at) => [name, at] as const))(
      '%s gets its limit, on every shard, and the next request its answer',
      async (_, at) => {
        const wires = await Promise.all([Wire.connect(server.port), Wire.connect(server.port)])
        for (const wire of wires) {
          await wire.send(GET(`/hang-${at}`))
          const answer = await wire.read()
          expect([answer.status, JSON.parse(answer.body.toString()).error]).toEqual([503, 'cpu-limit'])
          wire[Symbol.dispose]()
          using next = await Wire.connect(server.port)
          await next.send(GET('/good'))
          expect((await next.read()).body.toString()).toBe('{"good":true}')
        }
      },
    )

    test('idle connections of a shard outlive its thread; requests in flight are answered', async () => {
      const wires = await Promise.all(Array.from({ length: 4 }, () => Wire.connect(server.port)))
      for (const wire of wires) await barrier(wire)
      await wires[0]!.send(GET('/hang-0'))
      expect((await wires[0]!.read()).status).toBe(503)
      for (const wire of wires.slice(1)) {
        await barrier(wire)
        wire[Symbol.dispose]()
      }
      wires[0]![Symbol.dispose]()
    })

    test('says in the log which function, which limit, and for how long', async () => {
      const line = await server.waitForLog(({ msg }) => String(msg).startsWith('actor ended'))
      expect(line).toMatchObject({
        level: 50,
        cpuMs: 50,
        graceMs: 100,
        function: expect.stringMatching(/^hang-/),
      })
      expect(Number(line['ranMs'])).toBeGreaterThanOrEqual(100)
    })
  })

  test('a function that hangs its shard again and again is quarantined, and served again later', async () => {
    await using server = await startServer({
      engine,
      config: {
        functions: [
          { name: 'good', routes: ['/good'], code: "export default () => Response.text('good')" },
          {
            name: 'bad',
            routes: ['/bad', '/bad/fine'],
            code: `export default ({ url }) => url.endsWith('fine') ? Response.text('fine') : Response.text(String((new Array(1e9) + '').length))`,
          },
        ],
        watchdog: { graceMs: 50, strikes: 2, quarantineMs: 1500 },
      },
    })
    for (let strike = 0; strike < 2; strike++) {
      using wire = await Wire.connect(server.port)
      await wire.send(GET('/bad'))
      expect((await wire.read()).status).toBe(503)
    }
    using wire = await Wire.connect(server.port)
    await wire.send(GET('/bad/fine') + GET('/good'))
    const refused = await wire.read()
    expect([refused.status, JSON.parse(refused.body.toString()).error]).toEqual([503, 'quarantined'])
    expect(Number(field(refused, 'retry-after'))).toBeGreaterThan(0)
    expect((await wire.read()).body.toString()).toBe('good')
    await server.waitForLog(({ msg, function: name }) => msg === 'function quarantined' && name === 'bad')
    await expect
      .poll(
        async () => {
          await wire.send(GET('/bad/fine'))
          return (await wire.read()).status
        },
        { timeout: 10_000 },
      )
      .toBe(200)
  })

  test('a client that resets its connection stops the guest code that runs for it', async () => {
    await using server = await startServer({
      engine,
      config: {
        functions: [
          { name: 'good', routes: ['/good'], code: "export default () => Response.text('good')" },
          {
            name: 'slow',
            routes: ['/slow'],
            code: "export default () => { console.log('runs'); for (;;) {} }",
          },
        ],
        limits: { cpuMs: 60_000, wallMs: 60_000 },
      },
    })
    const gone = await Wire.connect(server.port)
    // A reset that comes before the server has accepted can look like the end of what the client has to say.
    await gone.send(GET('/good'))
    await gone.read()
    await gone.send(GET('/slow'))
    using waiting = await Wire.connect(server.port)
    await waiting.send(GET('/good'))
    gone.reset()
    gone[Symbol.dispose]()
    expect((await waiting.read()).body.toString()).toBe('good')
  })

  test.each([
    [
      'cpu-limit',
      'spin',
      /^limit 30 ms of processor time$/,
      / at busy \((handler\.ts:1:\d+|missing)\)\n.* at .*\(handler\.ts:4:\d+\)/,
    ],
    ['cpu-limit', 'later', /^limit 30 ms of processor time$/, / at busy \((handler\.ts:1:\d+|missing)\)/],
    [
      'stack-limit',
      'deep',
      /^limit 262144 bytes of stack$/,
      / at deep \(handler\.ts:2:\d+\)\n(.*\n {4}\.\.\. \d+ more$|( {4}at deep \(handler\.ts:2:\d+\)\n)+$)/s,
    ],
  ])(
    'the log of a %s names the limit, its value, what was used, and the place: %s',
    async (code, path, message, stack) => {
      await using server = await startServer({
        engine,
        args: ['handler.ts'],
        handlerFiles: {
          'handler.ts': `const busy = (): never => { for (;;) {} }
const deep = (n: number): number => deep(n + 1) + 1
export default async ({ url }: Request) => {
  if (url.endsWith('spin')) busy()
  if (url.endsWith('later')) { await null; busy() }
  return Response.text(String(deep(0)))
}
`,
        },
        config: { limits: { cpuMs: 30 } },
      })
      using wire = await Wire.connect(server.port)
      await wire.send(GET(`/${path}`))
      expect(JSON.parse((await wire.read()).body.toString()).error).toBe(code)
      const line = await server.waitForLog(({ msg }) => msg === 'request ended by its host')
      const { error, ...rest } = line as { error: { name: string; message: string; stack: string } }
      expect(error.name).toBe(code)
      expect(error.message).toMatch(message)
      expect(error.stack).toMatch(stack)
      expect(rest).toMatchObject({
        function: 'handler',
        cpuMs: expect.any(Number),
        heapBytes: expect.any(Number),
      })
    },
  )

  test('the log of a memory-limit names how full the memory became', async () => {
    const code = `export default () => { const all = []; for (;;) all.push(new Uint8Array(1e6)) }`
    await using server = await startServer({ engine, args: ['-e', code] })
    using wire = await Wire.connect(server.port)
    await wire.send(GET('/'))
    expect(JSON.parse((await wire.read()).body.toString()).error).toBe('memory-limit')
    const { heapBytes } = await server.waitForLog(({ msg }) => msg === 'request ended by its host')
    expect(heapBytes).toBeGreaterThan(32 << 20)
    expect(heapBytes).toBeLessThanOrEqual(64 << 20)
  })

  test('what a handler does after its answer has the same limit, and counts as an offence', async () => {
    await using server = await startServer({
      engine,
      config: {
        functions: [
          {
            name: 'late',
            routes: ['/late'],
            code: `const a = new Array(3e5).fill(0)
export default (r, env, ctx) => { ctx.waitUntil(new Promise(() => setInterval(() => a.indexOf(1), 1))); return Response.text('answered') }`,
          },
        ],
        limits: { cpuMs: 30 },
        penalty: { offences: 1 },
      },
    })
    using wire = await Wire.connect(server.port)
    await wire.send(GET('/late'))
    expect((await wire.read()).body.toString()).toBe('answered')
    const line = await server.waitForLog(({ msg }) => msg === 'request ended by its host')
    expect(line).toMatchObject({ error: { name: 'cpu-limit' } })
    await server.waitForLog(({ msg }) => String(msg).startsWith('function served apart'))
  })
})

test('what comes while a guest hangs its shard is served once by the next thread; what was begun is told', async () => {
  await using server = await startServer({
    args: ['--cores', '1'],
    config: {
      log: { level: 'info' },
      functions: [
        {
          name: 'good',
          routes: ['/good'],
          code: 'export default async (r) => { const text = await r.text(); console.info(text); return Response.text(text) }',
        },
        { name: 'bad', routes: ['/bad'], code: HANG },
      ],
      watchdog: { graceMs: 100 },
    },
  })
  const post = (text: string) =>
    `POST /good HTTP/1.1\r\nHost: ringlet.test\r\nContent-Length: ${text.length}\r\n\r\n${text}`
  const [bad, begun, known, piped] = await Promise.all([1, 2, 3, 4].map(() => Wire.connect(server.port)))
  // The shard has read this when it answers what comes behind.
  await begun!.send(post('begun').slice(0, -2))
  for (const wire of [known!, piped!, bad!]) await barrier(wire)
  await bad!.send(GET('/bad'))
  await server.waitForLog(({ msg }) => msg === 'hangs')
  const fresh = await Wire.connect(server.port)
  await begun!.send('un')
  await known!.send(post('known'))
  await piped!.send(post('first') + post('second'))
  await fresh.send(post('fr'))
  expect((await bad!.read()).status).toBe(503)
  expect((await begun!.read()).status).toBe(502)
  await fresh.send(post('again'))
  const texts: string[] = []
  for (const wire of [known!, piped!, piped!, fresh, fresh]) {
    const answer = await wire.read()
    expect(answer.status).toBe(200)
    texts.push(answer.body.toString())
  }
  expect(texts).toEqual(['known', 'first', 'second', 'fr', 'again'])
  for (const text of texts) await server.waitForLog(({ msg }) => msg === text)
  const served = server.logs().flatMap(({ msg }) => (texts.includes(String(msg)) ? [msg] : []))
  expect(served.toSorted()).toEqual(texts.toSorted())
  for (const wire of [bad!, begun!, known!, piped!, fresh]) wire[Symbol.dispose]()
})
