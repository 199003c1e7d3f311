import { describe, expect, test } from 'vitest'
import type { Runtime } from '../../src/engine/pool.ts'
import { Watermarks } from '../../src/engine/watermarks.ts'
import { ask, describeEngines, leaseOrGrow } from './engines.ts'

const NOW_MS = 1_000_000
const SOFT_BYTES = 2 << 20

describe('the mark', () => {
  test('is small while requests leave nothing, and follows what they leave', () => {
    const marks = new Watermarks(SOFT_BYTES)
    expect(marks.mark(0)).toBe(128 << 10)
    for (let i = 0; i < 100; i++) marks.note(200_000, 0)
    expect(marks.mark(0)).toBeGreaterThan(390_000)
    expect(marks.mark(0)).toBeLessThanOrEqual(400_000)
    for (let i = 0; i < 100; i++) marks.note(0, 0)
    expect(marks.mark(0)).toBe(128 << 10)
    expect(marks.peakBytes).toBe(200_000)
  })

  test('one large request moves it a little', () => {
    const marks = new Watermarks(SOFT_BYTES)
    marks.note(1_000_000, 0)
    expect(marks.averageBytes).toBe(125_000)
  })

  test('a body explains what is left of it: its request has a higher mark, and the next ones none', () => {
    const marks = new Watermarks(SOFT_BYTES)
    for (let i = 0; i < 100; i++) marks.note(600_000, 300_000)
    expect(marks.averageBytes).toBe(0)
    expect(marks.mark(300_000)).toBe(600_000)
    expect(marks.mark(0)).toBe(128 << 10)
  })

  test('is never above the configured one', () => {
    const marks = new Watermarks(SOFT_BYTES)
    for (let i = 0; i < 100; i++) marks.note(50 << 20, 0)
    expect(marks.mark(50 << 20)).toBe(SOFT_BYTES)
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
      if (i % 2 === 0 && pools.isUntidy) await pools.tidy(NOW_MS)
    }
    expect(gone).toBeGreaterThan(50)
    expect(counts.collected).toBeGreaterThan(5)
    expect(counts.collected).toBeLessThan(REQUESTS)
    expect(counts).toMatchObject({ reset: 0, condemned: 0 })
    expect(counts.allocatedBytes / REQUESTS).toBeGreaterThan(20_000)
    expect(counts.allocatedBytes / REQUESTS).toBeLessThan(400_000)
    expect(peakBytes).toBeLessThan(SOFT_BYTES)
  })

  test('when there is no pause, it is collected after an answer before it is twice what was meant', async () => {
    const image = await engine.handler(LEAKY)
    const { pools, counts } = engine.pools([image], { gcSoftBytes: SOFT_BYTES, gcHighBytes: 16 << 20 })
    for (let i = 0; i < 50; i++) {
      const runtime = await leaseOrGrow(pools)
      ask(runtime.instance)
      pools.giveBack(runtime, NOW_MS, false)
      expect(runtime.instance.heapBytes).toBeLessThan(SOFT_BYTES)
    }
    expect(counts.collected).toBeGreaterThan(5)
  })

  test('a runtime that is leased again, reset or gone before its pause came is passed over', async () => {
    const image = await engine.handler(LEAKY)
    const { pools, counts } = engine.pools([image], { gcSoftBytes: SOFT_BYTES, gcHighBytes: 16 << 20 })
    const untilDue = async () => {
      for (let i = 0; i < 20 && !pools.isUntidy; i++) {
        const runtime = await leaseOrGrow(pools)
        ask(runtime.instance)
        pools.giveBack(runtime, NOW_MS, false)
      }
      expect(pools.isUntidy).toBe(true)
    }
    await untilDue()
    const before = counts.collected
    const runtime = pools.lease(0)!
    await pools.tidy(NOW_MS)
    expect([counts.collected, pools.isUntidy]).toEqual([before, false])
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
      if (pools.isUntidy) await pools.tidy(NOW_MS)
    }
    expect(counts.collected).toBeGreaterThan(1)
    expect(counts.collected).toBeLessThan(8)
    expect(counts.reset).toBe(0)
  })
})
