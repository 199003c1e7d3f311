import { expect, test } from 'vitest'
import { doubtsOf, onlyOne } from '../../src/engine/layout.ts'
import { FakeHost } from '../support/fake-host.ts'
import {
  ask,
  describeEngines,
  describeUnknownEngines,
  leaseOrGrow,
  MEMORY_BYTES,
  takeAnswer,
} from './engines.ts'

const CLONES = 100
/** Each leaves 3 MB of cycles: uncollected, a memory of 32 MiB has no room for so many. */
const GARBAGE_REQUESTS = 15

test('a word with two places has none', () => {
  expect([onlyOne([]), onlyOne([8]), onlyOne([8, 16])]).toEqual([null, 8, null])
})

describeEngines('the layout', (engine) => {
  test('is recognised in full', () => {
    const { layout } = engine.built.kit
    expect(doubtsOf(layout)).toEqual([])
    expect(Object.values({ ...layout, ...layout.heap }).filter((place) => place === null)).toEqual([])
  })
})

/** What holds however little is known. */
describeUnknownEngines('a function', (engine) => {
  test('is served, and the log is told why that may be slow', async () => {
    expect(doubtsOf(engine.built.kit.layout).length).toBeGreaterThan(0)
    const instance = await engine.serving(`async (request, env) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      return new Response(await request.text() + env.MARK)
    }`)
    const host = new FakeHost()
    host.environment = '{"MARK":"!"}'
    expect(ask(instance, { method: 'POST', body: 'hello', host }).state).toBe('PENDING')
    instance.fire([...host.timers.keys()][0]!)
    expect(takeAnswer(instance)).toMatchObject({ state: 'TEXT', body: 'hello!', failure: null })
  })

  test('has random numbers of its own in every runtime', async () => {
    const image = await engine.image(`const top = Math.random()
      exports.default = () => new Response([top, Math.random(), Math.random()].join())`)
    const instance = await engine.instance(image)
    const seen = new Set<string>()
    for (let clone = 0; clone < CLONES; clone++) {
      instance.load(image, { cpuMs: 1000, hostCalls: 10, gcHardBytes: MEMORY_BYTES / 2 })
      const numbers = ask(instance).body.split(',')
      for (const number of numbers) {
        expect(Number(number)).toBeGreaterThanOrEqual(0)
        expect(Number(number)).toBeLessThan(1)
      }
      for (const number of numbers.slice(1)) seen.add(number)
    }
    expect(seen.size).toBe(2 * CLONES)
  })

  test('does not use up its host calls by random numbers', async () => {
    const instance = await engine.serving(
      `() => { let sum = 0; for (let i = 0; i < 5000; i++) sum += Math.random(); return new Response(String(sum)) }`,
      { hostCalls: 100 },
    )
    expect(Number(ask(instance).body) / 5000).toBeCloseTo(0.5, 1)
  })

  test('finds nothing of the request before under isolation request, nor of another function', async () => {
    const first = await engine.handler(
      `async (request) => { globalThis.held = [globalThis.held, await request.text()]; return new Response(String(globalThis.held)) }`,
    )
    const second = await engine.handler('() => new Response(typeof globalThis.held)')
    const { pools } = engine.pools([first, second], { isolation: 'request' }, { instances: 1 })
    for (const body of ['one', 'two']) {
      const runtime = await leaseOrGrow(pools, 0)
      expect(ask(runtime.instance, { method: 'POST', body }).body).toBe(`,${body}`)
      pools.giveBack(runtime, performance.now(), false)
    }
    const next = await leaseOrGrow(pools, 1)
    expect(ask(next.instance).body).toBe('undefined')
    expect(Buffer.from(next.instance.bytes.buffer).includes('globalThis.held = [')).toBe(false)
  })

  test.each([
    'for (;;);',
    'const all = []; for (;;) all.push(new Uint8Array(1e6))',
    'const f = () => f() + 1; f()',
  ])('ends when it goes too far, and the next request is served: %s', async (body) => {
    const image = await engine.handler(
      `(r) => { if (r.url.endsWith('bad')) { ${body} } return new Response('fine') }`,
    )
    const { pools } = engine.pools([image], {
      instance: { cpuMs: 100, hostCalls: 100, gcHardBytes: MEMORY_BYTES / 2 },
    })
    const runtime = await leaseOrGrow(pools)
    const { failure, state } = ask(runtime.instance, { path: '/bad' })
    expect(failure !== null || state === 'FAILED').toBe(true)
    pools.giveBack(runtime, performance.now(), failure !== null)
    expect(ask((await leaseOrGrow(pools)).instance)).toMatchObject({ failure: null, body: 'fine' })
  })

  test('has its garbage collected by somebody', async () => {
    const image = await engine.handler(`() => {
      for (let i = 0; i < 20000; i++) { const a = { i }, b = { a }; a.b = b }
      return new Response('fine')
    }`)
    const { pools, counts } = engine.pools([image], { gcSoftBytes: 2 << 20 })
    for (let request = 0; request < GARBAGE_REQUESTS; request++) {
      const runtime = await leaseOrGrow(pools)
      expect(ask(runtime.instance)).toMatchObject({ failure: null, body: 'fine' })
      pools.giveBack(runtime, performance.now(), false)
      while (pools.tidyAtMs === 0) await pools.tidy(performance.now())
    }
    expect(counts).toMatchObject({ opened: 1, reset: 0, condemned: 0 })
  })
})
