// Several requests in one runtime (limits.requestsPerRuntime): each gets its own answer, and what one does ends no other but where it must.

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SMALL_PIECES_MAX } from '../../src/actor/pieces.ts'
import { ENGINE_VARIANTS } from '../../src/engine/module.ts'
import { Gate } from '../support/gate.ts'
import { type LogLine, type RunningServer, runCommand, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

/** All requests share the module's state, which shows that they share a runtime. */
const CODE = `
import { AsyncLocalStorage } from 'node:async_hooks'
const storage = new AsyncLocalStorage()
let runtime
let inFlight = 0
let waiting = 0
const gates = new Map()
const subscribers = new Set()
let upstream
const gate = (name) => {
  if (!gates.has(name)) { let open; const opened = new Promise((resolve) => { open = resolve }); gates.set(name, { opened, open }) }
  return gates.get(name)
}
let full = () => {}
const ways = {
  runtime: () => ({}),
  async wait(name, { own }) {
    waiting++
    full()
    await gate(own ?? name).opened
    waiting--
    return { name, store: storage.getStore() }
  },
  async full(count) {
    while (waiting < Number(count)) await new Promise((resolve) => { full = resolve })
    return { waiting }
  },
  open(name) { gate(name).open(); return {} },
  async timer(name) { console.log('before ' + name); await new Promise((resolve) => setTimeout(resolve, 5)); console.log('after ' + name); return { name } },
  burn() { for (;;) {} },
  hang() { return { length: (new Array(1e9) + '').length } },
  async burnLater() { await new Promise((resolve) => setTimeout(resolve, 1)); for (;;) {} },
  memory() { const all = []; for (;;) all.push(new Uint8Array(4 << 20)) },
  recursion() { const deeper = () => deeper() + 1; return deeper() },
  calls() { for (;;) performance.now() },
  throws() { throw new Error('mine') },
  never(name, _, request) { request.signal.addEventListener('abort', () => console.log('aborted ' + name)); return new Promise(() => {}) },
  async gone(name, _, request) {
    request.signal.addEventListener('abort', () => { console.log('gone ' + name); gate('gone ' + name).open() })
    waiting++
    full()
    await gate('gone ' + name).opened
    waiting--
    return {}
  },
  later(name, _, request, ctx) { const { waitUntil } = ctx; waitUntil(gate(name).opened.then(() => console.log('later ' + name))); return { name } },
  litter() { setTimeout(() => {}, 60_000); return {} },
  async body(name, _, request) { return { name, text: await request.text() } },
  talk(name, _, request) {
    const encoder = new TextEncoder(), decoder = new TextDecoder()
    return new Response(request.body.pipeThrough(new TransformStream({
      transform(chunk, controller) { controller.enqueue(encoder.encode(name + ' hears ' + decoder.decode(chunk) + ';')) },
    })))
  },
  subscribe(name) {
    let at
    return new Response(new ReadableStream({
      start(controller) { at = controller; subscribers.add(at); controller.enqueue(new TextEncoder().encode('hello ' + name + ';')) },
      cancel() { subscribers.delete(at); console.log('cancelled ' + name) },
    }))
  },
  publish(text) { for (const one of subscribers) one.enqueue(new TextEncoder().encode(text + ';')); return { subscribers: subscribers.size } },
  close() { for (const one of subscribers) one.close(); subscribers.clear(); return {} },
  ticks(_, { gate }) {
    return new Response(new ReadableStream({
      async pull(controller) { await fetch(gate); controller.enqueue(new TextEncoder().encode('tick;')) },
    }))
  },
  begin(_, { port }) { upstream = fetch('http://127.0.0.1:' + port + '/').then((response) => response.text()); return {} },
  async get() { return { text: await upstream } },
}
export default async (request, env, ctx) => {
  runtime ??= crypto.randomUUID()
  const url = new URL(request.url)
  const [, way, name] = url.pathname.split('/')
  inFlight++
  try {
    const result = await storage.run(name, () => ways[way](name, Object.fromEntries(url.searchParams), request, ctx))
    return result instanceof Response ? result : Response.json({ ...result, runtime, path: url.pathname })
  } finally {
    inFlight--
  }
}`
const functionWith = (limits: object = {}, more: object = {}) => ({
  name: 'shared',
  routes: ['/*'],
  code: CODE,
  fetch: { allow: ['http://127.0.0.1:*'] },
  limits: { requestsPerRuntime: 64, ...limits },
  ...more,
})

interface Told {
  readonly status: number
  readonly retryAfter: string | null
  readonly name?: string
  readonly text?: string
  readonly store?: string
  readonly runtime?: string
  readonly path?: string
  readonly error?: string
}

class Client {
  readonly server: RunningServer
  constructor(server: RunningServer) {
    this.server = server
  }

  async ask(path: string, init?: RequestInit): Promise<Told> {
    const response = await fetch(`${this.server.url}${path}`, init).catch(() => undefined)
    if (response === undefined) return { status: 0, retryAfter: null }
    const told = (await response.json()) as object
    return { status: response.status, retryAfter: response.headers.get('retry-after'), ...told }
  }

  /** Requests that wait until `open` is asked; resolves when all of them wait. */
  async waiting(names: readonly string[], query = ''): Promise<Promise<Told>[]> {
    const answers = names.map((name) => this.ask(`/wait/${name}${query}`))
    await this.ask(`/full/${names.length}`)
    return answers
  }
}

async function serve(limits: object = {}, config: object = {}, more: object = {}): Promise<Client> {
  return new Client(await startServer({ config: { functions: [functionWith(limits, more)], ...config } }))
}

/** The same numbers for the same seed. */
function shuffled<T>(values: readonly T[], seed: number): T[] {
  const all = [...values]
  let state = seed
  for (let i = all.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const j = state % (i + 1)
    ;[all[i], all[j]] = [all[j]!, all[i]!]
  }
  return all
}

const NAMES = Array.from({ length: 40 }, (_, i) => `n${i}`)
const hasText = (text: string) => (line: LogLine) => line['msg'] === text
const endedAs = (code: string) => (line: LogLine) =>
  (line['error'] as { name?: string } | undefined)?.name === code

describe.each(ENGINE_VARIANTS)('requests side by side in a runtime of %s', (engine) => {
  let client: Client
  beforeAll(async () => {
    client = new Client(
      await startServer({
        engine,
        config: { functions: [functionWith()], limits: { inlineBodyBytes: 10, cpuMs: 300 } },
      }),
    )
  })
  afterAll(() => client.server[Symbol.asyncDispose]())

  test('each gets its own answer, in whatever order they end', async () => {
    const seed = Date.now() & 0xffff
    const answers = await client.waiting(NAMES)
    for (const name of shuffled(NAMES, seed))
      expect((await client.ask(`/open/${name}`)).status, `seed ${seed}`).toBe(200)
    const all = await Promise.all(answers)
    expect(all.map(({ name, path }) => [name, path])).toEqual(NAMES.map((name) => [name, `/wait/${name}`]))
    expect(all.map(({ store }) => store)).toEqual(NAMES)
    expect(new Set(all.map(({ runtime }) => runtime)).size).toBe(1)
  })

  test('who waits for the same promise is answered for himself, in his own AsyncLocalStorage frame', async () => {
    const answers = await client.waiting(NAMES, '?own=all')
    await client.ask('/open/all')
    const all = await Promise.all(answers)
    expect(all.map(({ name, store }) => [name, store])).toEqual(NAMES.map((name) => [name, name]))
  })

  test('a call goes on for others when the request that began it has ended', async () => {
    let release: ((response: ServerResponse) => void) | undefined
    const asked = new Promise<ServerResponse>((resolve) => {
      release = resolve
    })
    const upstream = createServer((_, response) => release!(response)).listen(0, '127.0.0.1')
    await new Promise((resolve) => upstream.once('listening', resolve))
    try {
      const others = await client.waiting(['holds'])
      expect((await client.ask(`/begin/x?port=${(upstream.address() as AddressInfo).port}`)).status).toBe(200)
      const response = await asked
      const got = client.ask('/get/it')
      response.end('from upstream')
      expect(await got).toMatchObject({ status: 200, text: 'from upstream' })
      await client.ask('/open/holds')
      await Promise.all(others)
    } finally {
      upstream.close()
    }
  })

  test('console lines before and after a wait have the number of their request', async () => {
    const names = ['a', 'b', 'c']
    await Promise.all(names.map((name) => client.ask(`/timer/${name}`)))
    const numbers: unknown[] = []
    for (const name of names) {
      const before = await client.server.waitForLog(hasText(`before ${name}`))
      const after = await client.server.waitForLog(hasText(`after ${name}`))
      expect(before['request']).toBe(after['request'])
      numbers.push(before['request'])
    }
    expect(new Set(numbers).size).toBe(3)
  })

  test('a handler that throws fails alone', async () => {
    const answers = await client.waiting(['calm'])
    expect(await client.ask('/throws/x')).toMatchObject({ status: 500, error: 'handler-failed' })
    await client.ask('/open/calm')
    expect(await answers[0]).toMatchObject({ status: 200, name: 'calm' })
  })

  test('waitUntil goes on after its answer, for its own request', async () => {
    const [beside, slow] = await client.waiting(['beside', 'slow'])
    expect(await client.ask('/later/job')).toMatchObject({ status: 200, name: 'job' })
    await client.ask('/open/beside')
    await beside
    await client.ask('/open/job')
    await client.server.waitForLog(hasText('later job'))
    await client.ask('/open/slow')
    expect(await slow).toMatchObject({ status: 200, name: 'slow' })
  })

  test('when a client goes its own signal aborts, and nobody else notices', async () => {
    const { runtime } = await client.ask('/runtime')
    using wire = await Wire.connect(client.server.port)
    await wire.send('GET /gone/one HTTP/1.1\r\nHost: x\r\n\r\n')
    const answers = [client.ask('/wait/two')]
    await client.ask('/full/2')
    wire.socket.resetAndDestroy()
    await client.server.waitForLog(hasText('gone one'))
    await client.ask('/open/two')
    expect(await answers[0]).toMatchObject({ status: 200, name: 'two', runtime })
    expect(await client.ask('/runtime')).toMatchObject({ status: 200, runtime })
  })

  test('what one request sends reaches the streams of others, and those end well', async () => {
    const names = ['x', 'y', 'z']
    const responses = await Promise.all(names.map((name) => fetch(`${client.server.url}/subscribe/${name}`)))
    const texts = responses.map((response) => response.text())
    expect(await client.ask('/publish/first')).toMatchObject({ subscribers: 3 })
    // Pipelined, so that a record of the publisher's own connection is open.
    using wire = await Wire.connect(client.server.port)
    const publish = (text: string) => `GET /publish/${text} HTTP/1.1\r\nHost: x\r\n\r\n`
    await wire.send(publish('second') + publish('third'))
    for (let i = 0; i < 2; i++)
      expect(JSON.parse((await wire.read()).body.toString())).toMatchObject({ subscribers: 3 })
    await client.ask('/close/all')
    expect(await Promise.all(texts)).toEqual(names.map((name) => `hello ${name};first;second;third;`))
  })

  test('bodies that come piece by piece stay apart', async () => {
    const wires = await Promise.all(['p', 'q'].map(() => Wire.connect(client.server.port)))
    try {
      const head = (name: string) =>
        `POST /body/${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`
      for (const [i, wire] of wires.entries())
        await wire.send(`${head('pq'[i]!)}14\r\n${'pq'[i]!.repeat(20)}\r\n`)
      for (let round = 0; round < 3; round++)
        for (const [i, wire] of wires.entries()) await wire.send(`5000\r\n${'pq'[i]!.repeat(0x5000)}\r\n`)
      for (const wire of wires) await wire.send('0\r\n\r\n')
      for (const [i, wire] of wires.entries()) {
        const { name, text } = JSON.parse((await wire.read()).body.toString()) as Told
        expect([name, text === 'pq'[i]!.repeat(20 + 3 * 0x5000)]).toEqual(['pq'[i], true])
      }
    } finally {
      for (const wire of wires) wire.socket.destroy()
    }
  })

  test('conversations in small pieces stay apart, those of them that wait for a time too', async () => {
    const names = ['p', 'q']
    const wires = await Promise.all(names.map(() => Wire.connect(client.server.port)))
    try {
      for (const [i, wire] of wires.entries())
        await wire.send(
          `POST /talk/${names[i]} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello there\r\n`,
        )
      const hear = async (text: string) => {
        for (const [i, wire] of wires.entries())
          while (!wire.unread.includes(`${names[i]} hears ${text};`))
            await wire.receive(wire.receivedBytes + 1)
      }
      await hear('hello there')
      for (let word = 0; word < SMALL_PIECES_MAX + 3; word++) {
        for (const wire of wires) await wire.send(`3\r\n${100 + word}\r\n`)
        await hear(`${100 + word}`)
      }
      for (const wire of wires) await wire.send('0\r\n\r\n')
      for (const [i, wire] of wires.entries()) {
        const words = [
          'hello there',
          ...Array.from({ length: SMALL_PIECES_MAX + 3 }, (_, word) => 100 + word),
        ]
        expect((await wire.read('POST')).body.toString()).toBe(
          words.map((word) => `${names[i]} hears ${word};`).join(''),
        )
      }
    } finally {
      for (const wire of wires) wire.socket.destroy()
    }
  })

  test.each([
    ['burn', 503, 'cpu-limit'],
    ['burnLater', 503, 'cpu-limit'],
    ['memory', 503, 'memory-limit'],
    ['calls', 500, 'host-call-limit'],
  ])(
    '%s ends its runtime: it gets its own answer, the others are told, the next is served',
    async (way, status, error) => {
      const stream = await fetch(`${client.server.url}/subscribe/s`)
      const whole = stream.text().then(
        () => 'whole',
        () => 'cut',
      )
      const answers = await client.waiting(['a', 'b'])
      expect(await client.ask(`/${way}/x`)).toMatchObject({ status, error })
      for (const answer of await Promise.all(answers))
        expect(answer).toMatchObject({ status: 503, error: 'runtime-lost', retryAfter: '1' })
      expect(await whole).toBe('cut')
      const lost = await client.server.waitForLog(endedAs('runtime-lost'))
      expect((lost['error'] as { message: string }).message).toMatch(
        /-limit of request \d+, which was served beside it/,
      )
      expect((await client.ask('/runtime')).status).toBe(200)
    },
  )

  test('what nothing but the watchdog ends: it gets its own answer, the others are told, the next is served', async () => {
    const stream = await fetch(`${client.server.url}/subscribe/s`)
    const whole = stream.text().then(
      () => 'whole',
      () => 'cut',
    )
    const answers = await client.waiting(['a', 'b'])
    expect(await client.ask('/hang/x')).toMatchObject({ status: 503, error: 'cpu-limit' })
    for (const answer of await Promise.all(answers))
      expect(answer).toMatchObject({ status: 502, error: 'shard-restarted' })
    expect(await whole).toBe('cut')
    await client.server.waitForLog(({ msg }) => String(msg).startsWith('actor ended'))
    expect((await client.ask('/runtime')).status).toBe(200)
  })

  test('a recursion that is caught by the glue fails alone', async () => {
    const answers = await client.waiting(['calm'])
    expect(await client.ask('/recursion/x')).toMatchObject({ status: 500, error: 'stack-limit' })
    await client.ask('/open/calm')
    expect((await answers[0]!).status).toBe(200)
  })
})

describe('a runtime with several requests', () => {
  test('goes on with the others when one has waited too long, and takes no further one', async () => {
    const client = await serve({ wallMs: 300, cpuMs: 100 })
    await using _ = client.server
    const { runtime } = await client.ask('/runtime')
    using gate = await Gate.open()
    const stream = await fetch(`${client.server.url}/ticks/t?gate=${gate.url}`)
    const reader = stream.body!.getReader()
    expect(await client.ask('/never/one')).toMatchObject({ status: 504, error: 'wall-limit' })
    await client.server.waitForLog(hasText('aborted one'))
    const other = await client.ask('/runtime')
    expect(other.status).toBe(200)
    expect(other.runtime).not.toBe(runtime)
    for (let i = 0; i < 3; i++) {
      await gate.waiting(1)
      gate.release()
      expect((await reader.read()).done).toBe(false)
    }
    await reader.cancel()
  })

  test('with isolation "bounded" takes no further one after so many, and is reset after the last', async () => {
    const client = await serve(
      {},
      { bounded: { requests: 3 }, pool: { maxPerFunction: 2 } },
      { isolation: 'bounded' },
    )
    await using _ = client.server
    // Until the end: the way to its gate is closed with its runtime.
    await client.waiting(['hold'])
    const seen: unknown[] = []
    for (let i = 0; i < 6; i++) seen.push((await client.ask('/runtime')).runtime)
    // The first has served what asked for the waiting one as well.
    const [first, second, third] = [...new Set(seen)]
    expect(seen).toEqual([first, first, second, second, second, third])
  })

  test('is not the worse for timers that its requests leave behind', async () => {
    const client = await serve({ timers: 2 })
    await using _ = client.server
    const answers = await client.waiting(['hold'])
    for (let i = 0; i < 15; i++) expect((await client.ask('/litter')).status).toBe(200)
    await client.ask('/open/hold')
    expect((await answers[0]!).status).toBe(200)
  })

  test('serves no more than limits.concurrency at once; a further one waits, and not for long', async () => {
    const client = await serve(
      { requestsPerRuntime: 3, concurrency: 3, wallMs: 400, cpuMs: 100 },
      { pool: { queueMs: 20 } },
    )
    await using _ = client.server
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((name) => client.ask(`/wait/${name}`)))
    expect(all.map(({ error }) => error).sort()).toEqual([
      'pool-exhausted',
      'wall-limit',
      'wall-limit',
      'wall-limit',
    ])
  })

  test('stops when the server does', async () => {
    const client = await serve({}, { timeouts: { shutdownMs: 50 } })
    const answers = await client.waiting(['a', 'b'])
    const { code } = await client.server.stop()
    expect(code).toBe(0)
    for (const answer of await Promise.all(answers))
      expect(answer).toMatchObject({ status: 503, error: 'shutting-down' })
    await client.server[Symbol.asyncDispose]()
  })
})

test('what contradicts itself is refused before anything listens', async () => {
  const isolated = await runCommand({ config: { functions: [functionWith({}, { isolation: 'request' })] } })
  expect(isolated.code).toBe(2)
  expect(isolated.stderr).toContain('functions[0].limits.requestsPerRuntime (64, ')
  expect(isolated.stderr).toContain('must be 1 where functions[0].isolation is "request"')
  const many = await runCommand({ config: { functions: [functionWith({ requestsPerRuntime: 65 })] } })
  expect(many.code).toBe(2)
  expect(many.stderr).toContain('functions[0].limits.requestsPerRuntime (65, ')
  expect(many.stderr).toContain('must be at most limits.concurrency (64, default)')
})
