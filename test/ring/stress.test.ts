import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import {
  Consumer,
  createSharedMemory,
  Doorbell,
  type Place,
  type RingPlace,
  ringBytes,
} from '../../src/shared/ringbuffer/index.ts'

// The smallest ring, and no wait with a timeout anywhere: a lost wakeup hangs the test instead of costing a millisecond.
const CAPACITY = 1024
const COUNT = 60_000
const BELLS = 2 * ringBytes(CAPACITY)

interface Bells {
  records: Place
  room: [Place, Place]
}

function memory(start: number): { rings: [RingPlace, RingPlace]; bells: Bells } {
  const { buffer } = createSharedMemory(BELLS + 3 * 128)
  const ring = (i: number): RingPlace => {
    const offset = i * ringBytes(CAPACITY)
    new Int32Array(buffer)
      .fill(start, offset / 4, offset / 4 + 1)
      .fill(start, offset / 4 + 32, offset / 4 + 33)
    return { buffer, offset, capacity: CAPACITY }
  }
  const bell = (i: number): Place => ({ buffer, offset: BELLS + i * 128 })
  return { rings: [ring(0), ring(1)], bells: { records: bell(0), room: [bell(1), bell(2)] } }
}

/** Runs one side in a thread; resolves with the number of messages it has seen. */
async function side(
  role: 'producer' | 'consumer',
  ring: number,
  { rings, bells }: ReturnType<typeof memory>,
  seed: number,
) {
  const workerData = {
    role,
    place: rings[ring],
    records: bells.records,
    room: bells.room[ring],
    count: COUNT,
    seed,
  }
  const worker = new Worker(new URL('./stress-worker.mjs', import.meta.url), { workerData })
  const [[count]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
  return count as number
}

describe('WAKE, PUBLISH, RELEASE between real threads', () => {
  it.each([0, 2 ** 31 - 4096, 2 ** 32 - 4096])(
    'delivers everything, whole, from position %d',
    async (start) => {
      const shared = memory(start)
      const counts = await Promise.all([side('producer', 0, shared, 7), side('consumer', 0, shared, 7)])
      expect(counts).toEqual([COUNT, COUNT])
    },
  )

  it('delivers everything from two ringers to an event loop that flips its doorbell each turn', async () => {
    const shared = memory(0)
    const producers = [0, 1].map((ring) => side('producer', ring, shared, 11 + ring))
    const [turns, ...counts] = await Promise.all([drainOnEventLoop(shared), ...producers])
    expect(counts).toEqual([COUNT, COUNT])
    expect(turns).toBeGreaterThan(1)
  })
})

/** Reads both rings to their ends, waiting with waitAsync only; a ticking immediate stands for the sockets. */
async function drainOnEventLoop({ rings, bells }: ReturnType<typeof memory>): Promise<number> {
  const bell = new Doorbell(bells.records)
  const consumers = rings.map((place) => new Consumer(place))
  const room = bells.room.map((place) => new Doorbell(place))
  const bytes = new Uint8Array(rings[0].buffer)
  const seen = [0, 0]
  let turns = 0
  const drain = (): void => {
    for (const [ring, consumer] of consumers.entries()) {
      while (consumer.next()) {
        if (consumer.slot !== seen[ring]! || checksum(bytes, consumer) !== consumer.generation) {
          throw new Error(`message ${seen[ring]} of ring ${ring} came as ${consumer.slot}`)
        }
        seen[ring]! += 1
      }
      consumer.release()
      room[ring]!.ring()
    }
  }
  const keepAlive = setInterval(() => {}, 60_000)
  for (;;) {
    turns += 1
    bell.cancel()
    drain()
    if (seen.every((n) => n === COUNT)) break
    bell.prepare()
    if (!consumers.every((consumer) => consumer.isEmpty())) continue
    const rung = bell.waitAsync()
    // Every third turn comes from something else than the doorbell, and leaves the async wait outstanding.
    await (turns % 3 === 0 ? setImmediate() : rung)
  }
  clearInterval(keepAlive)
  return turns
}

function checksum(bytes: Uint8Array, { offset, length }: Consumer): number {
  let sum = 0
  for (let i = 0; i < length; i++) sum = (Math.imul(sum, 33) + bytes[offset + i]!) | 0
  return sum
}
