import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINE_VARIANTS } from '../../src/engine/module.ts'
import { type RunningServer, startServer } from '../support/server.ts'

const CPU_MS = 100
const WALL_MS = 3_000
const MIB = 1024 * 1024

/** Handlers that do not stop by themselves, by the name of their path. */
const ATTACKS = `
const forever = (): Promise<void> => Promise.resolve().then(forever)
const deep = (n: number): number => deep(n + 1) + 1
const nest = (n: number): unknown => { let list: unknown = []; for (let at = 0; at < n; at++) list = [list]; return list }
const hold: unknown[] = []

const attacks: Record<string, () => unknown> = {
  '/loop': () => { for (;;); },
  '/caught-loop': () => { try { for (;;); } catch { return Response.text('caught') } finally { hold.length = 0 } },
  '/async-loop': async () => { await new Promise((resolve) => setTimeout(resolve, 5)); for (;;); },
  '/timer-loop': () => new Promise(() => setTimeout(() => { for (;;); }, 5)),
  '/job-loop': () => forever(),
  '/generator-loop': () => [...(function* () { for (;;) yield 1 })()].length,
  '/sort-loop': () => [3, 2, 1].sort(() => { for (;;); }),
  '/json-loop': () => Response.json({ toJSON() { for (;;); } }),
  '/regexp': () => Response.json(/^(a+)+$/.test('a'.repeat(40) + 'b')),
  '/never': () => new Promise(() => setTimeout(() => undefined, 3_600_000)),
  '/hopeless': () => new Promise(() => undefined),
  '/strings': () => { const kept: string[] = []; for (;;) kept.push('x'.repeat(100_000) + kept.length) },
  '/one-string': () => { let text = 'x'; for (;;) text += text },
  '/arrays': () => { const kept: unknown[] = []; for (;;) kept.push(new Uint8Array(1_000_000).fill(1)) },
  '/objects': () => { const kept: unknown[] = []; for (;;) kept.push({ a: kept.length, b: [1, 2, 3] }) },
  '/recursion': () => deep(0),
  '/to-json-recursion': () => JSON.stringify({ toJSON() { return JSON.stringify(this) } }),
  '/nested': () => Response.text(JSON.stringify(nest(200_000)).slice(0, 1)),
  '/caught-recursion': () => { try { deep(0) } catch (error) { return Response.text((error as Error).name) } },
  '/big-answer': () => Response.text('x'.repeat(2 * 1024 * 1024)),
  '/exit': () => (globalThis as any).process.exit(0),
  '/ok': () => Response.text('ok'),
}

export default (request: Request) => attacks[new URL(request.url).pathname]!()
`

type Refusal = { error: string; status: number }

