import { CACHE_LINE_BYTES, checkPlace, type Place } from './layout.ts'
import { AtomicWords, type WaitOutcome, type Words } from './words.ts'

const AWAKE = 0
const ASLEEP = 1

/** Bytes that a doorbell occupies: its word alone on its cache line. */
export const doorbellBytes: number = CACHE_LINE_BYTES

/**
 * Wakes one sleeping thread, the sleeper, that consumes any number of rings; each of their producers is a ringer. Ringing costs
 * one load unless the sleeper said that it sleeps. The sleeper's protocol, in this order (WAKE):
 *
 *     prepare(); if (some ring is not empty) cancel(); else wait() or waitAsync(); then drain the rings.
 *
 * A ringer publishes first and rings then. Wake-ups may be spurious, never lost.
 */
export class Doorbell {
  readonly #words: Words
  readonly #word: number
  #arm: Promise<void> | undefined

  constructor(place: Place, words: Words = new AtomicWords(place.buffer)) {
    checkPlace('doorbell', place.buffer, place.offset, doorbellBytes)
    this.#words = words
    this.#word = place.offset / 4
  }

  /** Sleeper: says that it is about to sleep. It must look at all its rings once more after this. */
  prepare(): void {
    this.#words.store(this.#word, ASLEEP)
  }

  /** Sleeper: says that it is awake, whether or not a `waitAsync` is outstanding; from here on ringers do not notify. */
  cancel(): void {
    this.#words.store(this.#word, AWAKE)
  }

  /** Sleeper: blocks the thread until rung or `timeoutMs` have passed; awake afterwards, also when an old ring came late. */
  wait(timeoutMs = Number.POSITIVE_INFINITY): WaitOutcome {
    const outcome = this.#words.wait(this.#word, ASLEEP, timeoutMs)
    this.cancel()
    return outcome
  }

  /** Sleeper: whether a `waitAsync` is outstanding. */
  get armed(): boolean {
    return this.#arm !== undefined
  }

  /**
   * Sleeper on an event loop: a promise resolved when rung, or undefined when it was rung since `prepare`. The wait outlives
   * `cancel` and `prepare`: while it is outstanding (`armed`) every call answers the same promise, so that there is never a
   * second one, and going to sleep again takes `prepare` and the look at the rings only. Awake when it resolves. It does not
   * keep the process alive.
   */
  waitAsync(): Promise<void> | undefined {
    if (this.#arm === undefined) {
      this.#arm = this.#words.waitAsync(this.#word, ASLEEP)?.then(() => {
        this.#arm = undefined
        this.cancel()
      })
    }
    return this.#arm
  }

  /** Ringer, after publishing: wakes the sleeper if it sleeps. Returns whether it did; of several ringers one does. */
  ring(): boolean {
    if (this.#words.load(this.#word) !== ASLEEP) return false
    if (this.#words.exchange(this.#word, AWAKE) !== ASLEEP) return false
    this.#words.notify(this.#word)
    return true
  }
}
