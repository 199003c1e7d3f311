// Whose turn it is on a shard: a real actor over real rings, an engine that only takes time, a clock that only moves by that.

import { describe, expect, test } from 'vitest'
import { Shares } from '../../src/actor/shares.ts'
import { VirtualShard } from '../support/virtual-shard.ts'

const HEAVY = { name: 'heavy', costMs: 50 }
const LIGHT = { name: 'light', costMs: 1 }

describe('a ring full of one function’s requests', () => {
  /** Eight connections ask for what takes 50 ms; behind them one asks for what takes 1 ms. */
  async function waitBehindEight(functions: readonly { name: string; costMs: number }[], last: string) {
    const shard = new VirtualShard(functions)
    for (let slot = 0; slot < 8; slot++) shard.send(slot, 'heavy')
    shard.send(8, last)
    const served = await shard.run(9)
    return served.findIndex(({ slot }) => slot === 8)
  }

  test('delays those of the same function, first come, first served', async () => {
    expect(await waitBehindEight([HEAVY, LIGHT], 'heavy')).toBe(8)
  })

  test('delays another function’s by one of them only', async () => {
    expect(await waitBehindEight([HEAVY, LIGHT], 'light')).toBe(1)
  })

  test('and those of ten others go first as well, each once', async () => {
    const others = Array.from({ length: 10 }, (_, i) => ({ name: `f${i}`, costMs: 4 }))
    const shard = new VirtualShard([HEAVY, ...others])
    for (let slot = 0; slot < 8; slot++) shard.send(slot, 'heavy')
    for (let i = 0; i < 10; i++) shard.send(8 + i, `f${i}`)
    const served = await shard.run(18)
    const lastOther = served.findLastIndex(({ name }) => name !== 'heavy')
    // All of theirs take less time than one of the heavy ones; one more goes first when the ring was not empty for long.
    expect(served.slice(0, lastOther).filter(({ name }) => name === 'heavy').length).toBeLessThanOrEqual(2)
  })
})

test('a neighbour that never stops delays no request by more than one of its own', async () => {
  const shard = new VirtualShard([HEAVY, LIGHT])
  for (let slot = 0; slot < 8; slot++) shard.send(slot, 'heavy')
  const dueMs = new Map<number, number>()
  for (let i = 0; i < 100; i++) {
    dueMs.set(100 + i, shard.nowMs + 10 * i)
    shard.send(100 + i, 'light', 10 * i)
  }
  // Its clients ask again at once.
  shard.onServed = ({ slot, name }) => {
    if (name === 'heavy') shard.send(slot, 'heavy')
  }
  const served = await shard.run(130)
  const light = served.filter(({ name }) => name === 'light')
  expect(light.length).toBe(100)
  // One run of the neighbour, and what else had come meanwhile.
  const waitsMs = light.map(({ slot, fromMs }) => fromMs - dueMs.get(slot)!)
  expect(Math.max(...waitsMs)).toBeLessThanOrEqual(HEAVY.costMs + 10)
  expect(served.filter(({ name }) => name === 'heavy').length).toBeGreaterThanOrEqual(20)
})

test('functions that all want more than there is get equal time, whatever their requests cost', async () => {
  const functions = [
    { name: 'a', costMs: 40 },
    { name: 'b', costMs: 20 },
    { name: 'c', costMs: 10 },
  ]
  const shard = new VirtualShard(functions)
  // The greedier a function, the more connections it has.
  for (let slot = 0; slot < 60; slot++) shard.send(slot, slot < 40 ? 'a' : slot < 55 ? 'b' : 'c')
  shard.onServed = ({ slot, name }) => shard.send(slot, name)
  const served = await shard.run(300)
  const totalMs = served.at(-1)!.toMs - 1000
  for (const { name, costMs } of functions) {
    const usedMs = served.filter((each) => each.name === name).length * costMs
    expect(usedMs / totalMs).toBeGreaterThan(0.3)
    expect(usedMs / totalMs).toBeLessThan(0.37)
  }
})

test('of equal functions each has one request served in turn', async () => {
  const functions = ['a', 'b', 'c'].map((name) => ({ name, costMs: 10 }))
  const shard = new VirtualShard(functions)
  for (const [index, { name }] of functions.entries())
    for (let i = 0; i < 5; i++) shard.send(10 * index + i, name)
  const served = await shard.run(15)
  const order = served.map(({ name }) => name).join('')
  expect(order).toBe('abcabcabcabcabc')
})

test('a function whose runtimes are all in use delays nobody else that waits', async () => {
  const functions = ['a', 'b'].map((name) => ({ name, costMs: 10 }))
  const shard = new VirtualShard(functions)
  for (let i = 0; i < 3; i++) shard.send(i, 'a')
  for (let i = 0; i < 3; i++) shard.send(10 + i, 'b')
  const served = await shard.run(6)
  expect(served.map(({ name }) => name).join('')).toBe('ababab')
})

test('cheap requests are served as they come, with no room to put them aside too', async () => {
  const functions = ['a', 'b'].map((name) => ({ name, costMs: 0.1 }))
  const shard = new VirtualShard(functions, { queueRequests: 2 })
  for (let slot = 0; slot < 600; slot++) shard.send(slot, slot % 2 === 0 ? 'a' : 'b')
  const served = await shard.run(600)
  expect(new Set(served.map(({ slot }) => slot)).size).toBe(600)
})

describe('shares', () => {
  const nobody = () => false

  test('what was used while nobody waited is held against nobody', () => {
    const shares = new Shares(2)
    shares.charge(0, 10_000)
    shares.settle()
    shares.charge(1, 5)
    expect(shares.next([0, 1], nobody)).toBe(0)
  })

  test('who comes late has no claim on the time before', () => {
    const shares = new Shares(2)
    // 0 waits and is served for a long time.
    for (let i = 0; i < 100; i++) {
      shares.serve(0)
      shares.charge(0, 10)
    }
    // From now on they take turns.
    const order: number[] = []
    for (let i = 0; i < 6; i++) {
      const next = shares.next([0, 1], nobody)
      order.push(next)
      shares.serve(next)
      shares.charge(next, 10)
    }
    expect(order.filter((index) => index === 1).length).toBeGreaterThanOrEqual(3)
    expect(order.filter((index) => index === 1).length).toBeLessThanOrEqual(4)
  })

  test('the quantum is for a round, and a lone function has no bound', () => {
    const shares = new Shares(2)
    shares.charge(0, 4)
    expect(shares.hasTurn(0)).toBe(true)
    shares.charge(0, 1)
    expect([shares.hasTurn(0), shares.hasTurn(1)]).toEqual([false, true])
    shares.endRound()
    expect(shares.hasTurn(0)).toBe(true)
    const alone = new Shares(1)
    alone.charge(0, 1000)
    expect(alone.hasTurn(0)).toBe(true)
  })

  test('a blocked one is passed over, and with all blocked there is none', () => {
    const shares = new Shares(2)
    shares.charge(1, 10)
    expect(shares.next([0, 1], (index) => index === 0)).toBe(1)
    expect(shares.next([0, 1], () => true)).toBe(-1)
    expect(shares.next([], nobody)).toBe(-1)
  })
})
