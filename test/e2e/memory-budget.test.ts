import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { residentBytes } from '../support/process-memory.ts'
import { type RunningServer, runCommand, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const MIB = 2 ** 20

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const errorOf = (body: Buffer): string => (JSON.parse(body.toString()) as { error: string }).error

describe('at the start', () => {
  test('the bound is one log line, and its terms add up to the budget', async () => {
    await using server = await startServer({
      args: ['-e', '() => new Response("x")'],
      config: { memoryBudget: 700 * MIB },
    })
    const line = await server.waitForLog(({ msg }) => msg === 'memory budget')
    const { budget, process, images, connections, rings, buffers, runtimes, penaltyRuntimes } =
      line as Record<string, number>
    expect(budget).toBe(700 * MIB)
    const terms = [process, images, connections, rings, buffers, runtimes, penaltyRuntimes] as number[]
    expect(terms.every((bytes) => bytes > 0)).toBe(true)
    const total = terms.reduce((sum, bytes) => sum + bytes, 0)
    expect(total).toBeLessThanOrEqual(700 * MIB)
    expect(total).toBeGreaterThan(699 * MIB)
  })

  test('a budget that one runtime a shard does not fit into ends it with 2, and says what to change', async () => {
    const { code, stderr } = await runCommand({
      args: ['-e', '() => new Response("x")'],
      config: { memoryBudget: 150 * MIB },
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^ringlet: memoryBudget \(157286400\) is less than the \d+ bytes that one runtime/)
    expect(stderr).toContain('limits.memoryBytes (67108864)')
  })
})

describe('300 functions in a budget for a few dozen runtimes', () => {
  const COUNT = 300
  const BUDGET_BYTES = 448 * MIB
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer({
      config: {
        memoryBudget: BUDGET_BYTES,
        acceptor: { maxConnections: 100 },
        connection: { bufferedBytes: 8 * MIB },
        limits: { memoryBytes: 20 * MIB },
        penalty: { offences: 0 },
        functions: Array.from({ length: COUNT }, (_, i) => ({
          name: `f${i}`,
          code: `let calls = 0
            export default () => new Response('${i} ' + ++calls)`,
          routes: [`/${i}`],
        })),
      },
    })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('each answers, again and again, and the process stays within the budget', async () => {
    using wire = await Wire.connect(server.port)
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < COUNT; i++) {
        await wire.send(get(`/${i}`))
        const { status, body } = await wire.read()
        expect([status, body.toString().split(' ')[0]]).toEqual([200, String(i)])
      }
    }
    expect(residentBytes(server.pid)).toBeLessThan(BUDGET_BYTES)
    expect(server.logs().filter(({ level }) => Number(level) >= 40)).toEqual([])
    expect((await server.stop()).code).toBe(0)
    const stopped = server.logs().at(-1) as Record<string, number | string>
    expect(stopped).toMatchObject({ msg: 'stopped', answers: 2 * COUNT, growthRefused: 0, condemned: 0 })
    expect(stopped['loaded']).toBeGreaterThanOrEqual(COUNT)
    expect(stopped['runtimePeakBytes']).toBeLessThan(BUDGET_BYTES)
  })
})

describe('a few clients that would have the server keep much for them', () => {
  const BUFFERED_BYTES = 2 * MIB
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer({
      args: ['handler.js'],
      handlerFiles: {
        'handler.js': `const large = 'x'.repeat(500_000)
          export default (request) => new Response(request.url.endsWith('/large') ? large : 'small')`,
      },
      config: {
        connection: { bufferedBytes: BUFFERED_BYTES, sendWindowBytes: 65_536 },
        limits: { inlineBodyBytes: MIB, bodyBytes: MIB },
      },
    })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const isFine = async () => {
    using wire = await Wire.connect(server.port)
    // In two pieces: a head has to be kept for it as well.
    await wire.send('GET /small HTTP/1.1\r\nHo', 'st: a\r\n\r\n')
    expect((await wire.read()).body.toString()).toBe('small')
  }

  test('bodies that do not come to their end: who does not fit is refused, nobody else', async () => {
    const part = Buffer.alloc(200_000, 'b')
    const wires: Wire[] = []
    const refused: string[] = []
    try {
      for (let i = 0; i < 20; i++) {
        const wire = await Wire.connect(server.port)
        wires.push(wire)
        await wire.sendMaybe('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n', part)
        void wire.read().then(
          ({ status, body }) => refused.push(`${status} ${errorOf(body)}`),
          () => {},
        )
      }
      await expect.poll(() => refused.length).toBeGreaterThan(10)
      expect(new Set(refused)).toEqual(new Set(['503 buffers-full']))
      expect(refused.length).toBeLessThan(20)
      await isFine()
    } finally {
      for (const wire of wires) wire[Symbol.dispose]()
    }
    await isFine()
  })

  test('answers that are not read: who does not fit is told so or closed, nobody else', async () => {
    const wires: Wire[] = []
    try {
      for (let i = 0; i < 12; i++) {
        const wire = await Wire.connect(server.port)
        wire.socket.pause()
        wires.push(wire)
        await wire.send(get('/large').repeat(40))
      }
      await isFine()
      const full = await server.waitForLog(
        ({ error }) => (error as { name?: string } | undefined)?.name === 'buffers-full',
      )
      expect(full).toBeDefined()
      await isFine()
      wires[0]!.socket.resume()
      expect((await wires[0]!.read()).body.length).toBe(500_000)
    } finally {
      for (const wire of wires) wire[Symbol.dispose]()
    }
    await isFine()
  })
})
