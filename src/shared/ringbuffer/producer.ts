import { outOfRange, RingCorruptError, RingMisuseError } from './errors.ts'
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

/** What `tryClaim` answers when there is no room. */
export const REFUSED = -1

const NO_CLAIM = -1

/**
 * The writing side of a ring. Holding it is holding the role: one at a time for each ring, on one thread.
 *
 * Positions are free-running uint32, kept in int32 form: all arithmetic on them is modulo 2^32, and a difference of two, cut
 * to int32, is a byte count because it never exceeds the capacity (LAP).
 */
export class Producer {
  /** Longest payload that `tryClaim` takes, in bytes. */
  readonly maxPayload: number
  readonly capacity: number

  readonly #words: Words
  readonly #bytes: Uint8Array<SharedArrayBuffer>
  readonly #writeWord: number
  readonly #readWord: number
  readonly #dataWord: number
  readonly #dataOffset: number
  readonly #highWatermark: number
  readonly #lowWatermark: number

  #write: number
  /** Last read position seen. It may be old, which only makes the ring look fuller than it is (BOUND). */
  #read: number
  #corked = false
  #claimIndex = NO_CLAIM
  #claimLength = 0
  #claimPadding = 0
  #congested = false

  /** Continues at the positions found in the memory. Throws RangeError for an impossible place. */
  constructor(place: RingPlace, words: Words = new AtomicWords(place.buffer)) {
    const geometry = geometryOf(place)
    this.maxPayload = geometry.maxPayload
    this.capacity = geometry.capacity
    this.#words = words
    this.#bytes = new Uint8Array(place.buffer)
    this.#writeWord = geometry.writeWord
    this.#readWord = geometry.readWord
    this.#dataWord = geometry.dataWord
    this.#dataOffset = geometry.dataOffset
    this.#highWatermark = geometry.highWatermark
    this.#lowWatermark = geometry.lowWatermark
    this.#write = words.load(geometry.writeWord)
    this.#read = (this.#write - geometry.capacity) | 0
    this.#refresh()
  }

