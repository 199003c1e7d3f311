import { expect, test } from 'vitest'
import type { Runtime } from '../../src/engine/pool.ts'
import { ask, describeEngines, leaseOrGrow } from './engines.ts'

const COUNTING = `(() => { let calls = 0; return () => new Response(String(++calls)) })()`
const NOW_MS = 1_000_000

describeEngines('a pool', (engine) => {
  test('opens what is wanted, up to its limit, and lends each runtime once', async () => {
    const { pools, counts } = engine.pools([await engine.handler(COUNTING)], { maxRuntimes: 2 })
    expect(pools.wantsGrowth).toBe(false)
    for (let i = 0; i < 5; i++) expect(pools.lease(0)).toBe(undefined)
    expect(pools.wantsGrowth).toBe(true)
    await pools.grow()
    // One a turn: requests of other functions have theirs between two.
    expect([pools.size, counts.opened, pools.wantsGrowth]).toEqual([1, 1, true])
    await pools.grow()
    expect([pools.size, counts.opened, pools.wantsGrowth]).toEqual([2, 2, false])
    const leased = [pools.lease(0)!, pools.lease(0)!]
    expect(leased[0]).not.toBe(leased[1])
    expect(pools.lease(0)).toBe(undefined)
    expect(pools.wantsGrowth).toBe(false)
    pools.giveBack(leased[1]!, NOW_MS, false)
    expect(pools.lease(0)).toBe(leased[1])
  })

  test('the runtime given back last is lent first: the others stay cold', async () => {
    const { pools } = engine.pools([await engine.handler(COUNTING)])
    await pools.prewarm(2)
    const runtime = pools.lease(0)!
    pools.giveBack(runtime, NOW_MS, false)
    expect(pools.lease(0)).toBe(runtime)
  })

  /** Answers of so many requests, each at its time, on one runtime. */
  async function series(isolation: 'reuse' | 'bounded' | 'request', timesMs: readonly number[]) {
    const { pools, counts } = engine.pools([await engine.handler(COUNTING)], {
      isolation,
      boundedRequests: 3,
      boundedMs: 1000,
    })
    await pools.prewarm(1)
    const first: Runtime = pools.lease(0)!
    first.loadedAtMs = NOW_MS
    pools.giveBack(first, NOW_MS, false)
    const afterFirst = counts.reset
    const bodies = timesMs.map((atMs) => {
      const runtime = pools.lease(0)!
      const { body } = ask(runtime.instance)
      pools.giveBack(runtime, NOW_MS + atMs, false)
      return body
    })
    return { bodies, resets: counts.reset - afterFirst }
  }

  test('isolation: reuse keeps state, request resets after each, bounded after so many or so long', async () => {
    expect(await series('reuse', [1, 2, 3, 4, 5000])).toEqual({
      bodies: ['1', '2', '3', '4', '5'],
      resets: 0,
    })
    expect(await series('request', [1, 2, 3])).toEqual({ bodies: ['1', '1', '1'], resets: 3 })
    // The giving back before the series was the first of three.
    expect(await series('bounded', [1, 2, 3, 4, 5])).toEqual({ bodies: ['1', '2', '1', '2', '3'], resets: 2 })
    expect(await series('bounded', [1000, 1001, 2000])).toEqual({ bodies: ['1', '1', '2'], resets: 2 })
  })

  test('a runtime whose request was given up is reset', async () => {
    const { pools, counts } = engine.pools([await engine.handler(COUNTING)])
    await pools.prewarm(1)
    const runtime = pools.lease(0)!
    expect(ask(runtime.instance).body).toBe('1')
    pools.giveBack(runtime, NOW_MS, true)
    expect(counts).toMatchObject({ reset: 1, condemned: 0, collected: 0 })
    expect(ask(pools.lease(0)!.instance).body).toBe('1')
  })

  test('one that has grown past the high watermark is dropped for another', async () => {
    const image = await engine.handler(`(request) => {
      if (request.method === 'PUT') globalThis.held = new Uint8Array(8 << 20)
      return new Response(typeof globalThis.held)
    }`)
    const { pools, counts } = engine.pools([image], { gcSoftBytes: 1 << 20, gcHighBytes: 4 << 20 })
    await pools.prewarm(1)
    const runtime = pools.lease(0)!
    expect(ask(runtime.instance, { method: 'PUT' }).body).toBe('object')
    pools.giveBack(runtime, NOW_MS, true)
    expect(counts).toMatchObject({ condemned: 1, reset: 0 })
    expect(pools.size).toBe(0)
    const next = await leaseOrGrow(pools)
    expect(next).not.toBe(runtime)
    expect(ask(next.instance).body).toBe('undefined')
  })

  test('a heap above the soft watermark is collected, what is still above the high one is reset', async () => {
    const image = await engine.handler(`(request) => {
      if (request.method === 'PUT') globalThis.held = new Uint8Array(6 << 20)
      for (let i = 0; i < 30000; i++) { const a = { i }; a.self = a }
      return new Response(typeof globalThis.held)
    }`)
    const { pools, counts } = engine.pools([image], { gcSoftBytes: 1 << 20, gcHighBytes: 5 << 20 })
    await pools.prewarm(1)
    const runtime = pools.lease(0)!
    ask(runtime.instance)
    expect(runtime.instance.heapBytes).toBeGreaterThan(1 << 20)
    pools.giveBack(runtime, NOW_MS, false)
    expect(counts).toMatchObject({ collected: 1, reset: 0 })
    expect(runtime.instance.heapBytes).toBeLessThan(1 << 20)
    expect(pools.lease(0)).toBe(runtime)
    ask(runtime.instance, { method: 'PUT' })
    pools.giveBack(runtime, NOW_MS, false)
    expect(counts).toMatchObject({ collected: 2, reset: 1, condemned: 0 })
    expect(pools.lease(0)).toBe(runtime)
    expect(ask(runtime.instance).body).toBe('undefined')
  })

  test('an image that no instance can hold is told, and wanted no further', async () => {
    const image = await engine.handler(COUNTING)
    const { pools, counts } = engine.pools([{ ...image, pages: 70_000 }], {}, { budgetBytes: 2 ** 40 })
    expect(pools.lease(0)).toBe(undefined)
    expect(pools.lease(0)).toBe(undefined)
    await pools.grow()
    expect(counts).toMatchObject({ opened: 0, notOpened: 1 })
    expect([pools.size, pools.wantsGrowth]).toEqual([0, false])
  })
})
