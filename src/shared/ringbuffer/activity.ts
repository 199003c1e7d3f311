import { CACHE_LINE_BYTES, checkPlace, type Place } from './layout.ts'
import { AtomicWords, type Words } from './words.ts'

// The worker's line: its number of the run, odd while one is under way, then what the run is about, then the worker's thread. The
// observer's line: the number of the run that is to stop, and why.
const TAGS = 4
const FIRST_TAG = 1
const THREAD = FIRST_TAG + TAGS
const CANCEL = CACHE_LINE_BYTES / 4
const REASON = CANCEL + 1

/** Bytes that an activity occupies. */
export const activityBytes: number = 2 * CACHE_LINE_BYTES

/** A run that was under way when it was looked at. */
export interface Run {
  /** Odd, and different from that of any other run until 2^31 runs later. */
  readonly number: number
  /** What `begin` was given. */
  readonly tags: readonly [number, number, number, number]
}

/**
 * What one thread, the worker, is doing now, for observers on other threads, who may ask it to stop just that. The worker
 * brackets each run with `begin` and `end` and looks at `isCancelled` in between. A worker that dies within a run leaves it
 * under way; the next one's `Activity` ends it.
 *
 * The tags are stored after the run before has ended and before the new number is; an observer reads them between two equal
 * numbers, so it never takes those of one run for another's (RUN).
 */
export class Activity {
  readonly #words: Words
  readonly #word: number
  #number: number

  constructor(place: Place, words: Words = new AtomicWords(place.buffer)) {
    checkPlace('activity', place.buffer, place.offset, activityBytes)
    this.#words = words
    this.#word = place.offset / 4
    this.#number = words.load(this.#word)
  }

  /** Worker, once: takes the place over, and says which thread it is (any int32; 0: unknown). */
  start(thread: number): void {
    this.#number = (this.#number + (this.#number & 1)) | 0
    this.#words.store(this.#word + THREAD, thread)
    this.#words.store(this.#word, this.#number)
  }

  /** Worker: a run starts. The tags are int32. */
  begin(tag0: number, tag1: number, tag2: number, tag3: number): void {
    const words = this.#words
    const first = this.#word + FIRST_TAG
    words.store(first, tag0)
    words.store(first + 1, tag1)
    words.store(first + 2, tag2)
    words.store(first + 3, tag3)
    this.#number = (this.#number + 1) | 0
    words.store(this.#word, this.#number) // RUN: the tags are in place
  }

  /** Worker: the run is over. */
  end(): void {
    this.#number = (this.#number + 1) | 0
    this.#words.store(this.#word, this.#number)
  }

  /** Worker: whether the run under way is to stop. */
  get isCancelled(): boolean {
    return this.#words.load(this.#word + CANCEL) === this.#number
  }

  /** Worker: why the last run that was stopped was to stop; until the next one begins. */
  get reason(): number {
    return this.#words.load(this.#word + REASON)
  }

  /** Observer: the worker's thread. */
  get thread(): number {
    return this.#words.load(this.#word + THREAD)
  }

  /** Observer: the run under way; undefined when there is none, or one just changed into another. */
  look(): Run | undefined {
    const words = this.#words
    const first = this.#word + FIRST_TAG
    const number = words.load(this.#word)
    if ((number & 1) === 0) return undefined
    const tags = [
      words.load(first),
      words.load(first + 1),
      words.load(first + 2),
      words.load(first + 3),
    ] as const
    return words.load(this.#word) === number ? { number, tags } : undefined
  }

  /**
   * Observer, of whom there is one that does this: asks that this run stop, and says why (int32); nothing for one that is over.
   * The reason is there before the number is (RUN).
   */
  cancel({ number }: Run, reason: number): void {
    this.#words.store(this.#word + REASON, reason)
    this.#words.store(this.#word + CANCEL, number)
  }
}
