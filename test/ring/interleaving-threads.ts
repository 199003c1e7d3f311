/** Threads for the explorer: the shipped Producer, Consumer and Doorbell, used as their documentation says, or nearly so. */
import {
  Consumer,
  Doorbell,
  Producer,
  REFUSED,
  type RingPlace,
  ringBytes,
} from '../../src/shared/ringbuffer/index.ts'
import type { Body, ThreadWords } from '../support/explore.ts'

const CAPACITY = 1024
const RING_STRIDE = ringBytes(CAPACITY)
const BELLS = 2 * RING_STRIDE
const buffer = new SharedArrayBuffer(BELLS + 256)

const placeOf = (ring: number): RingPlace => ({
  buffer,
  offset: ring * RING_STRIDE,
  capacity: CAPACITY,
})
/** Rung when there are records, and when there is room. */
const recordsBell = (words: ThreadWords) => new Doorbell({ buffer, offset: BELLS }, words)
const roomBell = (words: ThreadWords) => new Doorbell({ buffer, offset: BELLS + 128 }, words)

const writeWord = (ring: number) => (ring * RING_STRIDE) / 4
const readWord = (ring: number) => writeWord(ring) + 32

/** Initial words that put both positions of both rings at `position`. */
export const startingAt = (position: number) =>
  [0, 1].flatMap((ring) => [
    [writeWord(ring), position | 0] as const,
    [readWord(ring), position | 0] as const,
  ])

interface Slip {
  /** Sleeper: does not look at its rings between `prepare` and the wait. */
  noSecondLook?: boolean
  /** Ringer: rings before it publishes. */
  ringFirst?: boolean
  /** Consumer: gives the record back before it reads the payload. */
  releaseFirst?: boolean
  /** Sleeper: looks at its rings, then says that it sleeps. */
  lookThenPrepare?: boolean
}

export interface Traffic extends Slip {
  count: number
  /** Payload bytes of each record; 496 makes two records fill the ring. */
  length: number
  ring?: number
  /** Publishes and rings once for all, or when a claim is refused. */
  corked?: boolean
  /** Whether the producer sleeps for room on a doorbell of its own, or spins. */
  sleepForRoom?: boolean
}

/** Writes `count` records with their number as slot and as first payload word, ringing after each. */
export const producing =
  (traffic: Traffic): Body =>
  (words) => {
    const producer = new Producer(placeOf(traffic.ring ?? 0), words)
    const bell = recordsBell(words)
    const room = roomBell(words)
    if (traffic.corked) producer.cork()
    for (let i = 1; i <= traffic.count; i++) {
      const offset = claim(producer, traffic, bell, room, words)
      words.set(offset / 4, i)
      if (traffic.ringFirst) bell.ring()
      producer.commit(7, i, -i)
      if (!traffic.ringFirst && !traffic.corked) bell.ring()
    }
    if (!traffic.corked) return
    producer.uncork()
    bell.ring()
  }

function claim(
  producer: Producer,
  traffic: Traffic,
  bell: Doorbell,
  room: Doorbell,
  words: ThreadWords,
): number {
  for (;;) {
    const read = traffic.sleepForRoom ? 0 : words.load(readWord(traffic.ring ?? 0))
    const offset = producer.tryClaim(traffic.length)
    if (offset !== REFUSED) return offset
    if (traffic.corked) bell.ring()
    if (!traffic.sleepForRoom) {
      words.spinWhile(readWord(traffic.ring ?? 0), read)
      continue
    }
    room.prepare()
    const late = producer.tryClaim(traffic.length)
    if (late !== REFUSED) {
      room.cancel()
      return late
    }
    room.wait()
  }
}

/** Reads what there is, checking it, and gives it back; returns how many records that were. `from` is the last number seen. */
function drain(consumer: Consumer, traffic: Traffic, from: number, words: ThreadWords): number {
  let seen = from
  while (consumer.next()) {
    seen += 1
    if (traffic.releaseFirst) consumer.release()
    const payload = words.get(consumer.offset / 4)
    const { type, slot, generation, length } = consumer
    if (
      type !== 7 ||
      slot !== seen ||
      generation !== -seen ||
      length !== traffic.length ||
      payload !== seen
    ) {
      throw new Error(`record ${seen} is ${[type, slot, generation, length, payload].join(' ')}`)
    }
  }
  consumer.release()
  return seen - from
}

