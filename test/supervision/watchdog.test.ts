import { createSharedMemory } from '@shared/ringbuffer'
import { expect, test } from 'vitest'
import { sharedMs } from '../../src/clock.ts'
import { CANCEL } from '../../src/protocol.ts'
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
const OPTIONS = { graceMs: 200, strikes: 2, windowMs: 10_000, quarantineMs: 5000, holdMs: 500 }
const CPU_MS = 100
/** Blind, since the worker's thread is 0: a run is hung after three limits. */
const HUNG_MS = 3 * (CPU_MS + OPTIONS.graceMs)

/** A deadline that no test comes to. */
const later = () => sharedMs(performance.now() + 3_600_000)

function world(functions = 2) {
  const shards = [0, 1].map((index) => createShard(index, SIZES, createSharedMemory(64)))
  const standing = new Standing(createStanding(functions), functions)
  const hangs: Hang[] = []
  const quarantined: number[] = []
  const gone = new Set<number>()
  const arrivals = [0, 0]
  const watchdog = new Watchdog(shards, [CPU_MS, 10 * CPU_MS].slice(0, functions), standing, OPTIONS, {
    arrivals: (shard) => arrivals[shard]!,
    isWanted: ({ slot }) => !gone.has(slot),
    hung: (hang) => hangs.push(hang),
    quarantined: (index) => quarantined.push(index),
  })
  const workers = shards.map((shard) => actorActivity(shard))
  for (const worker of workers) worker.start(0)
  return { gone, arrivals, watchdog, workers, hangs, quarantined, standing }
}

function lookAlong(watchdog: Watchdog, fromMs: number, toMs: number): void {
  for (let at = fromMs; at <= toMs; at += 50) watchdog.look(at)
}

test('a run that goes on is reported once, with what it was about', () => {
  const { watchdog, workers, hangs } = world()
  workers[1]!.begin(0, 7, 8, later())
  for (let at = 0; at < HUNG_MS; at += 50) watchdog.look(1000 + at)
  expect(hangs).toEqual([])
  for (let at = HUNG_MS; at < 3 * HUNG_MS; at += 50) watchdog.look(1000 + at)
  expect(hangs).toEqual([{ shard: 1, functionIndex: 0, slot: 7, generation: 8, ranMs: HUNG_MS }])
})

test('each function has its own limit, and runs that change are never hung', () => {
  const { watchdog, workers, hangs } = world()
  workers[0]!.begin(1, 1, 1, later())
  for (let at = 0; at < 2 * HUNG_MS; at += 50) {
    watchdog.look(at)
    workers[1]!.begin(0, 1, 1, later())
    if (at % 100 === 0) workers[1]!.end()
    else {
      workers[1]!.end()
      workers[1]!.begin(0, 2, 2, later())
    }
  }
  expect(hangs).toEqual([])
})

test('a thread off its processor is not charged: this one sleeps', () => {
  const { watchdog, workers, hangs } = world()
  // A thread of this process that uses no processor time now, if there is one to be told by the system.
  const idle = process.platform === 'linux' ? process.pid : 0
  workers[0]!.start(idle)
  workers[0]!.begin(0, 1, 1, later())
  lookAlong(watchdog, 0, HUNG_MS)
  if (idle !== 0) expect(hangs).toEqual([])
  lookAlong(watchdog, HUNG_MS, 40 * (CPU_MS + OPTIONS.graceMs))
  expect(hangs).toHaveLength(1)
})

test('strikes within the window put a function into quarantine; strikes far apart do not', () => {
  const { watchdog, workers, hangs, quarantined, standing } = world()
  const hang = (startMs: number) => {
    workers[0]!.begin(0, 1, 1, later())
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

test('what goes on for a client that has gone is cancelled a look later; what runs for nobody is not', () => {
  const { gone, watchdog, workers, hangs } = world()
  gone.add(4).add(-1)
  workers[0]!.begin(0, 4, 1, later())
  workers[1]!.begin(0, -1, 0, later())
  lookAlong(watchdog, 0, 50)
  expect(workers.map((worker) => worker.isCancelled)).toEqual([false, false])
  watchdog.look(100)
  expect(workers.map((worker) => worker.isCancelled)).toEqual([true, false])
  expect(workers[0]!.reason).toBe(CANCEL.GONE)
  expect(hangs).toEqual([])
})

test('nor is what goes on for a client that has gone but had no processor since', () => {
  const { gone, watchdog, workers } = world()
  gone.add(4)
  // A thread that gets few milliseconds of processor time while these looks are made, if the system tells.
  const idle = process.platform === 'linux' ? process.pid : 0
  workers[0]!.start(idle)
  workers[0]!.begin(0, 4, 1, later())
  lookAlong(watchdog, 0, 1000)
  expect(workers[0]!.isCancelled).toBe(idle === 0)
})

test('what runs past its request’s deadline is cancelled, also what runs for nobody', () => {
  const { watchdog, workers } = world()
  workers[0]!.begin(1, 1, 1, sharedMs(10_100))
  workers[1]!.begin(1, -1, 0, sharedMs(10_100))
  lookAlong(watchdog, 10_000, 10_050)
  expect(workers.map((worker) => worker.isCancelled)).toEqual([false, false])
  watchdog.look(10_100)
  expect(workers.map((worker) => [worker.isCancelled, worker.reason])).toEqual([
    [true, CANCEL.DEADLINE],
    [true, CANCEL.DEADLINE],
  ])
})

test('what has its shard for long is cancelled when others have come meanwhile and waited for as long', () => {
  const { arrivals, watchdog, workers } = world()
  for (const worker of workers) worker.begin(1, 1, 1, later())
  // What had come before the run was seen may be the run itself.
  arrivals.fill(5)
  lookAlong(watchdog, 0, 300)
  expect(workers.map((worker) => worker.isCancelled)).toEqual([false, false])
  arrivals[0]!++
  lookAlong(watchdog, 350, 350 + OPTIONS.holdMs - 50)
  expect(workers.map((worker) => worker.isCancelled)).toEqual([false, false])
  watchdog.look(350 + OPTIONS.holdMs)
  expect(workers.map((worker) => worker.isCancelled)).toEqual([true, false])
  expect(workers[0]!.reason).toBe(CANCEL.OVERLOAD)
})

test('and not when there is but one function, whose requests wait for their own kind', () => {
  const alone = world(1)
  alone.workers[0]!.begin(0, 1, 1, later())
  alone.watchdog.look(0)
  alone.arrivals[0]!++
  lookAlong(alone.watchdog, 50, HUNG_MS - 50)
  expect(alone.workers[0]!.isCancelled).toBe(false)
})

test('time in which the whole process stood still is nobody’s', () => {
  const { watchdog, workers, hangs } = world()
  workers[0]!.begin(0, 1, 1, later())
  lookAlong(watchdog, 0, 100)
  lookAlong(watchdog, 1_000_000, 1_000_000 + OPTIONS.graceMs)
  expect(hangs).toEqual([])
})
