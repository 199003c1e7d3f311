import { expect, test } from 'vitest'
import { ask, describeEngines } from './engines.ts'

/** Loops whose steps are natively long: the engine polls seldom, so the polls bear witness of little. None keeps what it makes. */
const LOOPS = {
  'for of an endless iterator': 'for (const pair of endless) void pair',
  'spreads of short iterators': 'for (;;) void [...pairs]',
  'objects to entries and back': 'for (;;) Object.fromEntries(Object.entries({ a: 1, b: 2, c: 3 }))',
}

const LIMIT_MS = 100

describeEngines('processor time of natively long steps', (engine) => {
  test.each(Object.entries(LOOPS))('%s ends near its limit', async (_, loop) => {
    const image = await engine.handler(`() => {
      const endless = { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: ['a', 'b'] }) }) }
      const pairs = new Map([['a', 1], ['b', 2], ['c', 3]])
      ${loop}
    }`)
    const used: number[] = []
    // Of the whole process, and the least of some: what else it does only adds.
    for (let round = 0; round < 4; round++) {
      const instance = await engine.instance(image, { cpuMs: LIMIT_MS })
      const before = process.cpuUsage()
      expect(ask(instance).failure).toBe('cpu')
      const { user, system } = process.cpuUsage(before)
      used.push((user + system) / 1000)
    }
    expect(Math.min(...used)).toBeLessThan(LIMIT_MS * 1.5)
  })
})