/** Sleeps in `wait` while its ring is empty. */
export const blockingConsumer =
  (traffic: Traffic, timeoutMs?: number): Body =>
  (words) => {
    const consumer = new Consumer(placeOf(traffic.ring ?? 0), words)
    const bell = recordsBell(words)
    const room = roomBell(words)
    for (let seen = 0; seen < traffic.count; ) {
      const batch = drain(consumer, traffic, seen, words)
      seen += batch
      if (traffic.sleepForRoom && batch > 0) room.ring()
      if (batch > 0) continue
      if (traffic.lookThenPrepare && !consumer.isEmpty()) continue
      bell.prepare()
      if (traffic.noSecondLook || traffic.lookThenPrepare || consumer.isEmpty()) bell.wait(timeoutMs)
      else bell.cancel()
    }
  }

/**
 * An event loop over two rings with one doorbell. In each turn it is awake, drains in passing whatever woke it, and says
 * that it sleeps at the end; a wait that is still outstanding is kept.
 */
export const eventLoop =
  (traffic: Traffic, counts: readonly [number, number] = [traffic.count, traffic.count]): Body =>
  (words) => {
    const consumers = [new Consumer(placeOf(0), words), new Consumer(placeOf(1), words)]
    const seen = [0, 0]
    const bell = recordsBell(words)
    const drainAll = () => {
      for (const [i, consumer] of consumers.entries()) seen[i]! += drain(consumer, traffic, seen[i]!, words)
    }
    drainAll()
    while (seen.some((n, ring) => n < counts[ring]!)) {
      bell.prepare()
      const empty = traffic.noSecondLook || consumers.every((consumer) => consumer.isEmpty())
      if (empty && bell.waitAsync() !== undefined) words.turn()
      bell.cancel()
      drainAll()
    }
  }

/** An actor: waits on its event loop until it was woken once, then for good in `wait`, its async wait perhaps outstanding. */
export const changingSleeper =
  (traffic: Traffic): Body =>
  (words) => {
    const consumer = new Consumer(placeOf(0), words)
    const bell = recordsBell(words)
    let seen = drain(consumer, traffic, 0, words)
    bell.prepare()
    if (consumer.isEmpty() && bell.waitAsync() !== undefined) words.turn()
    bell.cancel()
    while ((seen += drain(consumer, traffic, seen, words)) < traffic.count) {
      bell.prepare()
      if (consumer.isEmpty()) bell.wait()
      else bell.cancel()
    }
  }

/** Something else than a ring that wakes the event loop of `thread`: sockets, timers. */
export const events =
  (thread: number, count: number): Body =>
  (words) => {
    for (let i = 0; i < count; i++) words.post(thread)
  }

/** The same words with some of the accesses replaced. */
export const overriding = (words: ThreadWords, overrides: Partial<ThreadWords>): ThreadWords => ({
  get: (index) => words.get(index),
  set: (index, value) => words.set(index, value),
  load: (index) => words.load(index),
  store: (index, value) => words.store(index, value),
  exchange: (index, value) => words.exchange(index, value),
  notify: (index) => words.notify(index),
  wait: (index, value, timeoutMs) => words.wait(index, value, timeoutMs),
  waitAsync: (index, value) => words.waitAsync(index, value),
  turn: () => words.turn(),
  post: (thread) => words.post(thread),
  spinWhile: (index, value) => words.spinWhile(index, value),
  ...overrides,
})

/** A seeded bug below the shipped code: the store that publishes overtakes the writes before it that `late` picks. */
export const publishingFirst =
  (body: Body, late: 'set' | 'store', publishing: number): Body =>
  (words) => {
    const held: [number, number][] = []
    const hold = (index: number, value: number) => void held.push([index, value])
    const store = (index: number, value: number) => {
      if (late === 'store' && index !== publishing) return hold(index, value)
      words.store(index, value)
      if (index !== publishing) return
      for (const [at, written] of held.splice(0)) words[late](at, written)
    }
    body(overriding(words, late === 'set' ? { set: hold, store } : { store }))
  }
