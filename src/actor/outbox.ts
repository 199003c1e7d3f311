// The actor's way out: answers written straight into claimed space of the response ring. Consecutive answers of one
// connection share a record, so that a pipelined batch becomes one write to the socket.

import { type Doorbell, type Producer, REFUSED } from '@shared/ringbuffer'
import { CREDIT_BYTES, kindOf, moveType, RESPONSE } from '../protocol.ts'

export class Outbox {
  /** The shard's memory; offsets from {@link room} count from its start. */
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #producer: Producer
  readonly #acceptorBell: Doorbell
  readonly #roomBell: Doorbell
  #slot = 0
  #generation = 0
  /** Start of the open claim, -1 for none. */
  #start = -1
  #used = 0
  /** Whether something was committed since the last {@link ring}. */
  #published = false

  constructor(buffer: SharedArrayBuffer, producer: Producer, acceptorBell: Doorbell, roomBell: Doorbell) {
    this.bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
    this.#producer = producer
    this.#acceptorBell = acceptorBell
    this.#roomBell = roomBell
  }

  /** Bytes of the longest piece that {@link room} gives. */
  get maxBytes(): number {
    return this.#producer.maxPayload
  }

  /** Whether something is written and not yet committed. */
  get isOpen(): boolean {
    return this.#start >= 0
  }

  /** Names the connection that the following answers are for. The record before must have been committed. */
  address(slot: number, generation: number): void {
    if (this.#start >= 0 && (slot !== this.#slot || generation !== this.#generation))
      throw new Error('a record for another connection is open')
    this.#slot = slot
    this.#generation = generation
  }

  /** Offset of `length` free bytes. What is written there counts after {@link used}. Waits for the acceptor when the ring is full. */
  room(length: number): number {
    if (this.#start >= 0) {
      if (this.#producer.tryExtend(this.#used + length)) return this.#start + this.#used
      this.commit(RESPONSE.DATA)
    }
    this.#start = this.#claim(length)
    this.#used = 0
    return this.#start
  }

  /** Says up to where the last {@link room} was written. */
  used(to: number): void {
    this.#used = to - this.#start
  }

  /** Forgets what was written from `from` on, a result of {@link room}. */
  rewind(from: number): void {
    this.#used = from - this.#start
  }

  /** Publishes the open record, or an empty one of this type where a record must be seen. */
  commit(type: number): void {
    if (this.#start < 0) {
      if (type !== RESPONSE.DATA_CLOSE && kindOf(type) !== RESPONSE.DATA_IDLE) return
      this.#claim(0)
      this.#used = 0
    }
    this.#producer.commit(type, this.#slot, this.#generation, this.#used)
    this.#start = -1
    this.#published = true
  }

  /** Gives request bytes of a connection back to the acceptor. */
  consumed(slot: number, generation: number, bytes: number): void {
    const offset = this.#claim(CREDIT_BYTES)
    this.#view.setInt32(offset, bytes, true)
    this.#producer.commit(RESPONSE.CONSUMED, slot, generation)
    this.#published = true
  }

  /** Hands a connection on to another shard, with request bytes that were not consumed, if any. */
  move(slot: number, generation: number, lane: number, bytes: Uint8Array, from: number, to: number): void {
    let at = from
    do {
      const length = Math.min(to - at, this.maxBytes)
      this.bytes.set(bytes.subarray(at, at + length), this.#claim(length))
      this.#producer.commit(moveType(lane), slot, generation)
      at += length
    } while (at < to)
    this.#published = true
  }

  /** The acceptor knows that a connection moves, and nothing more will come of it. */
  moved(slot: number, generation: number): void {
    this.#claim(0)
    this.#producer.commit(RESPONSE.MOVED, slot, generation)
    this.#published = true
  }

  /** Reports a request that used up its processor time or its memory. */
  offence(functionIndex: number): void {
    const offset = this.#claim(CREDIT_BYTES)
    this.#view.setInt32(offset, functionIndex, true)
    this.#producer.commit(RESPONSE.OFFENCE, 0, 0)
    this.#published = true
  }

  /** Has the acceptor send a file to the addressed connection (src/file-record.ts), behind what is written already. */
  file(payload: Uint8Array): void {
    this.commit(RESPONSE.DATA)
    this.#write(RESPONSE.FILE, this.#slot, this.#generation, payload)
  }

  /** Has a file compressed. */
  compress(payload: Uint8Array): void {
    this.commit(RESPONSE.DATA)
    this.#write(RESPONSE.COMPRESS, 0, 0, payload)
  }

  #write(type: number, slot: number, generation: number, payload: Uint8Array): void {
    this.bytes.set(payload, this.#claim(payload.length))
    this.#producer.commit(type, slot, generation)
    this.#published = true
  }

  /** Wakes the acceptor if it sleeps and there is something for it. */
  ring(): void {
    if (!this.#published) return
    this.#published = false
    this.#acceptorBell.ring()
  }

  #claim(length: number): number {
    let offset = this.#producer.tryClaim(length)
    while (offset === REFUSED) {
      // The acceptor never waits for this thread, and copies out what a slow client does not take: room will come.
      this.#acceptorBell.ring()
      this.#roomBell.prepare()
      offset = this.#producer.tryClaim(length)
      if (offset !== REFUSED) this.#roomBell.cancel()
      else {
        this.#roomBell.wait()
        offset = this.#producer.tryClaim(length)
      }
    }
    return offset
  }
}
