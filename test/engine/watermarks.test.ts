import { describe, expect, test } from 'vitest'
import type { Runtime } from '../../src/engine/pool.ts'
import { DUE, Watermarks } from '../../src/engine/watermarks.ts'
import { ask, describeEngines, isUntidy, leaseOrGrow } from './engines.ts'

const NOW_MS = 1_000_000
const SOFT_BYTES = 2 << 20

describe('the marks', () => {
  const noted = (times: number, bytes: number, allocations: number, bodyBytes = 0) => {
    const marks = new Watermarks(SOFT_BYTES)
    for (let i = 0; i < times; i++) marks.note(bytes, allocations, bodyBytes)
    return marks
  }

  test('are small while requests leave nothing, and follow what they leave', () => {
    const marks = noted(100, 200_000, 3000)
    expect(marks.markBytes(0)).toBeGreaterThan(390_000)
    expect(marks.markBytes(0)).toBeLessThanOrEqual(400_000)
    expect(marks.markAllocations).toBeCloseTo(6000, -1)
    for (let i = 0; i < 100; i++) marks.note(0, 0, 0)
    expect([marks.markBytes(0), marks.markAllocations]).toEqual([128 << 10, 1000])
  })

  test('one large request moves them a little', () => {
    const { averageBytes, averageAllocations } = noted(1, 1_000_000, 80)
    expect([averageBytes, averageAllocations]).toEqual([125_000, 10])
  })

  test('a body explains what is left of it: its request has a higher mark, and the next ones none', () => {
    const marks = noted(100, 600_000, 10, 300_000)
    expect(marks.averageBytes).toBe(0)
    expect([marks.markBytes(300_000), marks.markBytes(0)]).toEqual([600_000, 128 << 10])
  })

  test('are never above the configured one', () => {
    expect(noted(100, 50 << 20, 10).markBytes(50 << 20)).toBe(SOFT_BYTES)
  })

  test.each([
    ['nothing has come', 0, 0, DUE.NO],
    ['little has come', 120_000, 900, DUE.NO],
    ['the mark in bytes is passed', 140_000, 10, DUE.LATER],
    ['the mark in allocations is passed', 0, 1001, DUE.LATER],
    ['twice the mark in bytes is passed', 270_000, 10, DUE.NOW],
    ['twice the mark in allocations is passed', 0, 2001, DUE.NOW],
  ])('%s', (_, topBytes, allocations, due) => {
    const none = { topBytes: 0, allocations: 0 }
    expect(noted(0, 0, 0).due({ topBytes, allocations }, none, none, 0)).toBe(due)
  })

  test('what is alive raises them, in bytes up to the configured one only', () => {
    const none = { topBytes: 0, allocations: 0 }
    const alive = { topBytes: 100 << 20, allocations: 100_000 }
    const due = (bytes: number, allocations: number) =>
      noted(0, 0, 0).due(
        { topBytes: alive.topBytes + bytes, allocations: alive.allocations + allocations },
        alive,
        none,
        0,
      )
    expect([due(0, 49_000), due(0, 51_000)]).toEqual([DUE.NO, DUE.LATER])
    expect([due(SOFT_BYTES, 0), due(SOFT_BYTES + 1, 0)]).toEqual([DUE.NO, DUE.NOW])
  })

  test('what the image brought counts in allocations, which a collection looks through, and not in bytes', () => {
    const loaded = { topBytes: 2 << 20, allocations: 20_000 }
    const due = (bytes: number, allocations: number) =>
      noted(0, 0, 0).due(
        { topBytes: loaded.topBytes + bytes, allocations: loaded.allocations + allocations },
        loaded,
        loaded,
        0,
      )
    expect([due(0, 10_000), due(0, 10_001), due(0, 20_001)]).toEqual([DUE.NO, DUE.LATER, DUE.NOW])
    expect([due(128 << 10, 0), due((128 << 10) + 1, 0)]).toEqual([DUE.NO, DUE.LATER])
  })
})

/**
 * About 200 KB of cycles a request. It says how many of the cycles that it made itself are gone before it ends, and how many
 * of the request before.
 */
const LEAKY = `(() => {
  let before = []
  const gone = (refs) => refs.filter((ref) => ref.deref() === undefined).length
  return () => {
    const own = []
    for (let i = 0; i < 800; i++) {
      const a = { i }, b = { a, text: 'x' + i }
      a.b = b
      if (i % 100 === 0) own.push(new WeakRef(a))
    }
    const answer = gone(own) + ' ' + gone(before)
    before = own
    return new Response(answer)
  }
})()`

