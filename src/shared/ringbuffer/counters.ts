import { outOfRange } from './errors.ts'
import { CACHE_LINE_BYTES, checkPlace, type Place } from './layout.ts'
import { AtomicWords, type Words } from './words.ts'

const WORD_VALUES = 2 ** 32
const COUNTER_WORDS = CACHE_LINE_BYTES / 4
const MAX_COUNTERS = 65_536
// Words of a counter: the number of its current half, then two halves of (low, high).
const HALF_WORDS = 2
const FIRST_HALF = 1

/** Bytes that `count` counters occupy, each alone on its cache line. Throws RangeError outside 1..65536. */
export function countersBytes(count: number): number {
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNTERS) {
    outOfRange('number of counters', count, `an integer from 1 to ${MAX_COUNTERS}`)
  }
  return count * CACHE_LINE_BYTES
}

/**
 * Numbers that one thread writes and every thread reads: integers from 0 to 2^53-1. One writer for each counter (OWNER), who
 * keeps its value privately; a new writer's `Counters` goes on from the value in the memory.
 *
 * No 64-bit access in JavaScript is both free of tearing and of allocation (Float64Array may tear by the memory model,
 * BigInt64Array allocates), so a value is two int32 words, and there are two halves of such words. A change of the low word
 * alone is one plain int32 store into the current half; a change of the high word fills the other half and then makes it
 * current by advancing the counter's half number. A reader takes the half that was current before and after it read; a
 * writer that dies in between leaves the old value in force.
 */
export class Counters {
  readonly #words: Words
  readonly #firstWord: number
  readonly #values: Float64Array
  readonly #high: Float64Array

  constructor(place: Place, count: number, words: Words = new AtomicWords(place.buffer)) {
    checkPlace('counters', place.buffer, place.offset, countersBytes(count))
    this.#words = words
    this.#firstWord = place.offset / 4
    this.#values = new Float64Array(count)
    this.#high = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      this.#values[i] = this.get(i)
      this.#high[i] = Math.floor(this.#values[i]! / WORD_VALUES)
    }
  }

  /** Writer: adds the integer `n`, which may be negative. Throws RangeError when `i` or the sum is out of bounds. */
  add(i: number, n: number): void {
    this.set(i, this.#values[i]! + n)
  }

  /** Writer: makes the counter `value`, an integer from 0 to 2^53-1. Throws RangeError when `i` or `value` is out of bounds. */
  set(i: number, value: number): void {
    const high = this.#high[i]
    if (high === undefined) this.#noSuchCounter(i)
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER) || Math.floor(value) !== value) {
      outOfRange(`counter ${i}`, value, 'an integer from 0 to 2^53-1')
    }
    this.#values[i] = value
    const word = this.#firstWord + i * COUNTER_WORDS
    const low = value - high * WORD_VALUES
    if (low >= 0 && low < WORD_VALUES) {
      const half = this.#words.get(word)
      this.#words.set(word + FIRST_HALF + (half & 1) * HALF_WORDS, value | 0)
    } else {
      this.#switchHalf(i, word, value)
    }
  }

  /** The counter's value, by any thread; a little old perhaps, never a mixture of two values. */
  get(i: number): number {
    if (this.#high[i] === undefined) this.#noSuchCounter(i)
    const words = this.#words
    const word = this.#firstWord + i * COUNTER_WORDS
    for (;;) {
      // Goes round only when the writer switched meanwhile: once in 2^32 for a counter, so this ends.
      const half = words.load(word)
      const at = word + FIRST_HALF + (half & 1) * HALF_WORDS
      const value = (words.load(at + 1) >>> 0) * WORD_VALUES + (words.load(at) >>> 0)
      if (words.load(word) === half) return value
    }
  }

  #switchHalf(i: number, word: number, value: number): void {
    const high = Math.floor(value / WORD_VALUES)
    const half = (this.#words.get(word) + 1) | 0
    const at = word + FIRST_HALF + (half & 1) * HALF_WORDS
    this.#words.store(at, value | 0)
    this.#words.store(at + 1, high)
    this.#words.store(word, half) // PUBLISH: both words of the half are in place
    this.#high[i] = high
  }

  #noSuchCounter(i: number): never {
    outOfRange('counter', i, `an integer from 0 to ${this.#high.length - 1}`)
  }
}
