// Watches the actors from the main thread. Most of what a guest can do wrong ends by the engine's own polls, some of it because
// the watchdog says so by the shared word: its client has gone, its request is past its deadline, or it has had its shard for too
// long while others waited. A native call that never polls ends by nothing of that. Such an actor's thread is ended, and its
// function earns a strike; after a few it is not served for a while.

import { readFileSync } from 'node:fs'
import type { Activity, Run } from '@shared/ringbuffer'
import { sinceSharedMs } from './clock.ts'
import { CANCEL } from './protocol.ts'
import type { ShardHandle } from './shard.ts'
import { actorActivity } from './shard.ts'
import type { Standing } from './standing.ts'

export interface WatchdogOptions {
  /** How long guest code may go on after its limit of processor time. */
  readonly graceMs: number
  /** So many strikes within `windowMs` put a function into quarantine for `quarantineMs`. */
  readonly strikes: number
  readonly windowMs: number
  readonly quarantineMs: number
  /** Processor time that one run may have while others wait for its shard; 0: as much as it likes. */
  readonly holdMs: number
}

/** The request whose guest code has hung its shard. */
export interface Hang {
  readonly shard: number
  readonly functionIndex: number
  readonly slot: number
  readonly generation: number
  /** How long it has been seen to run. */
  readonly ranMs: number
}

export interface WatchdogEvents {
  /** Whether somebody still waits for what runs. */
  isWanted(run: { shard: number; slot: number; generation: number }): boolean
  /** The shard's thread is to be ended. */
  hung(hang: Hang): void
  quarantined(functionIndex: number, untilMs: number): void
  /** How often a connection of this shard that waited for nothing has sent something. */
  arrivals(shard: number): number
}

/** How often all shards are looked at. */
const LOOK_MS = 50
/** Processor time that a run is left after its client was seen to have gone. */
const GONE_MS = LOOK_MS / 2
/** Two looks further apart than this: the main thread itself did not run. */
const STANDSTILL_MS = 10 * LOOK_MS
/** A thread off its processor is not charged for it, as far as the system tells; beyond this many limits it is hung all the same. */
const WALL_FACTOR = 40
/** Where the system does not tell. */
const BLIND_WALL_FACTOR = 3

interface Watched {
  readonly shard: number
  readonly activity: Activity
  run: Run | undefined
  sinceMs: number
  sinceCpuMs: number | undefined
  /** What had arrived when the run was first seen. */
  arrivals: number
  /** The thread's processor time when the run was first seen to go on without its client, and to have others wait for it. */
  goneCpuMs: number | undefined
  heldCpuMs: number | undefined
  /** The run that `hung` was called for. */
  reported: number | undefined
}

export class Watchdog {
  readonly #options: WatchdogOptions
  readonly #events: WatchdogEvents
  readonly #cpuMs: readonly number[]
  readonly #standing: Standing
  readonly #watched: Watched[]
  /** When each function earned its last strikes. */
  readonly #strikes: number[][]
  #timer: NodeJS.Timeout | undefined
  #lookedMs = 0

