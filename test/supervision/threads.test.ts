import { afterEach, expect, test } from 'vitest'
import { openThreads, type Threads } from '../../src/threads.ts'

const ENTRY = new URL('../../dist/workers/actor.cjs', import.meta.url).href
let opened: Threads | undefined
afterEach(() => opened?.threads.destroy())

test('as many threads as were asked for, and they stay', async () => {
  opened = openThreads(2, 1, ENTRY)
  const { threads, ready } = opened
  await ready
  const ids = () => threads.threads.map(({ threadId }) => threadId)
  const first = ids()
  expect(first.length).toBe(2)
  // A result that cannot be cloned would end its thread: the next task would have to start another.
  for (let round = 0; round < 3; round++) {
    await Promise.all([threads.run(null, { name: 'warm' }), threads.run(null, { name: 'warm' })])
  }
  expect(ids()).toEqual(first)
})
