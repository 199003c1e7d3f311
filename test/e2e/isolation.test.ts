import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINE_VARIANTS } from '../../src/engine/module.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

/** Says what it finds of earlier requests, and leaves something wherever it can. */
const PROBE = `
  const kept = { calls: 0, timer: 0 }
  const closure = (() => { let n = 0; return () => ++n })()
  class Shape { static seen = 0 }
  export default {
    count: 0,
    async fetch(request, env, ctx) {
      const found = [
        kept.calls, kept.timer, closure() - 1, Shape.seen, this.count, globalThis.mark ?? 0,
        {}.mark ?? 0, Response.prototype.mark ?? 0, Math.max === Math.min ? 1 : 0, env.mark ?? 0,
      ]
      kept.calls++
      Shape.seen++
      this.count++
      globalThis.mark = Object.prototype.mark = 1
      Response.prototype.mark = 1
      Math.max = Math.min
      try { env.mark = 1 } catch {}
      setTimeout(() => { kept.timer++ }, 0)
      setInterval(() => { kept.timer++ }, 1)
      ctx.waitUntil(new Promise((resolve) => setTimeout(resolve, 1)))
      return new Response(JSON.stringify(found))
    },
  }`
const TIERS = ['reuse', 'bounded', 'request'] as const

describe.each(ENGINE_VARIANTS)('isolation on %s', (engine) => {
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer({
      engine,
      config: {
        pool: { maxPerFunction: 1 },
        bounded: { requests: 2 },
        functions: TIERS.flatMap((isolation) =>
          ['one', 'two'].map((name) => ({
            name: `${isolation}-${name}`,
            code: PROBE,
            routes: [`/${isolation}/${name}`],
            isolation,
            env: { NAME: name },
          })),
        ),
      },
    })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const NOTHING = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

  async function ask(wire: Wire, path: string): Promise<number[]> {
    await wire.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
    const { status, body } = await wire.read()
    expect(status).toBe(200)
    return JSON.parse(body.toString()) as number[]
  }

  test('request: nothing of one request is visible to the next', async () => {
    using wire = await Wire.connect(server.port)
    for (let i = 0; i < 5; i++) expect(await ask(wire, '/request/one')).toEqual(NOTHING)
  })

  test('bounded: up to its bound, then nothing', async () => {
    using wire = await Wire.connect(server.port)
    const calls = [0, 1, 2, 3].map(() => 0)
    for (let i = 0; i < calls.length; i++) calls[i] = (await ask(wire, '/bounded/one'))[0]!
    expect(calls).toEqual([0, 1, 0, 1])
  })

  test('reuse: what a function keeps is there for its next request', async () => {
    using wire = await Wire.connect(server.port)
    expect(await ask(wire, '/reuse/one')).toEqual(NOTHING)
    const second = await ask(wire, '/reuse/one')
    expect(second[0]).toBe(1)
    expect(second.slice(5, 9)).toEqual([1, 1, 1, 1])
  })

  test.each(TIERS)('%s: nothing of one function is visible to another', async (tier) => {
    using wire = await Wire.connect(server.port)
    await ask(wire, `/${tier}/one`)
    expect(await ask(wire, `/${tier}/two`)).toEqual(NOTHING)
  })
})
