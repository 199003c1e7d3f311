import { expect, test } from 'vitest'
import type { Outbox } from '../../src/actor/outbox.ts'
import { Pace, RING_MS } from '../../src/actor/pace.ts'

/** Says of each request whether what was answered before was told first. */
function open() {
  const pace = new Pace(2)
  let rings = 0
  const outbox = { ring: () => rings++ } as unknown as Outbox
  const isTold = (functionIndex: number, ms: number) => {
    const before = rings
    pace.enters(functionIndex, outbox)
    pace.took(ms)
    return rings > before
  }
  return { pace, isTold }
}

test('answers do not wait for a function that nothing is known of, or that has been slow of late', () => {
  const { isTold } = open()
  expect(isTold(0, 0.01)).toBe(true)
  let requests = 1
  while (isTold(0, 0.01)) requests++
  expect(requests).toBe(19)
  expect(isTold(0, RING_MS * 2)).toBe(false)
  for (let i = 0; i < 6; i++) expect(isTold(0, 0.01)).toBe(true)
  for (let i = 0; i < 6; i++) isTold(0, 0.01)
  expect(isTold(0, 0.01)).toBe(false)
  expect(isTold(1, 0.01)).toBe(true)
})

test('time in which no function ran is nobody’s', () => {
  const { pace, isTold } = open()
  for (let i = 0; i < 30; i++) isTold(0, 0.01)
  pace.took(100)
  expect(isTold(0, 0.01)).toBe(false)
})
