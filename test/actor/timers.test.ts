import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type TimerEntry, TimerQueue } from '../../src/actor/timers.ts'

test('fires in order of time, then of making, whatever is cancelled meanwhile', () => {
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), atMs: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(60) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fire' as const), nowMs: fc.nat(20) }) },
  )
  const run = fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
    const queue = new TimerQueue()
    const made: TimerEntry[] = []
    let model: { id: number; atMs: number }[] = []
    const fired: number[] = []
    for (const step of commands) {
      if (step.do === 'add') {
        const id = made.length
        made.push(queue.add(step.atMs, () => fired.push(id)))
        model.push({ id, atMs: step.atMs })
        model.sort((a, b) => a.atMs - b.atMs || a.id - b.id)
      } else if (step.do === 'cancel' && made.length > 0) {
        // Also what has fired or was cancelled before: that must do nothing.
        const id = step.which % made.length
        queue.cancel(made[id]!)
        model = model.filter((entry) => entry.id !== id)
      } else if (step.do === 'fire') {
        const due = model.filter(({ atMs }) => atMs <= step.nowMs).map(({ id }) => id)
        model = model.filter(({ atMs }) => atMs > step.nowMs)
        fired.length = 0
        queue.fire(step.nowMs)
        expect(fired).toEqual(due)
      }
      expect(queue.size).toBe(model.length)
      expect(queue.nextMs).toBe(model[0]?.atMs ?? Number.POSITIVE_INFINITY)
    }
  })
  fc.assert(run, { numRuns: 300 })
})

test('a callback may cancel others that are due, and add some', () => {
  const queue = new TimerQueue()
  const fired: string[] = []
  queue.add(1, () => {
    fired.push('first')
    queue.cancel(second)
    queue.add(2, () => fired.push('added'))
    queue.add(9, () => fired.push('later'))
  })
  const second = queue.add(1, () => fired.push('second'))
  queue.fire(5)
  expect(fired).toEqual(['first', 'added'])
  expect(queue.nextMs).toBe(9)
})

test('a cancelled entry is let go at once', () => {
  const queue = new TimerQueue()
  for (let i = 0; i < 1000; i++) queue.cancel(queue.add(i, () => {}))
  expect(queue.size).toBe(0)
})
