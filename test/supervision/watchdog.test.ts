import { createSharedMemory } from '@shared/ringbuffer'
import { expect, test } from 'vitest'
import { actorActivity, createShard } from '../../src/shard.ts'
import { createStanding, Standing } from '../../src/standing.ts'
import { type Hang, Watchdog } from '../../src/watchdog.ts'

const SIZES = {
  requestBytes: 65536,
  responseBytes: 65536,
  scratchBytes: 0,
  highWatermark: 0.75,
  lowWatermark: 0.5,
}
const OPTIONS = { graceMs: 200, strikes: 2, windowMs: 10_000, quarantineMs: 5000 }
const CPU_MS = 100
/** Blind, since the worker's thread is 0: a run is hung after three limits. */
const HUNG_MS = 3 * (CPU_MS + OPTIONS.graceMs)

function world() {
  const shards = [0, 1].map((index) => createShard(index, SIZES, createSharedMemory(64)))
  const standing = new Standing(createStanding(2), 2)
  const hangs: Hang[] = []
  const quarantined: number[] = []
  const gone = new Set<number>()
  const watchdog = new Watchdog(shards, [CPU_MS, 10 * CPU_MS], standing, OPTIONS, {
    isWanted: ({ slot }) => !gone.has(slot),
    hung: (hang) => hangs.push(hang),
    quarantined: (index) => quarantined.push(index),
  })
  const workers = shards.map((shard) => actorActivity(shard))
  for (const worker of workers) worker.start(0)
  return { gone, watchdog, workers, hangs, quarantined, standing }
}

function lookAlong(watchdog: Watchdog, fromMs: number, toMs: number): void {
  for (let at = fromMs; at <= toMs; at += 50) watchdog.look(at)
}

test('a run that goes on is reported once, with what it was about', () => {
  const { watchdog, workers, hangs } = world()
  workers[1]!.begin(0, 7, 8)
  for (let at = 0; at < HUNG_MS; at += 50) watchdog.look(1000 + at)
  expect(hangs).toEqual([])
  for (let at = HUNG_MS; at < 3 * HUNG_MS; at += 50) watchdog.look(1000 + at)
  expect(hangs).toEqual([{ shard: 1, functionIndex: 0, slot: 7, generation: 8, ranMs: HUNG_MS }])
})

test('each function has its own limit, and runs that change are never hung', () => {
  const { watchdog, workers, hangs } = world()
  workers[0]!.begin(1, 1, 1)
  for (let at = 0; at < 2 * HUNG_MS; at += 50) {
    watchdog.look(at)
    workers[1]!.begin(0, 1, 1)
    if (at % 100 === 0) workers[1]!.end()
    else {
      workers[1]!.end()
      workers[1]!.begin(0, 2, 2)
    }
  }
  expect(hangs).toEqual([])
})

test('a thread off its processor is not charged: this one sleeps', () => {
  const { watchdog, workers, hangs } = world()
  // A thread of this process that uses no processor time now, if there is one to be told by the system.
  const idle = process.platform === 'linux' ? process.pid : 0
  workers[0]!.start(idle)
  workers[0]!.begin(0, 1, 1)
  lookAlong(watchdog, 0, HUNG_MS)
  if (idle !== 0) expect(hangs).toEqual([])
  lookAlong(watchdog, HUNG_MS, 10 * (CPU_MS + OPTIONS.graceMs))
  expect(hangs).toHaveLength(1)
})

test('strikes within the window put a function into quarantine; strikes far apart do not', () => {
  const { watchdog, workers, hangs, quarantined, standing } = world()
  const hang = (startMs: number) => {
    workers[0]!.begin(0, 1, 1)
    lookAlong(watchdog, startMs, startMs + HUNG_MS)
    workers[0]!.end()
  }
  hang(0)
  hang(OPTIONS.windowMs + HUNG_MS)
  expect([hangs.length, quarantined.length, standing.isQuarantined(0)]).toEqual([2, 0, false])
  hang(OPTIONS.windowMs + 3 * HUNG_MS)
  expect(quarantined).toEqual([0])
  expect([standing.isQuarantined(0), standing.isQuarantined(1)]).toEqual([true, false])
  expect(standing.isPenalised(0)).toBe(false)
})

test('what runs for a client that has gone is cancelled at the next look; what runs for nobody is not', () => {
  const { gone, watchdog, workers, hangs } = world()
  gone.add(4).add(-1)
  workers[0]!.begin(0, 4, 1)
  workers[1]!.begin(0, -1, 0)
  watchdog.look(0)
  expect(workers.map((worker) => worker.isCancelled)).toEqual([true, false])
  expect(hangs).toEqual([])
})

test('time in which the whole process stood still is nobody’s', () => {
  const { watchdog, workers, hangs } = world()
  workers[0]!.begin(0, 1, 1)
  lookAlong(watchdog, 0, 100)
  lookAlong(watchdog, 1_000_000, 1_000_000 + OPTIONS.graceMs)
  expect(hangs).toEqual([])
})
