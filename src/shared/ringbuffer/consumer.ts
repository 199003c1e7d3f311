import { outOfRange, RingCorruptError } from './errors.ts'
import {
  GENERATION_WORD,
  geometryOf,
  HEADER_BYTES,
  PADDING,
  type RingPlace,
  recordBytes,
  SLOT_WORD,
  TYPE_WORD,
} from './layout.ts'
import { AtomicWords, type Words } from './words.ts'

/**
 * The reading side of a ring: `while (consumer.next()) handle(...)`, then one `release()` for the batch. Holding it is holding
 * the role: one at a time for each ring, on one thread.
 *
 * What it reads from shared memory is checked before use (each word is read once, so that what was checked is what is used);
 * a broken record throws RingCorruptError.
 */
export class Consumer {
  /** The current record; valid after `next()` returned true, until the next call of `next()`. */
  type = 0
  slot = 0
  generation = 0
  /** Byte offset of the payload in the buffer. */
  offset = 0
  /** Length of the payload in bytes. */
  length = 0
  /** Position behind the current record: what `releaseTo` takes, for owners that give records back later than they read them. */
  end: number

  readonly capacity: number
  readonly #words: Words
  readonly #writeWord: number
  readonly #readWord: number
  readonly #takenWord: number
  readonly #dataWord: number
  readonly #dataOffset: number
  readonly #maxPayload: number

  /** Last write position seen. It may be old, which only makes the ring look emptier than it is. */
  #write: number
  #released: number

  /** Continues at the read position found in the memory. Throws RangeError for an impossible place. */
  constructor(place: RingPlace, words: Words = new AtomicWords(place.buffer)) {
    const geometry = geometryOf(place)
    this.capacity = geometry.capacity
    this.#words = words
    this.#writeWord = geometry.writeWord
    this.#readWord = geometry.readWord
    this.#takenWord = geometry.takenWord
    this.#dataWord = geometry.dataWord
    this.#dataOffset = geometry.dataOffset
    this.#maxPayload = geometry.maxPayload
    this.#released = words.load(geometry.readWord)
    this.end = this.#released
    this.#write = this.#released
    this.#refresh()
  }

  /**
   * What a consumer has left that noted each record as {@link taken} and whose thread has ended: it stands behind the last of them.
   * Throws RingCorruptError for a note that cannot be.
   */
  static behindTaken(place: RingPlace, words: Words = new AtomicWords(place.buffer)): Consumer {
    const consumer = new Consumer(place, words)
    const taken = words.load(consumer.#takenWord)
    const bytes = (taken - consumer.#released) | 0
    if (bytes < 0 || bytes > ((consumer.#write - consumer.#released) | 0) || (taken & 7) !== 0) {
      const bounds = `${consumer.#released >>> 0} and ${consumer.#write >>> 0}`
      throw new RingCorruptError(`taken position ${taken >>> 0} is not between ${bounds}`)
    }
    consumer.end = taken
    return consumer
  }

  /**
   * Notes that the current record is about to be acted upon, for {@link behindTaken}: releases are for batches, and to act twice on
   * a record would be wrong. To be called for every record, or for none.
   */
  taken(): void {
    this.#words.store(this.#takenWord, this.end)
  }

  /** Moves on to the next record. False when the producer has published none; the fields are then those of the last record. */
  next(): boolean {
    while (this.#write !== this.end || this.#refresh()) {
      const index = this.end & (this.capacity - 1)
      const header = this.#dataWord + (index >> 2)
      const length = this.#words.get(header)
      const type = this.#words.get(header + TYPE_WORD)
      const room = Math.min((this.#write - this.end) | 0, this.capacity - index)
      if (type === PADDING) {
        if (length !== this.capacity - index || length > room) this.#corrupt(type, length)
        this.end = (this.end + length) | 0
        continue
      }
      if (type < 1 || length < 0 || length > this.#maxPayload || recordBytes(length) > room)
        this.#corrupt(type, length)
      this.type = type
      this.length = length
      this.slot = this.#words.get(header + SLOT_WORD)
      this.generation = this.#words.get(header + GENERATION_WORD)
      this.offset = this.#dataOffset + index + HEADER_BYTES
      this.end = (this.end + recordBytes(length)) | 0
      return true
    }
    return false
  }

  /** Gives everything up to and including the current record back to the producer: one store for any number of records. */
  release(): void {
    if (this.end !== this.#released) this.#publish(this.end)
  }

  /**
   * Gives back everything before `end`, an `end` that this consumer had after some `next()`, while later records stay in use.
   * Throws RangeError for a position that is neither the last released nor between it and the current record's end.
   */
  releaseTo(end: number): void {
    const bytes = (end - this.#released) | 0
    if (bytes < 0 || bytes > ((this.end - this.#released) | 0) || (end & 7) !== 0) {
      outOfRange('release position', end, `between ${this.#released} and ${this.end} (modulo 2^32)`)
    }
    if (bytes !== 0) this.#publish(end)
  }

  /** Whether there is no record after the current one, by a fresh read: what a sleeper asks between `prepare` and `wait`. */
  isEmpty(): boolean {
    return this.#write === this.end && !this.#refresh()
  }

  #publish(position: number): void {
    this.#released = position
    this.#words.store(this.#readWord, position) // RELEASE: after every read of the space given back
  }

  /** Reads the write position afresh; whether there is something to read. */
  #refresh(): boolean {
    const write = this.#words.load(this.#writeWord) // PUBLISH: acquires the records before it
    const advance = (write - this.#write) | 0
    const free = this.capacity - ((this.#write - this.#released) | 0)
    if (advance < 0 || advance > free || (write & 7) !== 0) {
      const bounds = `${this.#write >>> 0} and ${(this.#released + this.capacity) >>> 0}`
      throw new RingCorruptError(`write position ${write >>> 0} is not between ${bounds}`)
    }
    this.#write = write
    return write !== this.end
  }

  #corrupt(type: number, length: number): never {
    throw new RingCorruptError(`record of type ${type} and length ${length} at position ${this.end >>> 0}`)
  }
}
