import { describe, expect, it } from 'vitest'
import { Counters } from '../../src/shared/ringbuffer/index.ts'
import { type Body, type ExploreOptions, explore } from '../support/explore.ts'
import {
  blockingConsumer,
  changingSleeper,
  eventLoop,
  events,
  overriding,
  producing,
  publishingFirst,
  startingAt,
  type Traffic,
} from './interleaving-threads.ts'

/** Explores everything; the bug and the way there become the failure's message. */
function bugOf(bodies: Body[], options?: ExploreOptions): string | undefined {
  const { bug, trace, states } = explore(bodies, options)
  expect(states).toBeGreaterThan(20)
  return bug === undefined ? undefined : `${bug}\n${trace.join('\n')}`
}

const FULL = 496
const WRAPPING = 300
const starts = [0, 2 ** 31 - 512, 2 ** 32 - 512]

describe('every interleaving of a producer and a consumer that sleeps in wait', () => {
  it.each(starts)('delivers all, into a ring of two records, from position %d', (start) => {
    const traffic: Traffic = { count: 3, length: FULL }
    const bodies = [producing(traffic), blockingConsumer(traffic)]
    expect(bugOf(bodies, { initial: startingAt(start) })).toBeUndefined()
  })

  it.each(starts)('delivers all across padding, from position %d', (start) => {
    const traffic: Traffic = { count: 3, length: WRAPPING }
    const bodies = [producing(traffic), blockingConsumer(traffic)]
    expect(bugOf(bodies, { initial: startingAt(start) })).toBeUndefined()
  })

  it('delivers all when the producer sleeps for room too', () => {
    const traffic: Traffic = { count: 3, length: FULL, sleepForRoom: true }
    expect(bugOf([producing(traffic), blockingConsumer(traffic)])).toBeUndefined()
  })

  it('delivers all from a corked producer that fills the ring', () => {
    const traffic: Traffic = { count: 4, length: FULL, corked: true }
    expect(bugOf([producing(traffic), blockingConsumer(traffic)])).toBeUndefined()
  })

  it('delivers all when waits time out at any moment', () => {
    const traffic: Traffic = { count: 2, length: FULL }
    const bounded: Body = (words) => {
      let left = 2
      // After two timeouts the waits have none: a thread that times out for ever has endless histories.
      const timed = overriding(words, {
        wait: (index: number, value: number) => {
          const outcome = words.wait(index, value, left > 0 ? 5 : Number.POSITIVE_INFINITY)
          if (outcome === 'timed-out') left -= 1
          return outcome
        },
      })
      blockingConsumer(traffic, 5)(timed)
    }
    expect(bugOf([producing(traffic), bounded])).toBeUndefined()
  })
})

describe('every interleaving of an event loop with one doorbell for two rings', () => {
  const one: Traffic = { count: 1, length: FULL }
  const two: Traffic = { count: 2, length: FULL }

  it('delivers all from two ringers', () => {
    expect(bugOf([eventLoop(one), producing(one), producing({ ...one, ring: 1 })])).toBeUndefined()
  })

  it('delivers all from two ringers while other events flip the word in between', () => {
    const bodies = [eventLoop(one), producing(one), producing({ ...one, ring: 1 }), events(0, 1)]
    expect(bugOf(bodies)).toBeUndefined()
  })

  it('delivers several from one ringer while other events flip the word twice', () => {
    expect(bugOf([eventLoop(two, [2, 0]), producing(two), events(0, 2)])).toBeUndefined()
  })

  it('has at most one async wait outstanding, whatever the turns', () => {
    let most = 0
    const counted: Body = (words) => {
      let outstanding = 0
      const counting = overriding(words, {
        waitAsync: (index: number, value: number) => {
          const promise = words.waitAsync(index, value)
          if (promise === undefined) return undefined
          outstanding += 1
          most = Math.max(most, outstanding)
          return promise.then(() => void (outstanding -= 1))
        },
      })
      eventLoop(one)(counting)
    }
    expect(bugOf([counted, producing(one), producing({ ...one, ring: 1 }), events(0, 1)])).toBeUndefined()
    expect(most).toBe(1)
  })
})

describe('every interleaving of a sleeper that changes from waitAsync to wait', () => {
  const traffic: Traffic = { count: 2, length: FULL }
  const bodies = [changingSleeper(traffic), producing(traffic), events(0, 1)]

  it('delivers all although the async wait is still outstanding', () => {
    expect(bugOf(bodies)).toBeUndefined()
  })

  it('would not, did notify wake one waiter only', () => {
    expect(bugOf(bodies, { notifyOne: true })).toMatch('deadlock or lost wakeup')
  })
})

describe('the explorer finds the seeded bug', () => {
  const traffic: Traffic = { count: 3, length: FULL }
  const run = (slip: Partial<Traffic>) => {
    const slipping = { ...traffic, ...slip }
    return bugOf([producing(slipping), blockingConsumer(slipping)])
  }

  it('no second look at the ring before sleeping', () => {
    expect(run({ noSecondLook: true })).toMatch('deadlock or lost wakeup')
  })

  it('a look at the ring before instead of after prepare', () => {
    expect(run({ lookThenPrepare: true })).toMatch('deadlock or lost wakeup')
  })

  it('a ring before the publishing store', () => {
    expect(run({ ringFirst: true })).toMatch('deadlock or lost wakeup')
  })

  it('a release before the payload is read', () => {
    expect(run({ releaseFirst: true })).toMatch('data race')
  })

  it('a publishing store before the header', () => {
    expect(bugOf([publishingFirst(producing(traffic), 'set', 0), blockingConsumer(traffic)])).toMatch(
      /data race|ERR|record/,
    )
  })

  it('no second look by an event loop', () => {
    const one: Traffic = { count: 1, length: FULL, noSecondLook: true }
    const bodies = [eventLoop(one), producing(one), producing({ ...one, ring: 1 })]
    expect(bugOf(bodies)).toMatch('deadlock or lost wakeup')
  })
})

describe('every interleaving of a counter crossing 2^32', () => {
  const place = { buffer: new SharedArrayBuffer(128), offset: 0 }
  const top = 2 ** 32 - 1
  const counting =
    (values: number[]): Body =>
    (words) => {
      const writer = new Counters(place, 1, words)
      for (const value of values) writer.set(0, value)
    }
  const reading =
    (values: number[]): Body =>
    (words) => {
      const reader = new Counters(place, 1, words)
      const seen = [reader.get(0), reader.get(0)].map((value) => values.indexOf(value))
      if (seen[0]! < 0 || seen[1]! < seen[0]!) throw new Error(`read values ${seen.join()}`)
    }

  it('reads only values that were written, in their order', () => {
    const values = [0, top, top + 1, top + 2, 2 * top + 7, 5]
    const races = { racy: true }
    expect(bugOf([counting(values.slice(1)), reading(values)], races)).toBeUndefined()
  })

  it('would read a mixture, did the half become current before it is filled', () => {
    const values = [0, top, top + 1]
    const bodies = [publishingFirst(counting(values.slice(1)), 'store', 0), reading(values)]
    expect(bugOf(bodies, { racy: true })).toMatch('read values')
  })
})