describeEngines('garbage', (engine) => {
  const REQUESTS = 300

  test('is collected between requests only, and the heap stays small', async () => {
    const image = await engine.handler(LEAKY)
    const { pools, counts } = engine.pools([image], { gcSoftBytes: SOFT_BYTES, gcHighBytes: 16 << 20 })
    let peakBytes = 0
    let collectedBefore = 0
    let gone = 0
    for (let i = 0; i < REQUESTS; i++) {
      const runtime: Runtime = await leaseOrGrow(pools)
      const { failure, body } = ask(runtime.instance)
      expect(failure).toBe(null)
      const [own, before] = body.split(' ').map(Number)
      // Nothing that this request made is gone before its end; what the one before made, if there was a collection since.
      expect(own).toBe(0)
      if (counts.collected === collectedBefore) expect(before).toBe(0)
      else gone += before!
      collectedBefore = counts.collected
      peakBytes = Math.max(peakBytes, runtime.instance.heapBytes)
      pools.giveBack(runtime, NOW_MS, false)
      // Every other time there is a pause.
      if (i % 2 === 0 && isUntidy(pools)) await pools.tidy(NOW_MS)
    }
    expect(gone).toBeGreaterThan(500)
    expect(counts.collected).toBeGreaterThan(REQUESTS / 5)
    expect(counts.collected).toBeLessThan(REQUESTS)
    expect(counts).toMatchObject({ reset: 0, condemned: 0 })
    // An object and its properties are two, each way.
    expect(counts.leftAllocations / REQUESTS).toBeGreaterThan(3200)
    expect(counts.leftAllocations / REQUESTS).toBeLessThan(5000)
    expect(peakBytes).toBeLessThan(SOFT_BYTES / 2)
  })

  test('when there is no pause, it is collected after an answer before it is twice what was meant', async () => {
    const image = await engine.handler(LEAKY)
    const { pools, counts } = engine.pools([image], { gcSoftBytes: SOFT_BYTES, gcHighBytes: 16 << 20 })
    for (let i = 0; i < 50; i++) {
      const runtime = await leaseOrGrow(pools)
      ask(runtime.instance)
      pools.giveBack(runtime, NOW_MS, false)
      expect(runtime.instance.heapBytes).toBeLessThan(SOFT_BYTES / 2)
    }
    expect(counts.collected).toBeGreaterThan(5)
  })

  test('a runtime that is leased again, reset or gone before its pause came is passed over', async () => {
    const image = await engine.handler(LEAKY)
    const { pools, counts } = engine.pools([image], { gcSoftBytes: SOFT_BYTES, gcHighBytes: 16 << 20 })
    const untilDue = async () => {
      for (let i = 0; i < 20 && !isUntidy(pools); i++) {
        const runtime = await leaseOrGrow(pools)
        ask(runtime.instance)
        pools.giveBack(runtime, NOW_MS, false)
      }
      expect(isUntidy(pools)).toBe(true)
    }
    await untilDue()
    const before = counts.collected
    const runtime = pools.lease(0)!
    await pools.tidy(NOW_MS)
    expect([counts.collected, isUntidy(pools)]).toEqual([before, false])
    pools.giveBack(runtime, NOW_MS, true)
    expect(counts.reset).toBe(1)
    await untilDue()
    const again = pools.lease(0)!
    pools.giveBack(again, NOW_MS, true)
    const collected = counts.collected
    await pools.tidy(NOW_MS)
    expect(counts.collected).toBe(collected)
  })

  test('what is alive is left alone until as much again as half of it has come', async () => {
    const image = await engine.handler(`(() => {
      const alive = []
      for (let i = 0; i < 1; i++) globalThis.start = 0
      return () => {
        while (alive.length < 20000) { const a = {}; a.self = a; alive.push(a) }
        for (let i = 0; i < 500; i++) { const a = { i }; a.self = a }
        return new Response('x')
      }
    })()`)
    const { pools, counts } = engine.pools([image], { gcSoftBytes: 256 << 10, gcHighBytes: 16 << 20 })
    for (let i = 0; i < 40; i++) {
      const runtime = await leaseOrGrow(pools)
      ask(runtime.instance)
      pools.giveBack(runtime, NOW_MS, false)
      if (isUntidy(pools)) await pools.tidy(NOW_MS)
    }
    expect(counts.collected).toBeGreaterThan(1)
    expect(counts.collected).toBeLessThan(8)
    expect(counts.reset).toBe(0)
  })
})
