import type { Consumer } from '@shared/ringbuffer'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SpinPolicy } from '../../src/actor/spin.ts'

const LIMIT_MS = 1
/** Between two looks of an undisturbed spin. */
const LOOK_MS = 0.01
let clockMs = 0
let stepMs = LOOK_MS

beforeEach(() => {
  clockMs = 1000
  stepMs = LOOK_MS
  vi.spyOn(performance, 'now').mockImplementation(() => {
    clockMs += stepMs
    return clockMs
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** A ring that has a record at the given look, and counts looks. */
function ring(fullAt = Number.POSITIVE_INFINITY) {
  const counting = { looks: 0, isEmpty: () => ++counting.looks < fullAt }
  return counting as typeof counting & Consumer
}

test('with a limit of 0 it never looks', () => {
  const consumer = ring(1)
  expect(new SpinPolicy(0).spin(consumer, clockMs)).toBe(false)
  expect(consumer.looks).toBe(0)
})

test('ends at once with a record, and at the limit without one', () => {
  const policy = new SpinPolicy(LIMIT_MS)
  expect(policy.spin(ring(1), clockMs)).toBe(true)
  expect(policy.spin(ring(50), clockMs)).toBe(true)
  const startMs = clockMs
  const empty = ring()
  expect(policy.spin(empty, clockMs)).toBe(false)
  expect(clockMs - startMs).toBeGreaterThanOrEqual(LIMIT_MS - LOOK_MS / 2)
  expect(clockMs - startMs).toBeLessThan(LIMIT_MS + 2 * LOOK_MS)
})

test('long sleeps end the spinning, short ones bring it back', () => {
  const policy = new SpinPolicy(LIMIT_MS)
  const spins = () => policy.spin(ring(1), clockMs)
  for (let i = 0; i < 50; i++) policy.slept(3_600_000)
  expect(spins()).toBe(false)
  // The mean was capped: it does not take as long to forget as it was quiet.
  let sleeps = 0
  while (!spins() && sleeps < 100) {
    policy.slept(0)
    sleeps++
  }
  expect(sleeps).toBeGreaterThan(1)
  expect(sleeps).toBeLessThan(20)
})

test('a wake-up’s own time does not end it', () => {
  const policy = new SpinPolicy(LIMIT_MS)
  for (let i = 0; i < 100; i++) policy.slept(LIMIT_MS * 1.5)
  expect(policy.spin(ring(1), clockMs)).toBe(true)
})

test('a thread that was taken off its core gives way, for a while', () => {
  const policy = new SpinPolicy(LIMIT_MS)
  stepMs = 0.5
  const consumer = ring()
  expect(policy.spin(consumer, clockMs)).toBe(false)
  expect(consumer.looks).toBe(1)
  stepMs = LOOK_MS
  expect(policy.spin(ring(1), clockMs)).toBe(false)
  for (let i = 0; i < 20; i++) policy.slept(0)
  expect(policy.spin(ring(1), clockMs)).toBe(true)
})
