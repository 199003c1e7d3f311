import { outOfRange } from './errors.ts'
import { AtomicWords, type Words } from './words.ts'

/**
 * Where things lie. A ring is a control word of the producer's and two of the consumer's, on a cache line for each side, and the data area:
 *
 *     offset      +128               +256                           +256 + capacity
 *     | write pos | read pos, taken | record | record | ... | padding |
 *
 * A record is four int32 words (payload length, type, slot, generation) and the payload, rounded up to 8 bytes. Slot and
 * generation are the caller's address of the connection that the record belongs to; the ring does not look at them.
 */

/** Two lines of 64 bytes: the adjacent-line prefetcher of x86 and the 128-byte lines of some ARM cores both share pairs. */
export const CACHE_LINE_BYTES = 128

export const HEADER_BYTES = 16
export const TYPE_WORD = 1
export const SLOT_WORD = 2
export const GENERATION_WORD = 3

/** Type of the record that fills the end of the data area. It has the first two header words only, so 8 bytes always hold it. */
export const PADDING = -1

const MIN_CAPACITY = 1024
const MAX_CAPACITY = 1024 ** 3
const READ_BYTES = CACHE_LINE_BYTES
const DATA_BYTES = 2 * CACHE_LINE_BYTES

/** A ring's place in shared memory. Both sides must be given the same one. All numbers are bytes. */
export interface RingPlace {
  buffer: SharedArrayBuffer
  /** A multiple of 128. */
  offset: number
  /** Size of the data area: a power of two from 1 KiB to 1 GiB. */
  capacity: number
  /** `isCongested` becomes true at this many used bytes or more; 3/4 of the capacity unless given. */
  highWatermark?: number
  /** `isCongested` becomes false at this many used bytes or fewer; 1/4 of the capacity unless given. */
  lowWatermark?: number
}

/** Where a doorbell or a block of counters lies; `offset` is in bytes, a multiple of 128. */
export interface Place {
  buffer: SharedArrayBuffer
  offset: number
}

/** Bytes that a ring with `capacity` data bytes occupies. Throws RangeError for an impossible capacity. */
export function ringBytes(capacity: number): number {
  checkCapacity(capacity)
  return DATA_BYTES + capacity
}

/** Ring space that a payload of `length` bytes takes, in bytes. */
export function recordBytes(length: number): number {
  return (length + HEADER_BYTES + 7) & ~7
}

/**
 * Longest payload of a ring, in bytes. Half the capacity: wherever the positions stand, an empty ring has room for a record of
 * that size, either before the end of the data area or after the padding that leads to its start.
 */
export function maxPayloadBytes(capacity: number): number {
  checkCapacity(capacity)
  return capacity / 2 - HEADER_BYTES
}

/** The checked form of a `RingPlace`: word indices and limits that both sides derive alike. */
export interface Geometry {
  capacity: number
  /** Word index of the write position. */
  writeWord: number
  /** Word index of the read position. */
  readWord: number
  /** Word index of the position behind the last record that the consumer has noted as taken. */
  takenWord: number
  /** Word index of the first data word. */
  dataWord: number
  /** Byte offset of the first data byte in the buffer. */
  dataOffset: number
  maxPayload: number
  highWatermark: number
  lowWatermark: number
}

/** Throws RangeError when the place is not one a ring can have. */
export function geometryOf(place: RingPlace): Geometry {
  const { buffer, offset, capacity } = place
  checkPlace('ring', buffer, offset, ringBytes(capacity))
  const highWatermark = place.highWatermark ?? (capacity / 4) * 3
  const lowWatermark = place.lowWatermark ?? capacity / 4
  if (!Number.isInteger(highWatermark) || highWatermark < 1 || highWatermark > capacity) {
    outOfRange('highWatermark', highWatermark, `an integer from 1 to the capacity ${capacity}`)
  }
  if (!Number.isInteger(lowWatermark) || lowWatermark < 0 || lowWatermark >= highWatermark) {
    outOfRange('lowWatermark', lowWatermark, `an integer from 0 to below the high watermark ${highWatermark}`)
  }
  return {
    capacity,
    writeWord: offset / 4,
    readWord: (offset + READ_BYTES) / 4,
    takenWord: (offset + READ_BYTES) / 4 + 1,
    dataWord: (offset + DATA_BYTES) / 4,
    dataOffset: offset + DATA_BYTES,
    maxPayload: maxPayloadBytes(capacity),
    highWatermark,
    lowWatermark,
  }
}

/**
 * Empties a ring: all positions to zero. Only while neither side runs (a supervisor, between two lives of an actor):
 * the Producer and Consumer of before hold positions that mean nothing afterwards and must be made anew.
 */
export function resetRing(place: RingPlace, words: Words = new AtomicWords(place.buffer)): void {
  const { writeWord, readWord, takenWord } = geometryOf(place)
  words.store(writeWord, 0)
  words.store(readWord, 0)
  words.store(takenWord, 0)
}

/** Throws RangeError unless `bytes` bytes at `offset` are aligned to a cache line and inside the buffer. */
export function checkPlace(what: string, buffer: SharedArrayBuffer, offset: number, bytes: number): void {
  const last = buffer.byteLength - bytes
  if (!Number.isInteger(offset) || offset < 0 || offset > last || offset % CACHE_LINE_BYTES !== 0) {
    const bound = `a multiple of ${CACHE_LINE_BYTES} from 0 to ${last} (${bytes} of ${buffer.byteLength} bytes)`
    outOfRange(`${what} offset`, offset, bound)
  }
}

function checkCapacity(capacity: number): void {
  const valid = Number.isInteger(capacity) && capacity >= MIN_CAPACITY && capacity <= MAX_CAPACITY
  if (!valid || (capacity & (capacity - 1)) !== 0) {
    outOfRange('ring capacity', capacity, `a power of two from ${MIN_CAPACITY} to ${MAX_CAPACITY}`)
  }
}
