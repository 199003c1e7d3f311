import { expect, test } from 'vitest'
import { footprintOf } from '../../src/engine/memory.ts'
import type { Runtime } from '../../src/engine/pool.ts'
import type { Pools } from '../../src/engine/pools.ts'
import { ask, describeEngines, type Engine, isUntidy, leaseOrGrow, MEMORY_BYTES } from './engines.ts'

const NOW_MS = 1_000_000
const named = (name: string) => `(() => { let calls = 0; return () => new Response('${name} ' + ++calls) })()`
/** Grows its linear memory with a PUT, which a new instance's 16 MiB do not suffice for. */
const GREEDY = `(request) => {
  if (request.method === 'PUT') globalThis.held = new Uint8Array(15 << 20)
  return new Response(typeof globalThis.held)
}`

const images = (engine: Engine, ...handlers: string[]) =>
  Promise.all(handlers.map((handler) => engine.handler(handler)))

/** One request, from its lease to its giving back. */
async function serve(pools: Pools<Runtime>, functionIndex: number, nowMs = NOW_MS): Promise<string> {
  const runtime = await leaseOrGrow(pools, functionIndex)
  const { body } = ask(runtime.instance)
  pools.giveBack(runtime, nowMs, false)
  return body
}

describeEngines('the pools of a shard', (engine) => {
  test('a blank becomes the runtime of whichever function is asked for first, at once', async () => {
    const two = await images(engine, named('a'), named('b'))
    const { pools, counts } = engine.pools(two, {}, { blanks: 2 })
    for (let i = 0; i < 5 && isUntidy(pools); i++) await pools.tidy(NOW_MS)
    expect([pools.blanks, pools.size, counts.opened, isUntidy(pools)]).toEqual([2, 0, 2, false])
    for (const [index, name] of ['a', 'b'].entries()) {
      const runtime = pools.lease(index)!
      expect(ask(runtime.instance).body).toBe(`${name} 1`)
      pools.giveBack(runtime, NOW_MS, false)
    }
    expect(counts).toMatchObject({ opened: 2, loaded: 2, evicted: 0 })
    expect([pools.blanks, isUntidy(pools)]).toEqual([0, true])
  })

  test('functions that are reset after each request have instances with a write barrier, others have none: blanks of both', async () => {
    const two = await images(engine, named('a'), named('b'))
    const isolations = ['request', 'reuse'] as const
    const { pools, counts } = engine.pools(two, { isolations }, { blanks: 1 })
    for (let i = 0; i < 5 && isUntidy(pools); i++) await pools.tidy(NOW_MS)
    expect([pools.blanks, counts.opened, isUntidy(pools)]).toEqual([2, 2, false])
    for (const index of [0, 1, 0, 1]) {
      const runtime = pools.lease(index)!
      expect(runtime.instance.memory.hasBarrier).toBe(index === 0)
      ask(runtime.instance)
      pools.giveBack(runtime, NOW_MS, false)
    }
    expect(counts).toMatchObject({ opened: 2, loaded: 2, reset: 2 })
  })

  test('where there is room for no other instance, one of the other build does as well', async () => {
    const two = await images(engine, named('a'), named('b'))
    const isolations = ['request', 'reuse'] as const
    const { pools, counts } = engine.pools(two, { isolations }, { instances: 1 })
    const served = []
    for (const index of [0, 0, 1, 1, 0, 0]) served.push(await serve(pools, index))
    expect(served).toEqual(['a 1', 'a 1', 'b 1', 'b 2', 'a 1', 'a 1'])
    expect(counts).toMatchObject({ opened: 1, loaded: 3, evicted: 2 })
  })

  test('there are no more blanks than functions could use', async () => {
    const { pools } = engine.pools(await images(engine, named('a')), { maxRuntimes: 1 }, { blanks: 5 })
    await pools.tidy(NOW_MS)
    expect([pools.blanks, isUntidy(pools)]).toEqual([1, false])
    pools.giveBack(pools.lease(0)!, NOW_MS, false)
    expect([pools.blanks, isUntidy(pools)]).toEqual([0, false])
  })

  test('while there is a blank left, the next one waits for a pause', async () => {
    const { pools } = engine.pools(await images(engine, named('a'), named('b')), {}, { blanks: 2 })
    expect(pools.tidyAtMs).toBe(Number.NEGATIVE_INFINITY)
    await pools.tidy(NOW_MS)
    await pools.tidy(NOW_MS)
    pools.giveBack(pools.lease(0)!, NOW_MS, false)
    expect(pools.tidyAtMs).toBe(NOW_MS + 5)
    pools.giveBack(pools.lease(1)!, NOW_MS, false)
    expect(pools.tidyAtMs).toBe(NOW_MS + 1)
  })

  test('a runtime that serves others takes more, up to its number and that of its function', async () => {
    const limits = { perRuntime: 2, inFlight: 3, maxRuntimes: 2 }
    const { pools } = engine.pools(await images(engine, named('a')), limits, { blanks: 2 })
    for (let i = 0; i < 5 && isUntidy(pools); i++) await pools.tidy(NOW_MS)
    const [first, second, third] = [pools.lease(0)!, pools.lease(0)!, pools.lease(0)!]
    expect([second === first, third === first, first.inFlight, third.inFlight]).toEqual([true, false, 2, 1])
    expect([pools.isExhausted(0), pools.lease(0)]).toEqual([true, undefined])
    pools.giveBack(first, NOW_MS, false)
    expect(pools.isExhausted(0)).toBe(false)
    expect(pools.lease(0)).toBe(first)
  })

  test('one that has to be reset takes no further request, and is reset after its last', async () => {
    const limits = { perRuntime: 3, inFlight: 9, maxRuntimes: 2 }
    const { pools, counts } = engine.pools(await images(engine, named('a')), limits, { blanks: 2 })
    for (let i = 0; i < 5 && isUntidy(pools); i++) await pools.tidy(NOW_MS)
    const first = pools.lease(0)!
    expect([pools.lease(0), pools.lease(0)]).toEqual([first, first])
    pools.giveBack(first, NOW_MS, true)
    expect(counts.reset).toBe(0)
    const other = pools.lease(0)!
    expect(other).not.toBe(first)
    pools.giveBack(first, NOW_MS, false)
    pools.giveBack(first, NOW_MS, false)
    expect([counts.reset, first.isLeased]).toEqual([1, false])
    pools.giveBack(other, NOW_MS, false)
    expect(pools.lease(0)).toBe(other)
  })

  test('at the bound the runtime used least recently gives way; a leased one never', async () => {
    const four = await images(engine, ...['a', 'b', 'c', 'd'].map(named))
    const { pools, counts } = engine.pools(four, {}, { instances: 3 })
    for (const index of [0, 1, 2]) await serve(pools, index)
    const leased = pools.lease(0)!
    await serve(pools, 1)
    // c is the oldest that nobody has.
    expect(await serve(pools, 3)).toBe('d 1')
    expect(counts).toMatchObject({ opened: 3, evicted: 1, condemned: 0 })
    expect([0, 1, 2, 3].map((index) => pools.sizeOf(index))).toEqual([1, 1, 0, 1])
    expect(ask(leased.instance).body).toBe('a 2')
    pools.giveBack(leased, NOW_MS, false)
    expect(await serve(pools, 1)).toBe('b 3')
    expect(await serve(pools, 2)).toBe('c 1')
    expect(counts).toMatchObject({ opened: 3, evicted: 2 })
  })

  test('when all are leased a request waits, and wants nothing that cannot be', async () => {
    const two = await images(engine, named('a'), named('b'))
    const { pools } = engine.pools(two, {}, { instances: 1 })
    const leased = await leaseOrGrow(pools, 0)
    expect(pools.isExhausted(1)).toBe(true)
    expect(pools.lease(1)).toBe(undefined)
    expect(pools.wantsGrowth).toBe(false)
    pools.giveBack(leased, NOW_MS, false)
    expect(pools.isExhausted(1)).toBe(false)
    expect(ask(pools.lease(1)!.instance).body).toBe('b 1')
  })

  test('the budget bounds what all of them have touched, whatever they do', async () => {
    const three = await images(engine, named('a'), named('b'), GREEDY)
    const one = footprintOf(three[0]!)
    const budgetBytes = 26 << 20
    const { pools, counts, budget } = engine.pools(three, {}, { budgetBytes })
    await pools.prewarm(2)
    expect(budget.usedBytes).toBeGreaterThan(5 * one)
    const greedy = pools.lease(2)!
    expect(ask(greedy.instance, { method: 'PUT' })).toMatchObject({ failure: null, body: 'object' })
    expect(greedy.instance.memory.hasGrown).toBe(true)
    expect(budget.usedBytes).toBeLessThanOrEqual(budgetBytes)
    pools.giveBack(greedy, NOW_MS, false)
    // A second one that large does not fit beside it, nor are there others to be given up any more.
    const again = pools.lease(2)!
    expect(again).toBe(greedy)
    const other = await leaseOrGrow(pools, 2)
    expect(ask(other.instance, { method: 'PUT' }).body).not.toBe('object')
    expect(counts.growthRefused).toBeGreaterThan(0)
    expect(budget.peakBytes).toBeLessThanOrEqual(budgetBytes)
    // Idle, it gives way to whoever needs its memory: it is dropped, since nobody else could use so large a one.
    pools.giveBack(again, NOW_MS, false)
    const third = pools.lease(0) ?? (await leaseOrGrow(pools, 0))
    pools.giveBack(third, NOW_MS, false)
    pools.giveBack(other, NOW_MS, true)
    const last = await leaseOrGrow(pools, 2)
    expect(ask(last.instance, { method: 'PUT' }).body).toBe('object')
    expect(budget.peakBytes).toBeLessThanOrEqual(budgetBytes)
  })

  test('growth that would exceed the budget is refused to the guest, and to nobody else', async () => {
    const two = await images(engine, named('a'), GREEDY)
    const { pools, counts, budget } = engine.pools(two, {}, { budgetBytes: 12 << 20 })
    expect(await serve(pools, 0)).toBe('a 1')
    const greedy = await leaseOrGrow(pools, 1)
    const { body, failure, state } = ask(greedy.instance, { method: 'PUT' })
    expect([body, failure, state]).not.toEqual(['object', null, 'TEXT'])
    expect(greedy.instance.isNearlyFull).toBe(true)
    expect(greedy.instance.memory.hasGrown).toBe(false)
    expect(counts.growthRefused).toBeGreaterThan(0)
    pools.giveBack(greedy, NOW_MS, true)
    expect(budget.usedBytes).toBeLessThanOrEqual(12 << 20)
    expect(await serve(pools, 0)).toBe('a 2')
    expect(counts.evicted).toBe(0)
  })

  test('a function’s own limit holds below the instance’s', async () => {
    const two = await images(engine, named('a'), GREEDY)
    const instance = { cpuMs: 5000, hostCalls: 1000, gcHardBytes: MEMORY_BYTES, memoryBytes: 20 << 20 }
    const { pools } = engine.pools(two, { instance }, { maximumPages: 1024 })
    const greedy = await leaseOrGrow(pools, 1)
    expect(ask(greedy.instance, { method: 'PUT' }).body).not.toBe('object')
    expect(greedy.instance.bytes.length).toBeLessThanOrEqual(20 << 20)
  })

  test('hundreds of functions take turns in a few instances', async () => {
    const image = await engine.handler(named('one of many'))
    const { pools, counts, budget } = engine.pools(Array(500).fill(image), {}, { budgetBytes: 8 << 20 })
    for (let index = 0; index < 500; index++) expect(await serve(pools, index)).toBe('one of many 1')
    expect(budget.peakBytes).toBeLessThanOrEqual(8 << 20)
    expect(counts.opened).toBeLessThan(8)
    expect(counts).toMatchObject({ loaded: 500, evicted: 500 - counts.opened, notOpened: 0 })
  })

  test('blanks are taken from runtimes that were not used for a while when there is no room for more', async () => {
    const three = await images(engine, ...['a', 'b', 'c'].map(named))
    const { pools, counts } = engine.pools(three, {}, { instances: 2, blanks: 1 })
    for (const index of [0, 1]) await serve(pools, index, performance.now())
    expect(isUntidy(pools)).toBe(false)
    await serve(pools, 0, performance.now() - 2000)
    await serve(pools, 1, performance.now() - 1500)
    expect(isUntidy(pools)).toBe(true)
    await pools.tidy(NOW_MS)
    expect([pools.blanks, pools.sizeOf(0), pools.sizeOf(1), counts.evicted]).toEqual([1, 0, 1, 1])
    expect(ask(pools.lease(2)!.instance).body).toBe('c 1')
  })

  test('no more is made ready at the start than half of the budget holds', async () => {
    const image = await engine.handler(named('a'))
    const { pools, budget } = engine.pools(Array(100).fill(image), {}, { budgetBytes: 20 << 20 })
    await pools.prewarm(2)
    expect(pools.size).toBeGreaterThan(3)
    expect(budget.usedBytes).toBeLessThan((10 << 20) + 2 * footprintOf(image))
    const roomy = engine.pools(Array(100).fill(image), {}, { budgetBytes: 1 << 30 })
    await roomy.pools.prewarm(1)
    expect(roomy.pools.size).toBe(32)
  })
})
