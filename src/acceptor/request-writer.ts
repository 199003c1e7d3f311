// Writes records into a shard's request ring, as long as there is an actor to read them. Refusal is a return value: what is
// refused is owed, and that is the link's matter.

import { type Doorbell, Producer, REFUSED } from '@shared/ringbuffer'
import { CREDIT_BYTES, IDLE_COUNTS, REQUEST } from '../protocol.ts'
import { actorBell, requestRing, type ShardHandle } from '../shard.ts'
import type { Connection } from './connection.ts'

export class RequestWriter {
  readonly #handle: ShardHandle
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #actorBell: Doorbell
  #producer: Producer
  /** False between an actor's death and its successor's start: nothing is written then. */
  isUp = false

  constructor(handle: ShardHandle) {
    this.#handle = handle
    this.#bytes = Buffer.from(handle.memory.buffer)
    this.#view = new DataView(handle.memory.buffer)
    this.#actorBell = actorBell(handle)
    this.#producer = new Producer(requestRing(handle))
  }

  /** The ring has been reset for a new actor. */
  restart(): void {
    this.#producer = new Producer(requestRing(this.#handle))
    this.isUp = true
  }

  /** Whether something was written that the actor has not released. */
  get hasUnread(): boolean {
    return this.#producer.usedBytes() > 0
  }

  isCongested(): boolean {
    return this.#producer.isCongested()
  }

  /** Wakes the actor if it sleeps. */
  ring(): void {
    if (this.isUp) this.#actorBell.ring()
  }

  /** Whoever calls this rings when it has delivered all. */
  tryData(connection: Connection, source: Uint8Array, length: number): boolean {
    if (!this.isUp) return false
    const offset = this.#producer.tryClaim(length)
    if (offset === REFUSED) return false
    this.#bytes.set(source.length === length ? source : source.subarray(0, length), offset)
    this.#producer.commit(REQUEST.DATA, connection.slot, connection.generation)
    connection.delivered = (connection.delivered + 1) % IDLE_COUNTS
    return true
  }

  /** Writes what was kept of a connection, in records that fit: a moved one may bring more than one. False when some is left. */
  tryStash(connection: Connection): boolean {
    for (let stash = connection.stash; stash !== undefined; stash = connection.stash) {
      const length = Math.min(stash.length, this.#producer.maxPayload)
      if (!this.tryData(connection, stash, length)) return false
      connection.stash = length < stash.length ? stash.subarray(length) : undefined
    }
    return true
  }

  /** A record without a payload. */
  tryEmpty(type: number, slot: number, generation: number): boolean {
    if (!this.isUp || this.#producer.tryClaim(0) === REFUSED) return false
    this.#producer.commit(type, slot, generation)
    this.ring()
    return true
  }

  /** The credit that a connection has for its actor. */
  trySent(connection: Connection): boolean {
    if (!this.isUp) return false
    const offset = this.#producer.tryClaim(CREDIT_BYTES)
    if (offset === REFUSED) return false
    this.#view.setInt32(offset, connection.unreported, true)
    this.#producer.commit(REQUEST.SENT, connection.slot, connection.generation)
    connection.unreported = 0
    this.ring()
    return true
  }
}
