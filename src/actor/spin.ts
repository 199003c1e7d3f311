// Whether to look again before sleeping. To sleep and be woken costs tens of microseconds, mostly for waking an idle core; to look
// again costs a core. It pays when work comes back sooner than a wake-up takes, and when no other thread needs the core.

import type { Consumer } from '@shared/ringbuffer'

/** Share of the newest gap in the running mean. */
const WEIGHT = 1 / 8
/** Means above the limit by this factor still spin: a gap that ended in a wake-up holds the wake-up's own time. */
const SLACK = 2
/** Two looks this far apart: the thread was off its core between them, so somebody else needs it. */
const PREEMPTED_MS = 0.05
/** What a preemption counts for: so many limits that the next few idle times are slept through. */
const PREEMPTED_LIMITS = 8

export class SpinPolicy {
  readonly #limitMs: number
  /** Running mean of how long the thread was idle before work came. */
  #gapMs = 0

  /** `limitMs`: longest time of one spin; 0 for never. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  /** Looks for a record until the limit, if that promises something; true when there is one. */
  spin(consumer: Consumer, sinceMs: number): boolean {
    if (this.#limitMs === 0 || this.#gapMs > this.#limitMs * SLACK) return false
    let nowMs = sinceMs
    while (nowMs - sinceMs < this.#limitMs) {
      if (!consumer.isEmpty()) {
        this.#learn(nowMs - sinceMs)
        return true
      }
      const lookMs = performance.now()
      if (lookMs - nowMs > PREEMPTED_MS) {
        this.#gapMs = this.#limitMs * PREEMPTED_LIMITS
        return false
      }
      nowMs = lookMs
    }
    return false
  }

  /** The thread slept; it was idle for so long. */
  slept(idleMs: number): void {
    this.#learn(Math.min(idleMs, this.#limitMs * PREEMPTED_LIMITS))
  }

  #learn(gapMs: number): void {
    this.#gapMs += (gapMs - this.#gapMs) * WEIGHT
  }
}
