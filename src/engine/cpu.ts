// How much processor time a request has had. The wall clock is cheap to read and never less than the truth, but a thread that was
// off its core is charged for it. So the wall clock counts for a short time, longer than most requests take, and from there the
// thread's own processor clock decides: a request is ended for what it used, not for what its neighbours or the machine's took.

import { readFileSync } from 'node:fs'

/**
 * The engine polls after 10,000 steps, 25 to 77 µs of plain guest code, and every host call counts as a poll. A longer time between
 * two is a native call, a loop whose steps are natively long (an iteration that allocates: 3 ms), or a thread off its core: no more
 * than this of it is taken for processor time until the processor clock is read.
 */
const GAP_MS_MAX = 0.25
/** After so long by the wall the processor clock is read: a request may overrun its limit by no more, beside one native call. */
const CLOCK_AFTER_MS = 4
/** The processor clock costs up to 10 µs to read; it is read at most this often. */
const READ_EVERY_MS = 1

/** On Node 23.9 and later. */
type ThreadCpuUsage = () => { user: number; system: number }

/** Milliseconds of processor time of this thread; the wall clock where neither Node nor the system tells. */
function threadCpuMs(): number {
  const { threadCpuUsage } = process as unknown as { threadCpuUsage?: ThreadCpuUsage }
  if (threadCpuUsage !== undefined) {
    const { user, system } = threadCpuUsage()
    return (user + system) / 1000
  }
  try {
    // Linux, Documentation/scheduler/sched-stats: the first number is the time on a processor in nanoseconds.
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6
  } catch {
    return performance.now()
  }
}

/** A meter for each request, and of its host calls too: where several share a runtime each step is charged to one of them. */
export class CpuMeter {
  /** Wall time of the request's steps: never less than its processor time. */
  usedMs = 0
  #limitMs = 0
  /** Processor time that the polls bear witness of. */
  #seenMs = 0
  #polledAtMs = 0
  #stepStartedMs = 0
  /** What the processor clock may still show, once it counts; undefined before. */
  #leftMs: number | undefined
  #threadStartedMs = 0
  #readAtMs = 0
  /** Host calls that the request has left; below zero when it has made one too many. */
  callsLeft = 0
  /** Of {@link usedMs}, what its function's share of the shard was charged with. */
  chargedMs = 0

  begin(limitMs: number): void {
    this.usedMs = this.chargedMs = 0
    this.#limitMs = limitMs
    this.#seenMs = 0
    this.#leftMs = undefined
  }

  enter(): void {
    this.#stepStartedMs = performance.now()
    this.#polledAtMs = this.#stepStartedMs
    if (this.#leftMs !== undefined) this.#threadStartedMs = threadCpuMs()
  }

  leave(): void {
    this.usedMs += performance.now() - this.#stepStartedMs
    this.#stepStartedMs = performance.now()
    if (this.#leftMs !== undefined) this.#charge()
  }

  /** The engine has polled, or called its host. */
  poll(): void {
    const nowMs = performance.now()
    this.#seenMs += Math.min(nowMs - this.#polledAtMs, GAP_MS_MAX)
    this.#polledAtMs = nowMs
  }

  /** Processor time of the request's steps so far: by the processor clock, once that counts, else wall time, {@link CLOCK_AFTER_MS} at most. */
  get processorMs(): number {
    return this.#leftMs === undefined ? this.usedMs : this.#limitMs - this.#leftMs
  }

  /** Processor time that the request uses elsewhere. */
  charge(ms: number): void {
    this.usedMs += ms
    this.#seenMs += ms
    if (this.#leftMs !== undefined) this.#leftMs -= ms
  }

  /** Whether the request has had more than its limit. Cheap while the wall clock says no. */
  get isOver(): boolean {
    const nowMs = performance.now()
    if (this.#leftMs === undefined) {
      if (this.usedMs + nowMs - this.#stepStartedMs <= Math.min(this.#limitMs, CLOCK_AFTER_MS)) return false
      this.#leftMs = this.#limitMs - this.#seenMs
      this.#threadStartedMs = threadCpuMs()
      this.#readAtMs = nowMs
    } else if (nowMs - this.#readAtMs >= READ_EVERY_MS) {
      this.#readAtMs = nowMs
      this.#charge()
    }
    return this.#leftMs <= 0
  }

  #charge(): void {
    const nowMs = threadCpuMs()
    this.#leftMs! -= nowMs - this.#threadStartedMs
    this.#threadStartedMs = nowMs
  }
}
