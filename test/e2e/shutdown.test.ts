import { describe, expect, test } from 'vitest'
import { field, json } from '../support/answer-parser.ts'
import { barrier } from '../support/expectations.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const HOST = 'Host: ringlet.test'
const get = (path: string) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n\r\n`

/** `/wait?ms=N` answers after N milliseconds, `/` at once. The barrier's path is nobody's: it needs no runtime. */
const WAITING = `export default async (request: Request) => {
  const ms = Number(new URL(request.url).searchParams.get('ms') ?? 0)
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
  return Response.json({ waited: ms })
}
`

function start(shutdownMs = 5_000, cores = 1): Promise<RunningServer> {
  return startServer({
    args: ['--cores', String(cores)],
    handlerFiles: { 'waiting.ts': WAITING },
    config: {
      functions: [{ name: 'waiting', file: 'waiting.ts', routes: ['/', '/wait'] }],
      limits: { wallMs: 60_000 },
      timeouts: { shutdownMs },
      // Sixteen at once take two rounds of eight runtimes: on a busy machine longer than requests wait by default.
      pool: { queueMs: 20_000 },
    },
  })
}

/** Resolves when the server takes no new connections. */
async function refusesConnections(port: number): Promise<void> {
  for (;;) {
    const refused = await Wire.connect(port).then(
      (wire) => {
        wire[Symbol.dispose]()
        return false
      },
      () => true,
    )
    if (refused) return
  }
}

/** Asks again and again on one connection until it ends; every answer must be whole. */
async function askUntilClosed(port: number): Promise<{ answered: number; announced: boolean }> {
  using wire = await Wire.connect(port)
  let answered = 0
  for (;;) {
    await wire.sendMaybe(get('/'))
    const answer = await wire.read().catch((error: unknown) => error as Error)
    if (answer instanceof Error) {
      // The request and the close crossed on the way: allowed only when no byte of an answer had come.
      expect(wire.unread.length, answer.message).toBe(0)
      return { answered, announced: false }
    }
    expect(answer.status).toBe(200)
    answered++
    if (field(answer, 'connection') === 'close') return { answered, announced: true }
  }
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('answers what is in flight with Connection: close, takes nothing new, exits 0', async () => {
    await using server = await start()
    const wires = await Promise.all(Array.from({ length: 16 }, () => Wire.connect(server.port)))
    for (const wire of wires) await wire.send(get('/wait?ms=400'))
    using probe = await Wire.connect(server.port)
    await barrier(probe)
    const exit = server.stop(signal)
    await refusesConnections(server.port)
    for (const wire of wires) {
      const answers = await wire.readToEnd()
      expect(answers).toHaveLength(1)
      expect(json(answers[0]!)).toEqual({ waited: 400 })
      expect(field(answers[0]!, 'connection')).toBe('close')
      wire[Symbol.dispose]()
    }
    expect(await exit).toMatchObject({ code: 0, signal: null, stderr: '' })
  })

  test('closes idle connections at once and exits 0', async () => {
    await using server = await start()
    const wires = await Promise.all(Array.from({ length: 8 }, () => Wire.connect(server.port)))
    for (const [at, wire] of wires.entries()) {
      if (at % 2 === 0) continue
      await wire.send(get('/'))
      await wire.read()
    }
    const started = performance.now()
    const exit = await server.stop(signal)
    expect(exit).toMatchObject({ code: 0, signal: null })
    expect(performance.now() - started).toBeLessThan(4_000)
    for (const wire of wires) {
      expect(await wire.readToEnd()).toEqual([])
      wire[Symbol.dispose]()
    }
  })
})

describe('under load', () => {
  test.each([1, 2])('every answer is whole and the exit is 0 (cores: %i)', async (cores) => {
    await using server = await start(5_000, cores)
    const clients = Array.from({ length: 24 }, () => askUntilClosed(server.port))
    using probe = await Wire.connect(server.port)
    for (let count = 0; count < 200; count++) await barrier(probe)
    const exit = server.stop('SIGTERM')
    const outcomes = await Promise.all(clients)
    expect(await exit).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(outcomes.reduce((sum, { answered }) => sum + answered, 0)).toBeGreaterThan(200)
    expect(outcomes.filter(({ answered }) => answered === 0)).toEqual([])
  })

  test('a pipeline in flight is answered in order; the last answer announces the close', async () => {
    await using server = await start()
    using wire = await Wire.connect(server.port)
    await wire.send(get('/wait?ms=300') + get('/wait?ms=1') + get('/wait?ms=2'))
    using probe = await Wire.connect(server.port)
    await barrier(probe)
    const exit = server.stop('SIGTERM')
    const answers = await wire.readToEnd()
    const waited = answers.map((answer) => json<{ waited: number }>(answer).waited)
    expect(waited).toEqual([300, 1, 2].slice(0, waited.length))
    expect(waited.length).toBeGreaterThan(0)
    expect(field(answers.at(-1)!, 'connection')).toBe('close')
    for (const answer of answers.slice(0, -1)) expect(field(answer, 'connection')).not.toBe('close')
    expect((await exit).code).toBe(0)
  })
})

describe('bounded', () => {
  test('a request that takes longer than the shutdown may does not hold it', async () => {
    await using server = await start(400)
    using wire = await Wire.connect(server.port)
    await wire.send(get('/wait?ms=30000'))
    using probe = await Wire.connect(server.port)
    await barrier(probe)
    const started = performance.now()
    const exit = await server.stop('SIGTERM')
    expect(exit).toMatchObject({ code: 0, signal: null })
    const tookMs = performance.now() - started
    expect(tookMs).toBeGreaterThan(300)
    expect(tookMs).toBeLessThan(4_000)
    const answers = await wire.readToEnd()
    expect(answers.filter(({ status }) => status < 500)).toEqual([])
  })

  test('a client that does not read its answer does not hold it', async () => {
    const big = "export default () => new Response('x'.repeat(4_000_000))"
    await using server = await startServer({
      args: ['-e', big],
      config: { timeouts: { shutdownMs: 400 }, limits: { cpuMs: 2_000 } },
    })
    using wire = await Wire.connect(server.port)
    wire.socket.pause()
    await wire.send(get('/').repeat(20))
    const started = performance.now()
    expect(await server.stop('SIGTERM')).toMatchObject({ code: 0, signal: null })
    expect(performance.now() - started).toBeLessThan(4_000)
  })

  test('a handler in an endless loop does not hold it', async () => {
    const loop =
      "export default (request) => { if (request.url.endsWith('/loop')) for (;;); return new Response('') }"
    await using server = await startServer({
      args: ['-e', loop],
      config: { timeouts: { shutdownMs: 400 }, limits: { cpuMs: 30_000, wallMs: 60_000 } },
    })
    using wire = await Wire.connect(server.port)
    await wire.send(get('/loop'))
    const started = performance.now()
    const exit = await server.stop('SIGTERM')
    expect(exit.signal).toBeNull()
    expect(performance.now() - started).toBeLessThan(4_000)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('a second signal (%s) ends it at once', async (second) => {
    await using server = await start(60_000)
    using wire = await Wire.connect(server.port)
    await wire.send(get('/wait?ms=50000'))
    using idle = await Wire.connect(server.port)
    await barrier(idle)
    server.kill('SIGTERM')
    // The end of an idle connection is the sign that the first signal has been taken.
    await idle.waitForEnd()
    const started = performance.now()
    const exit = await server.stop(second)
    expect(exit.code === 0 && exit.signal === null).toBe(false)
    expect(performance.now() - started).toBeLessThan(4_000)
  })
})
