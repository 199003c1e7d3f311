import { describe, expect, it } from 'vitest'
import { Activity, activityBytes, createSharedMemory } from '../../src/shared/ringbuffer/index.ts'
import { type Body, explore } from '../support/explore.ts'

const { buffer } = createSharedMemory(1)
const place = { buffer, offset: 1024 }

function fresh(): { worker: Activity; observer: Activity } {
  new Int32Array(buffer, place.offset, activityBytes / 4).fill(0)
  const worker = new Activity(place)
  worker.start(77)
  return { worker, observer: new Activity(place) }
}

describe('an activity', () => {
  it('shows the run under way, its tags and the thread, and nothing between runs', () => {
    const { worker, observer } = fresh()
    expect(observer.thread).toBe(77)
    expect(observer.look()).toBeUndefined()
    worker.begin(3, -1, 2 ** 31 - 1, -(2 ** 31))
    expect(observer.look()?.tags).toEqual([3, -1, 2 ** 31 - 1, -(2 ** 31)])
    worker.end()
    expect(observer.look()).toBeUndefined()
  })

  it('gives each run a number of its own', () => {
    const { worker, observer } = fresh()
    const numbers = Array.from({ length: 100 }, () => {
      worker.begin(1, 2, 3, 4)
      const { number } = observer.look()!
      worker.end()
      return number
    })
    expect(new Set(numbers).size).toBe(100)
  })

  it('is cancelled for that run alone', () => {
    const { worker, observer } = fresh()
    worker.begin(1, 1, 1, 1)
    const first = observer.look()!
    expect(worker.isCancelled).toBe(false)
    observer.cancel(first, 3)
    expect(worker.isCancelled).toBe(true)
    expect(worker.reason).toBe(3)
    worker.end()
    expect(worker.isCancelled).toBe(false)
    worker.begin(1, 1, 1, 1)
    expect(worker.isCancelled).toBe(false)
    observer.cancel(first, 3)
    expect(worker.isCancelled).toBe(false)
  })

  it('of a worker that died within a run is ended by the next one', () => {
    const { worker, observer } = fresh()
    worker.begin(9, 9, 9, 9)
    const died = observer.look()!
    const next = new Activity(place)
    next.start(78)
    expect(observer.look()).toBeUndefined()
    next.begin(1, 1, 1, 1)
    expect(observer.look()!.number).not.toBe(died.number)
    expect(observer.thread).toBe(78)
  })

  it('goes on past the largest int32', () => {
    const { observer } = fresh()
    new Int32Array(buffer)[place.offset / 4] = 2 ** 31 - 2
    const worker = new Activity(place)
    worker.start(0)
    for (let i = 0; i < 3; i++) {
      worker.begin(i, i, i, i)
      expect(observer.look()?.tags).toEqual([i, i, i, i])
      worker.end()
    }
  })

  it('refuses a place outside of the memory', () => {
    expect(() => new Activity({ buffer, offset: buffer.byteLength })).toThrow(RangeError)
  })
})

describe('every interleaving of a worker and an observer', () => {
  const small = { buffer: new SharedArrayBuffer(activityBytes), offset: 0 }
  const worker: Body = (words) => {
    const activity = new Activity(small, words)
    activity.start(5)
    for (const tag of [1, 2]) {
      activity.begin(tag, tag, tag, tag)
      activity.end()
    }
  }

  it('a run is seen with its own tags, or not at all', () => {
    const seen = new Set<number>()
    const observer: Body = (words) => {
      const activity = new Activity(small, words)
      const run = activity.look()
      if (run === undefined) return
      seen.add(run.tags[0])
      if (run.tags.some((tag) => tag !== run.tags[0]) || run.number !== 2 * run.tags[0] - 1) {
        throw new Error(`run ${run.number} with the tags ${run.tags}`)
      }
    }
    const { bug, states } = explore([worker, observer])
    expect(bug).toBeUndefined()
    expect(states).toBeGreaterThan(20)
    expect(seen).toEqual(new Set([1, 2]))
  })

  it('cancelling one run never stops another', () => {
    let stopped = 0
    const watched: Body = (words) => {
      const activity = new Activity(small, words)
      activity.start(5)
      activity.begin(1, 1, 1, 1)
      if (activity.isCancelled) {
        stopped++
        if (activity.reason !== 3) throw new Error('stopped without a reason')
      }
      activity.end()
      activity.begin(2, 2, 2, 2)
      if (activity.isCancelled) throw new Error('the second run was stopped')
      activity.end()
    }
    const canceller: Body = (words) => {
      const activity = new Activity(small, words)
      const run = activity.look()
      if (run?.tags[0] === 1) activity.cancel(run, 3)
    }
    expect(explore([watched, canceller]).bug).toBeUndefined()
    expect(stopped).toBeGreaterThan(0)
  })
})
