import { describe, expect, it } from 'vitest'
import { createSharedMemory, Doorbell } from '../../src/shared/ringbuffer/index.ts'

const { buffer } = createSharedMemory(1)

/** Both sides of one doorbell, on this thread. */
function bells(): { sleeper: Doorbell; ringer: Doorbell } {
  const sleeper = new Doorbell({ buffer, offset: 128 })
  sleeper.cancel()
  return { sleeper, ringer: new Doorbell({ buffer, offset: 128 }) }
}

describe('a doorbell', () => {
  it('is rung only for a sleeper, and once', () => {
    const { sleeper, ringer } = bells()
    expect(ringer.ring()).toBe(false)
    sleeper.prepare()
    expect(ringer.ring()).toBe(true)
    expect(ringer.ring()).toBe(false)
    expect(sleeper.wait()).toBe('not-equal')
  })

  it('is not rung after cancel', () => {
    const { sleeper, ringer } = bells()
    sleeper.prepare()
    sleeper.cancel()
    expect(ringer.ring()).toBe(false)
  })

  it('leaves the sleeper awake when the time is up', () => {
    const { sleeper, ringer } = bells()
    sleeper.prepare()
    expect(sleeper.wait(0)).toBe('timed-out')
    expect(ringer.ring()).toBe(false)
  })
})

describe('a doorbell of an event loop', () => {
  it('says at once that it was rung since prepare', () => {
    const { sleeper, ringer } = bells()
    sleeper.prepare()
    ringer.ring()
    expect(sleeper.waitAsync()).toBeUndefined()
    expect(sleeper.armed).toBe(false)
  })

  it('resolves when rung, and is awake and unarmed then', async () => {
    const { sleeper, ringer } = bells()
    sleeper.prepare()
    const rung = sleeper.waitAsync()
    expect(sleeper.armed).toBe(true)
    expect(ringer.ring()).toBe(true)
    await alive(rung)
    expect(sleeper.armed).toBe(false)
    expect(ringer.ring()).toBe(false)
  })

  it('keeps one wait through any number of cancel and prepare, and the wait still works', async () => {
    const { sleeper, ringer } = bells()
    sleeper.prepare()
    const rung = sleeper.waitAsync()
    for (let turn = 0; turn < 3; turn++) {
      sleeper.cancel()
      expect(ringer.ring()).toBe(false)
      sleeper.prepare()
      expect(sleeper.waitAsync()).toBe(rung)
    }
    expect(ringer.ring()).toBe(true)
    await alive(rung)
    sleeper.prepare()
    const again = sleeper.waitAsync()
    expect(again).not.toBe(rung)
    expect(ringer.ring()).toBe(true)
    await alive(again)
  })
})

/** Holds the event loop open meanwhile: an async wait alone does not. */
async function alive(promise: Promise<void> | undefined): Promise<void> {
  const held = setInterval(() => {}, 60_000)
  try {
    await promise
  } finally {
    clearInterval(held)
  }
}