describe.each(ENGINE_VARIANTS)('on %s', (engine) => {
  let server: RunningServer

  beforeAll(async () => {
    server = await startServer({
      engine,
      args: ['attacks.ts'],
      handlerFiles: { 'attacks.ts': ATTACKS },
      config: {
        limits: { cpuMs: CPU_MS, wallMs: WALL_MS, memoryBytes: 32 * MIB, responseBytes: MIB },
        // On a busy machine the watchdog would come before what is tested here.
        watchdog: { graceMs: 10_000 },
      },
    })
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  async function refusal(path: string): Promise<Refusal & { tookMs: number }> {
    const start = performance.now()
    const response = await fetch(server.url + path)
    const body = (await response.json()) as Refusal
    expect(body.status).toBe(response.status)
    return { ...body, tookMs: performance.now() - start }
  }

  async function expectServing(): Promise<void> {
    const response = await fetch(`${server.url}/ok`)
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
  }

  describe('a handler that does not stop', () => {
    const LOOPS = [
      '/loop',
      '/caught-loop',
      '/async-loop',
      '/timer-loop',
      '/sort-loop',
      '/json-loop',
      '/regexp',
    ]

    test.each(LOOPS)(
      '%s ends by its processor time with 503, and the next request is served',
      async (path) => {
        const { error, status, tookMs } = await refusal(path)
        expect([status, error]).toEqual([503, 'cpu-limit'])
        // Far above the limit, for a busy machine; far below what an unnoticed loop would take.
        expect(tookMs).toBeLessThan(CPU_MS * 50)
        await expectServing()
      },
    )

    // The promises of a job loop adopt each other in an ever longer chain, which takes memory as well as time.
    test.each(['/generator-loop', '/job-loop'])(
      '%s also takes memory: one limit or the other ends it',
      async (path) => {
        const { error, status } = await refusal(path)
        expect(status).toBe(503)
        expect(['cpu-limit', 'memory-limit']).toContain(error)
        await expectServing()
      },
    )

    test('a promise that nothing can settle any more ends without waiting for the clock, or by it', async () => {
      const { error, status } = await refusal('/hopeless')
      expect([
        [500, 'handler-failed'],
        [504, 'wall-limit'],
      ]).toContainEqual([status, error])
      await expectServing()
    })

    test('a promise that does not settle in time ends by the wall clock with 504', async () => {
      const { error, status, tookMs } = await refusal('/never')
      expect([status, error]).toEqual([504, 'wall-limit'])
      expect(tookMs).toBeGreaterThan(WALL_MS - 100)
      await expectServing()
    })

    test('waiting does not keep others waiting', async () => {
      const waiting = refusal('/never')
      for (let count = 0; count < 20; count++) await expectServing()
      expect((await waiting).error).toBe('wall-limit')
    })
  })

  describe('a handler that takes too much', () => {
    test.each(['/strings', '/arrays', '/objects'])(
      '%s: 503, and the next request is served',
      async (path) => {
        const { error, status } = await refusal(path)
        expect(status).toBe(503)
        expect(['memory-limit', 'cpu-limit']).toContain(error)
        await expectServing()
      },
    )

    test('a string longer than any may be is the handler’s own failure, or its memory’s', async () => {
      expect(['handler-failed', 'memory-limit', 'cpu-limit']).toContain((await refusal('/one-string')).error)
      await expectServing()
    })

    test('memory that runs out before the time does is named', async () => {
      const limits = { cpuMs: 5_000, memoryBytes: 20 * MIB }
      await using small = await startServer({
        engine,
        args: ['attacks.ts'],
        handlerFiles: { 'attacks.ts': ATTACKS },
        config: { limits, watchdog: { graceMs: 10_000 } },
      })
      for (const path of ['/strings', '/arrays', '/objects']) {
        const response = await fetch(small.url + path)
        expect(await response.json(), path).toMatchObject({ error: 'memory-limit', status: 503 })
        expect(await (await fetch(`${small.url}/ok`)).text(), path).toBe('ok')
      }
    })

    test.each(['/recursion', '/to-json-recursion'])(
      '%s: 500, and the next request is served',
      async (path) => {
        const { error, status } = await refusal(path)
        expect([500, 503]).toContain(status)
        expect(['handler-failed', 'stack-limit', 'cpu-limit']).toContain(error)
        await expectServing()
      },
    )

    test('deep recursion that the handler catches is its own affair', async () => {
      const response = await fetch(`${server.url}/caught-recursion`)
      expect([response.status, await response.text()]).toEqual([
        200,
        expect.stringMatching(/^(Range|Internal)Error$/),
      ])
      await expectServing()
    })

    test('nesting deeper than the stack does no harm', async () => {
      const response = await fetch(`${server.url}/nested`)
      await response.text()
      expect([200, 500, 503]).toContain(response.status)
      await expectServing()
    })

    test('an answer above its limit: 500', async () => {
      expect(await refusal('/big-answer')).toMatchObject({ error: 'response-too-large', status: 500 })
      await expectServing()
    })

    test('there is no process to reach', async () => {
      expect(await refusal('/exit')).toMatchObject({ error: 'handler-failed', status: 500 })
      await expectServing()
    })

    test('all of it at once, while others are served', async () => {
      const paths = ['/loop', '/strings', '/recursion', '/never', '/job-loop', '/big-answer']
      const attacks = paths.map((path) => refusal(path))
      for (let count = 0; count < 10; count++) await expectServing()
      for (const { status } of await Promise.all(attacks)) expect(status).toBeGreaterThanOrEqual(500)
      await expectServing()
    })
  })
})