  /**
   * Opens a claim on room for a payload of `length` bytes and returns the payload's byte offset in the buffer, or `REFUSED`
   * when the consumer has not released enough. Nothing is visible to the consumer before `commit`.
   * Throws RangeError for a length outside 0..maxPayload, RingMisuseError when a claim is open.
   */
  tryClaim(length: number): number {
    if (this.#claimIndex !== NO_CLAIM) throw new RingMisuseError('a claim is open already')
    if (!(length >= 0 && length <= this.maxPayload) || (length | 0) !== length) {
      outOfRange('payload length', length, `an integer from 0 to ${this.maxPayload}`)
    }
    const size = recordBytes(length)
    const index = this.#write & (this.capacity - 1)
    const toEnd = this.capacity - index
    const padding = size > toEnd ? toEnd : 0
    if (!this.#hasRoom(padding + size)) {
      if (this.#corked) this.#publish()
      return REFUSED
    }
    this.#claimIndex = padding > 0 ? 0 : index
    this.#claimLength = length
    this.#claimPadding = padding
    return this.#dataOffset + this.#claimIndex + HEADER_BYTES
  }

  /**
   * Grows the open claim in place to a payload of `length` bytes. False, and the claim as it was, when the room behind it does
   * not suffice; a claim never moves. True at once when it is that long already. Throws RangeError for a negative length.
   */
  tryExtend(length: number): boolean {
    if (this.#claimIndex === NO_CLAIM) throw new RingMisuseError('no claim is open')
    if (!(length >= 0) || !Number.isInteger(length)) outOfRange('payload length', length, 'an integer from 0')
    if (length <= this.#claimLength) return true
    if (length > this.maxPayload) return false
    const size = recordBytes(length)
    if (size > this.capacity - this.#claimIndex || !this.#hasRoom(this.#claimPadding + size)) return false
    this.#claimLength = length
    return true
  }

  /**
   * Publishes the claimed record with the claimed payload length, or a shorter one. `type` is 1..2^31-1; `slot` and
   * `generation` are int32. Throws RangeError for a type or length out of bounds (the claim stays open), RingMisuseError without a claim.
   */
  commit(type: number, slot: number, generation: number, length: number = this.#claimLength): void {
    if (this.#claimIndex === NO_CLAIM) throw new RingMisuseError('no claim is open')
    if (!(length >= 0 && length <= this.#claimLength) || (length | 0) !== length) {
      outOfRange('committed length', length, `an integer from 0 to the claimed ${this.#claimLength}`)
    }
    if (type < 1 || (type | 0) !== type) outOfRange('record type', type, 'an integer from 1 to 2147483647')
    const words = this.#words
    const padding = this.#claimPadding
    if (padding > 0) {
      const end = this.#dataWord + ((this.#write & (this.capacity - 1)) >> 2)
      words.set(end, padding)
      words.set(end + TYPE_WORD, PADDING)
    }
    const header = this.#dataWord + (this.#claimIndex >> 2)
    words.set(header, length)
    words.set(header + TYPE_WORD, type)
    words.set(header + SLOT_WORD, slot)
    words.set(header + GENERATION_WORD, generation)
    this.#claimIndex = NO_CLAIM
    this.#write = (this.#write + padding + recordBytes(length)) | 0
    if (!this.#corked) this.#publish()
  }

  /** Closes the open claim without a trace. Throws RingMisuseError without a claim. */
  abort(): void {
    if (this.#claimIndex === NO_CLAIM) throw new RingMisuseError('no claim is open')
    this.#claimIndex = NO_CLAIM
  }

  /** Claims, copies `bytes` and commits. False when there is no room. Throws as `tryClaim` and `commit` do. */
  tryWrite(type: number, slot: number, generation: number, bytes: Uint8Array): boolean {
    const offset = this.tryClaim(bytes.length)
    if (offset === REFUSED) return false
    this.#bytes.set(bytes, offset)
    this.commit(type, slot, generation)
    return true
  }

  /**
   * Keeps committed records back until `uncork`, so that a batch costs one publishing store. A refused claim publishes what is
   * kept, because the consumer cannot make room before it sees it.
   */
  cork(): void {
    this.#corked = true
  }

  /** Publishes what was committed since `cork`, and each record by its commit from here on. */
  uncork(): void {
    if (!this.#corked) return
    this.#corked = false
    this.#publish()
  }

  /** Bytes committed and not yet released, headers and padding included. Reads the consumer's position afresh. */
  usedBytes(): number {
    this.#refresh()
    return (this.#write - this.#read) | 0
  }

  /** Whether the producer should hold back: true from the high watermark on, until the use falls to the low watermark. */
  isCongested(): boolean {
    const used = this.usedBytes()
    this.#congested = this.#congested ? used > this.#lowWatermark : used >= this.#highWatermark
    return this.#congested
  }

  #publish(): void {
    this.#words.store(this.#writeWord, this.#write) // PUBLISH: after every plain write of the records, padding included
  }

  // BOUND: written and unreleased bytes never exceed the capacity. The consumer's cache line is read only when the last known
  // position does not answer the question.
  #hasRoom(bytes: number): boolean {
    if (((this.#write + bytes - this.#read) | 0) <= this.capacity) return true
    this.#refresh()
    return ((this.#write + bytes - this.#read) | 0) <= this.capacity
  }

  #refresh(): void {
    const read = this.#words.load(this.#readWord) // RELEASE: acquires the consumer's reads of the space we will overwrite
    const advance = (read - this.#read) | 0
    if (advance < 0 || advance > ((this.#write - this.#read) | 0) || (read & 7) !== 0) {
      throw new RingCorruptError(
        `read position ${read >>> 0} is not between ${this.#read >>> 0} and ${this.#write >>> 0}`,
      )
    }
    this.#read = read
  }
}
