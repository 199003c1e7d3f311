// @shared/ringbuffer: records are copied in by tryWrite, or written in place into a claim by 64-bit words (what a caller does
// that makes its message there and then); they are read in place. A side spins a little and sleeps then.
import {
  Consumer,
  createSharedMemory,
  Doorbell,
  doorbellBytes,
  Producer,
  REFUSED,
  ringBytes,
} from '../../src/shared/ringbuffer/dist/index.js'
import { CAPACITY, COUNT, checkEcho, checkTally, ECHO, LAST, STOP, tallyOf } from './messages.mjs'

/** Looks at an empty or full ring before sleeping. */
const SPINS = 1_000
/** A producer looks at the doorbell, and a consumer gives room back, once in so many records (or an eighth of the ring). */
const BATCH = 256
const RELEASE_RECORDS = 256
const RELEASE_BYTES = CAPACITY / 8

const RING = ringBytes(CAPACITY)
const BELLS = 2 * RING

/** One side of a duplex of two rings: what both the near and the far end are made of. */
class End {
  constructor(buffer, out, spins) {
    const bell = (i) => new Doorbell({ buffer, offset: BELLS + i * doorbellBytes })
    const place = (ring) => ({ buffer, offset: ring * RING, capacity: CAPACITY })
    this.bytes = new Uint8Array(buffer)
    this.longs = new BigInt64Array(buffer)
    this.producer = new Producer(place(out))
    this.consumer = new Consumer(place(1 - out))
    this.recordsOut = bell(out * 2)
    this.roomOut = bell(out * 2 + 1)
    this.recordsIn = bell((1 - out) * 2)
    this.roomIn = bell((1 - out) * 2 + 1)
    this.spins = spins
  }

  write(kind, slot, message) {
    while (!this.producer.tryWrite(kind, slot, 0, message)) this.awaitRoom(message.length)
  }

  claim(bytes) {
    let offset = this.producer.tryClaim(bytes)
    while (offset === REFUSED) {
      this.awaitRoom(bytes)
      offset = this.producer.tryClaim(bytes)
    }
    return offset
  }

  awaitRoom(bytes) {
    this.recordsOut.ring()
    const enough = CAPACITY / 2 - bytes
    for (let i = 0; i < this.spins; i++) if (this.producer.usedBytes() < enough) return
    this.roomOut.prepare()
    if (this.producer.usedBytes() < enough) this.roomOut.cancel()
    else this.roomOut.wait()
  }

  giveBack() {
    this.consumer.release()
    this.roomIn.ring()
  }

  /** Blocks until there is a record, and moves on to it. */
  read() {
    while (!this.consumer.next()) this.awaitRecord()
  }

  awaitRecord() {
    const { consumer } = this
    this.giveBack()
    for (let i = 0; i < this.spins; i++) if (!consumer.isEmpty()) return
    this.recordsIn.prepare()
    if (!consumer.isEmpty()) this.recordsIn.cancel()
    else this.recordsIn.wait()
  }
}

/** @param {{ spins?: number, inPlace?: boolean }} options */
export function near({ spins = SPINS, inPlace = false } = {}) {
  const { buffer } = createSharedMemory(BELLS + 4 * doorbellBytes)
  const end = new End(buffer, 0, spins)
  return {
    workerData: { peer: 'ring', buffer, spins },
    async verify(message) {
      end.write(ECHO, 0, message)
      end.recordsOut.ring()
      end.read()
      checkEcho(message, end.consumer.offset, end.bytes, end.consumer.length)
      end.giveBack()
    },
    async oneWay(message, count) {
      const expected = tallyOf(message, count)
      const start = performance.now()
      if (inPlace) sendInPlace(end, message, count)
      else send(end, message, count)
      end.read()
      const seconds = (performance.now() - start) / 1000
      checkTally(expected, end.consumer.slot)
      end.giveBack()
      return seconds
    },
    async roundTrips(message, micros) {
      for (let i = 0; i < micros.length; i++) {
        const start = performance.now()
        end.write(ECHO, i, message)
        end.recordsOut.ring()
        end.read()
        micros[i] = (performance.now() - start) * 1000
        end.giveBack()
      }
    },
    stop() {
      end.write(STOP, 0, new Uint8Array(0))
      end.recordsOut.ring()
    },
  }
}

function send(end, message, count) {
  const { producer, recordsOut } = end
  for (let i = 0; i < count; ) {
    const batchEnd = Math.min(count, i + BATCH)
    producer.cork()
    for (; i < batchEnd; i++) {
      message[0] = i
      end.write(i === count - 1 ? LAST : COUNT, i, message)
    }
    producer.uncork()
    recordsOut.ring()
  }
}

function sendInPlace(end, message, count) {
  const { producer, recordsOut } = end
  const longs = new BigInt64Array(message.buffer)
  for (let i = 0; i < count; ) {
    const batchEnd = Math.min(count, i + BATCH)
    producer.cork()
    for (; i < batchEnd; i++) {
      message[0] = i
      fill(end.longs, end.claim(message.length) / 8, longs)
      producer.commit(i === count - 1 ? LAST : COUNT, i, 0)
    }
    producer.uncork()
    recordsOut.ring()
  }
}

function fill(into, at, longs) {
  for (let i = 0; i < longs.length; i++) into[at + i] = longs[i]
}

export function far({ buffer, spins }) {
  const end = new End(buffer, 1, spins)
  const { bytes, consumer } = end
  const none = new Uint8Array(0)
  let tally = 0
  let unreleasedRecords = 0
  let unreleasedBytes = 0
  for (;;) {
    end.read()
    const { type, offset, length } = consumer
    if (type === COUNT || type === LAST) tally = (tally + bytes[offset] + bytes[offset + length - 1]) | 0
    if (type === STOP) return
    if (type === LAST) {
      end.write(LAST, tally, none)
      tally = 0
    }
    if (type === ECHO) end.write(ECHO, 0, bytes.subarray(offset, offset + length))
    if (type !== COUNT) end.recordsOut.ring()
    unreleasedBytes += length
    unreleasedRecords += 1
    if (unreleasedRecords === RELEASE_RECORDS || unreleasedBytes >= RELEASE_BYTES) {
      end.giveBack()
      unreleasedRecords = 0
      unreleasedBytes = 0
    }
  }
}
