import { expect, test } from 'vitest'
import { ask, describeEngines } from './engines.ts'

/** Loops whose steps are natively long: the engine polls seldom, so the polls bear witness of little. */
const LOOPS = {
  'for of an endless iterator': 'for (const pair of endless) void pair',
  'a spread of one': 'void [...endless]',
  'Array.from': 'Array.from(endless)',
  allocations: `const all = []; for (;;) all.push(['a', 'b'])`,
}

const LIMIT_MS = 60

describeEngines('processor time of natively long steps', (engine) => {
  test.each(Object.entries(LOOPS))('%s ends near its limit', async (_, loop) => {
    const image = await engine.handler(`() => {
      const endless = { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: ['a', 'b'] }) }) }
      ${loop}
    }`)
    const used: number[] = []
    // Of the whole process, and the least of some: what else it does, and what it takes to free what was made, only adds.
    for (let round = 0; round < 4; round++) {
      const instance = await engine.instance(image, { cpuMs: LIMIT_MS })
      const before = process.cpuUsage()
      expect(['cpu', 'memory']).toContain(ask(instance).failure)
      const { user, system } = process.cpuUsage(before)
      used.push((user + system) / 1000)
    }
    expect(Math.min(...used)).toBeLessThan(LIMIT_MS * 1.7)
  })
})