  /** `cpuMs`: each function's limit; `standing`: what actors read. */
  constructor(
    shards: readonly ShardHandle[],
    cpuMs: readonly number[],
    standing: Standing,
    options: WatchdogOptions,
    events: WatchdogEvents,
  ) {
    this.#options = options
    this.#events = events
    this.#cpuMs = cpuMs
    this.#standing = standing
    this.#strikes = cpuMs.map(() => [])
    this.#watched = shards.map((shard) => ({
      shard: shard.index,
      activity: actorActivity(shard),
      run: undefined,
      sinceMs: 0,
      sinceCpuMs: undefined,
      arrivals: 0,
      goneCpuMs: undefined,
      heldCpuMs: undefined,
      reported: undefined,
    }))
  }

  start(): void {
    this.#timer = setInterval(() => this.look(performance.now()), LOOK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** One look at every shard, at a time of `performance.now`. */
  look(nowMs: number): void {
    // A process or machine that stood still says nothing about what runs.
    const stoodMs = Math.max(0, nowMs - this.#lookedMs - STANDSTILL_MS)
    this.#lookedMs = nowMs
    for (const watched of this.#watched) {
      const run = watched.activity.look()
      if (run === undefined || run.number !== watched.run?.number) {
        watched.run = run
        watched.sinceMs = nowMs
        watched.sinceCpuMs = watched.goneCpuMs = watched.heldCpuMs = undefined
        watched.arrivals = this.#events.arrivals(watched.shard)
      } else {
        watched.sinceMs += stoodMs
        this.#cancelUnwanted(watched, run, nowMs)
        this.#cancelOverdue(watched, run, nowMs)
        if (watched.reported !== run.number && this.#isHung(watched, run, nowMs)) {
          watched.reported = run.number
          this.#report(watched, run, nowMs)
        }
      }
    }
  }

  /**
   * What has gone on for some processor time after its client was seen to have left. A step that ends before is followed by the guest's
   * being told so: its stream is cancelled, `request.signal` aborted, and `waitUntil` goes on. On a busy machine a thread gets little
   * of the clock's time. A slot of -1: what runs on after its answer.
   */
  #cancelUnwanted(watched: Watched, run: Run, nowMs: number): void {
    const { shard, activity } = watched
    const [, slot, generation] = run.tags
    if (slot < 0 || this.#events.isWanted({ shard, slot, generation })) return
    const hadMs = threadCpuMs(activity.thread) ?? nowMs
    watched.goneCpuMs ??= hadMs
    if (hadMs - watched.goneCpuMs >= GONE_MS) activity.cancel(run, CANCEL.GONE)
  }

  /** A request's deadline does not wait until its guest does; nor do others, beyond a bound. */
  #cancelOverdue(watched: Watched, run: Run, nowMs: number): void {
    if (sinceSharedMs(run.tags[3], nowMs) >= 0) watched.activity.cancel(run, CANCEL.DEADLINE)
    else if (this.#holds(watched, nowMs)) watched.activity.cancel(run, CANCEL.OVERLOAD)
  }

  /**
   * Whether a run has had its share and others have waited for that long. Of a lone function the requests wait for their own
   * kind. Where the system does not tell a thread's processor time, the wall clock counts.
   */
  #holds(watched: Watched, nowMs: number): boolean {
    const { holdMs } = this.#options
    if (holdMs === 0 || this.#cpuMs.length < 2) return false
    if (this.#events.arrivals(watched.shard) === watched.arrivals) return false
    const hadMs = threadCpuMs(watched.activity.thread) ?? nowMs
    watched.heldCpuMs ??= hadMs
    return hadMs - watched.heldCpuMs >= holdMs
  }

  /** The processor clock is read only of threads that have been at one thing for longer than the limit. */
  #isHung(watched: Watched, run: Run, nowMs: number): boolean {
    const limitMs = (this.#cpuMs[run.tags[0]] ?? 0) + this.#options.graceMs
    const ranMs = nowMs - watched.sinceMs
    if (ranMs < this.#options.graceMs) return false
    const cpuMs = threadCpuMs(watched.activity.thread)
    if (cpuMs === undefined) return ranMs >= limitMs * BLIND_WALL_FACTOR
    // Counted from the first look after the grace: what the thread did before this run is not its.
    watched.sinceCpuMs ??= cpuMs
    return cpuMs - watched.sinceCpuMs >= limitMs - this.#options.graceMs || ranMs >= limitMs * WALL_FACTOR
  }

  #report({ shard, sinceMs }: Watched, run: Run, nowMs: number): void {
    const [functionIndex, slot, generation] = run.tags
    this.#events.hung({ shard, functionIndex, slot, generation, ranMs: Math.round(nowMs - sinceMs) })
    const strikes = this.#strikes[functionIndex]
    if (strikes === undefined) return
    strikes.push(nowMs)
    while (strikes[0]! < nowMs - this.#options.windowMs) strikes.shift()
    if (strikes.length < this.#options.strikes) return
    strikes.length = 0
    const untilMs = Date.now() + this.#options.quarantineMs
    this.#standing.quarantine(functionIndex, untilMs)
    this.#events.quarantined(functionIndex, untilMs)
  }
}

/** Processor time that a thread has had; undefined where the system does not tell. */
function threadCpuMs(thread: number): number | undefined {
  if (thread === 0) return undefined
  try {
    // Linux, Documentation/scheduler/sched-stats: the first number is the time on a processor in nanoseconds.
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1e6
  } catch {
    return undefined
  }
}
