// The acceptor's end of one shard: it owns the shard's table of connections, writes their bytes into the request ring and
// drains the response ring into their sockets. It knows records, credits and sockets, and nothing of HTTP.

import { Consumer, type Counters, type Doorbell } from '@shared/ringbuffer'
import { linkCounter } from '../metrics.ts'
import { idleCountOf, kindOf, laneOf, REQUEST, RESPONSE } from '../protocol.ts'
import { answerRoomBell, linkCounters, requestRoomBell, responseRing, type ShardHandle } from '../shard.ts'
import type { Connection, Move } from './connection.ts'
import { type LeftBehind, leftBehind, untakenOf } from './left-behind.ts'
import type { Culprit, LinkLimits } from './link-types.ts'
import { CPU_LIMIT, SHARD_RESTARTED } from './own-answers.ts'
import { RequestWriter } from './request-writer.ts'
import { Runs } from './runs.ts'
import { Slots } from './slots.ts'

export type { Culprit, LinkLimits } from './link-types.ts'

export class ShardLink {
  readonly handle: ShardHandle
  readonly counters: Counters
  readonly #limits: LinkLimits
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly runs: Runs
  readonly #requestRoomBell: Doorbell
  readonly #answerRoomBell: Doorbell
  readonly #writer: RequestWriter
  #consumer: Consumer
  readonly slots = new Slots()
  /** Connections with something owed to the actor that found no room: a stash, an END, a GONE or a credit. */
  readonly #owing = new Set<Connection>()
  readonly #owedToShard: number[] = []
  /** Connections paused because the request ring was above its high watermark. */
  readonly #heldBack = new Set<Connection>()
  /** Connections whose bytes the actor has and has not answered. */
  #awaiting = 0
  #isDraining = false
  /** How often a connection that waited for nothing has sent something; for the watchdog. */
  arrivals = 0
  /** A connection has left this link, and is to go on in that lane with those bytes; set by the acceptor. */
  onMoved: (connection: Connection, lane: number, bytes: readonly Uint8Array[]) => void = () => {}
  /** A function has used up its processor time; set by the acceptor. */
  onOffence: (functionIndex: number) => void = () => {}
  /** Sends a file, as a record of src/file-record.ts says it, and calls {@link fileSent}; set by the acceptor. */
  onFile: (connection: Connection, payload: Uint8Array) => void = () => {}
  /** Compresses a file, as a record of src/file-record.ts says it; set by the server. */
  onCompress: (payload: Uint8Array) => void = () => {}
  /** Asks for a look at this link before the acceptor sleeps; set by the acceptor. */
  onOwing: () => void = () => {}

  constructor(handle: ShardHandle, limits: LinkLimits) {
    this.handle = handle
    this.#limits = limits
    const { buffer } = handle.memory
    this.#bytes = Buffer.from(buffer)
    this.#view = new DataView(buffer)
    this.runs = new Runs(handle)
    this.#requestRoomBell = requestRoomBell(handle)
    this.#answerRoomBell = answerRoomBell(handle)
    this.#writer = new RequestWriter(handle)
    this.#consumer = new Consumer(responseRing(handle))
    this.counters = linkCounters(handle)
  }

  /** False between an actor's death and its successor's start: nothing is written to the ring then. */
  get up(): boolean {
    return this.#writer.isUp
  }

  /** Whether some connection waits for an answer. */
  get awaits(): boolean {
    return this.#awaiting > 0
  }

  /** Connections that it has. */
  get size(): number {
    return this.slots.size
  }

  /** A slot for a new connection, with the generation it has this time. */
  takeSlot(): { slot: number; generation: number } {
    return this.slots.take()
  }

  attach(connection: Connection): void {
    this.slots.put(connection)
    this.counters.set(linkCounter.connections, this.size)
    connection.openOwed = true
    this.#settleOwed(connection)
    this.ring()
  }

  /** The socket is closed: the slot is free for another once the actor knows. */
  detach(connection: Connection): void {
    if (connection.gone) return
    connection.gone = true
    this.#answered(connection)
    // Its GONE is on the way already: the slot is free when that is answered.
    if (connection.moving !== undefined) {
      this.#finishMove(connection, connection.moving)
      return
    }
    connection.stash = undefined
    connection.endOwed = false
    this.#heldBack.delete(connection)
    this.#owing.delete(connection)
    this.#remove(connection)
    this.#settleOwed(connection)
  }

  #remove(connection: Connection): void {
    this.slots.remove(connection)
    this.counters.set(linkCounter.connections, this.size)
  }

  /** Whether there is something in its ring that the actor is not done with. */
  get hasUnread(): boolean {
    return this.up && this.#writer.hasUnread
  }

  /**
   * An idle connection leaves for another link, which adopts it. Nothing of it is in either ring but what its actor may still say
   * about a connection that is gone. False, and nothing has happened, when the ring has no room to say so.
   */
  letGo(connection: Connection): boolean {
    const { slot, generation } = connection
    if (this.#isDraining || !this.#writer.tryEmpty(REQUEST.GONE, slot, generation)) return false
    this.#remove(connection)
    this.slots.free(slot)
    return true
  }

  /** Hands bytes of a connection to the actor: at once, or when there is room; then reading stops meanwhile. */
  deliver(connection: Connection, source: Uint8Array, length: number): void {
    if (!connection.awaiting) {
      connection.awaiting = true
      this.#awaiting++
      this.arrivals++
    }
    connection.unconsumed += length
    // Of a moving connection the old actor has bytes that come before these.
    const mustWait = connection.openOwed || connection.stash !== undefined || connection.moving !== undefined
    if (mustWait || !this.#writer.tryData(connection, source, length)) {
      if (!connection.canHold(length)) return
      // Not `slice`: on a Buffer that is a view, and the buffer is read into again at once.
      const bytes = new Uint8Array(source.subarray(0, length))
      connection.stash = connection.stash === undefined ? bytes : Buffer.concat([connection.stash, bytes])
      this.#owe(connection)
      connection.pause()
      return
    }
    if (connection.unconsumed >= this.#limits.receiveWindowBytes) connection.pause()
    else if (this.#writer.isCongested()) {
      this.#heldBack.add(connection)
      connection.pause()
    }
  }

  /** The client's FIN. */
  deliverEnd(connection: Connection): void {
    connection.ended = true
    if (connection.moving !== undefined) return
    connection.endOwed = true
    this.#settleOwed(connection)
  }

  /** A record about the shard as a whole. */
  tell(type: number): void {
    if (type === REQUEST.DRAIN) this.#isDraining = true
    if (this.#owedToShard.length > 0 || !this.#writer.tryEmpty(type, 0, 0)) {
      this.#owedToShard.push(type)
    }
    this.onOwing()
  }

  /** Wakes the actor if it sleeps. Called once after a batch of deliveries. */
  ring(): void {
    this.#writer.ring()
  }

  /** Whether the actor has written something since the last drain. */
  hasAnswers(): boolean {
    return this.up && !this.#consumer.isEmpty()
  }

  /** Writes answers to their sockets; true when the batch limit ended it before the ring was empty. */
  drain(): boolean {
    if (!this.up) return false
    const consumer = this.#consumer
    let records = 0
    while (records < this.#limits.batchRecords && consumer.next()) {
      records++
      if (this.#takeOfShard(kindOf(consumer.type))) continue
      const connection = this.slots.find(consumer.slot, consumer.generation)
      if (connection !== undefined) this.#take(connection)
    }
    if (records > 0) {
      consumer.release()
      this.#answerRoomBell.ring()
    }
    this.#retryOwed()
    return records === this.#limits.batchRecords
  }

  /**
   * The last look before the acceptor sleeps. When something waits for room, it says so first and looks once more then: the
   * actor, which releases first and looks at that bell then, cannot miss it (WAKE).
   */
  beforeSleep(): void {
    if (!this.#owes()) return
    this.#requestRoomBell.prepare()
    this.#retryOwed()
  }

  /**
   * The actor of this shard has ended. Whoever waits for it gets its answer here; idle connections stay. Those of which it had taken
   * nothing since it was idle with them are served by its successor, if there is one, and if the thread is no more (`replays`).
   */
  down(culprit?: Culprit, replays = true): void {
    while (this.drain()) {
      // What was answered is answered.
    }
    const left = replays ? leftBehind(this.handle, this.slots) : undefined
    this.#writer.isUp = false
    this.#heldBack.clear()
    this.#owedToShard.length = 0
    for (const connection of this.#owing) {
      if (connection.gone && connection.moving === undefined) this.slots.free(connection.slot)
    }
    this.#owing.clear()
    for (const connection of this.slots.all()) {
      if (connection.moving !== undefined) this.#breakOff(connection)
      if (connection.closing || connection.socket.destroyed) continue
      if (connection.midAnswer) connection.socket.destroy()
      else if (connection.awaiting || connection.stash !== undefined) {
        const isCulprit = connection.slot === culprit?.slot && connection.generation === culprit.generation
        if (left !== undefined && !isCulprit && this.#replay(connection, left.get(connection))) continue
        connection.end(isCulprit ? CPU_LIMIT : SHARD_RESTARTED)
      } else this.#renew(connection)
    }
    this.counters.add(linkCounter.restarts, 1)
  }

  /** What has come since the actor was idle with the connection is for the next one; false when this one had begun to read it. */
  #replay(connection: Connection, left: LeftBehind | undefined): boolean {
    const bytes = untakenOf(connection, left)
    if (bytes === undefined) return false
    connection.stash = undefined
    if (!connection.canHold(bytes.length)) return true
    this.#renew(connection)
    connection.isMoved = left?.isMoved ?? false
    connection.bring(bytes)
    return true
  }

  /** A new actor is about to start on rings that have been reset. */
  restart(): void {
    this.#consumer = new Consumer(responseRing(this.handle))
    this.#writer.restart()
    if (this.#isDraining) this.tell(REQUEST.DRAIN)
    this.#retryOwed()
    this.onOwing()
  }

  /** An idle connection goes on with the next actor, to whom it is a new one. */
  #renew(connection: Connection): void {
    connection.generation = this.slots.renew(connection.slot)
    connection.forget()
    connection.openOwed = true
    connection.endOwed = connection.ended
    this.#owing.add(connection)
    connection.resume()
  }

  /**
   * A connection that has left another link goes on here, with the bytes that were not consumed there. `isMoved`: the actor is to
   * know it, and to serve its next request.
   */
  adopt(connection: Connection, bytes: readonly Uint8Array[], isMoved = true): void {
    const { slot, generation } = this.takeSlot()
    connection.link = this
    connection.slot = slot
    connection.generation = generation
    connection.forget()
    connection.isMoved = isMoved
    // Its FIN comes after the bytes it brings.
    connection.endOwed = false
    this.attach(connection)
    const unread = Buffer.concat(bytes)
    if (unread.length > 0) {
      connection.awaiting = true
      this.#awaiting++
      connection.bring(unread)
      this.#settleOwed(connection)
    }
    if (connection.ended) this.deliverEnd(connection)
    this.#unhold(connection)
    this.ring()
  }

  /** Takes the bytes of a moving connection, and has the actor let go of it. */
  #collect(connection: Connection, type: number): void {
    if (connection.moving === undefined) {
      connection.moving = { lane: laneOf(type), bytes: [], isGoneSent: false, isLetGo: false }
      connection.pause()
      this.#heldBack.delete(connection)
      this.#settleOwed(connection)
    }
    connection.moving.bytes.push(this.#payload())
  }

  #moved(connection: Connection): void {
    const { moving } = connection
    if (moving === undefined) return
    moving.isLetGo = true
    this.#finishMove(connection, moving)
  }

  /**
   * A connection goes on elsewhere when its client has taken what was written: each shard counts its send window from
   * nothing, and they must not add up.
   */
  #finishMove(connection: Connection, moving: Move): void {
    if (!moving.isLetGo || (connection.queued > 0 && !connection.gone)) return
    const bytes = connection.stash === undefined ? moving.bytes : [...moving.bytes, connection.stash]
    connection.moving = undefined
    connection.stash = undefined
    this.#answered(connection)
    this.#owing.delete(connection)
    this.#remove(connection)
    this.slots.free(connection.slot)
    if (!connection.gone) this.onMoved(connection, moving.lane, bytes)
  }

  /** The actor has ended in the middle of a move: bytes may be lost, so it is as if they awaited an answer. */
  #breakOff(connection: Connection): void {
    connection.breakOff()
    if (connection.gone) {
      this.#remove(connection)
      this.slots.free(connection.slot)
      return
    }
    if (connection.awaiting) return
    connection.awaiting = true
    this.#awaiting++
  }

  #owes(): boolean {
    return this.#owedToShard.length > 0 || this.#owing.size > 0 || this.#heldBack.size > 0
  }

  /** Everything owed that finds room now; called when the actor has made some. */
  #retryOwed(): void {
    if (!this.up || !this.#owes()) return
    while (this.#owedToShard.length > 0 && this.#writer.tryEmpty(this.#owedToShard[0]!, 0, 0))
      this.#owedToShard.shift()
    for (const connection of this.#owing) if (!this.#settleOwed(connection)) break
    if (this.#heldBack.size > 0 && !this.#writer.isCongested()) {
      for (const connection of this.#heldBack) this.#unhold(connection)
      this.#heldBack.clear()
    }
    this.ring()
  }

  #unhold(connection: Connection): void {
    if (connection.unconsumed < this.#limits.receiveWindowBytes && connection.stash === undefined)
      connection.resume()
  }

  /** Delivers what a connection owes; false when there is still no room. */
  #settleOwed(connection: Connection): boolean {
    if (connection.moving !== undefined) {
      if (!connection.moving.isGoneSent && !this.#tryGone(connection)) return this.#owe(connection)
      this.#owing.delete(connection)
      return true
    }
    if (connection.gone) {
      if (!this.#writer.tryEmpty(REQUEST.GONE, connection.slot, connection.generation))
        return this.#owe(connection)
      this.slots.free(connection.slot)
      this.#owing.delete(connection)
      return true
    }
    // It has been told the end: nothing of it is for the next actor.
    if (connection.closing) {
      this.#owing.delete(connection)
      return true
    }
    if (connection.openOwed) {
      const type = connection.isMoved ? REQUEST.OPEN_MOVED : REQUEST.OPEN
      if (!this.#writer.tryEmpty(type, connection.slot, connection.generation)) return this.#owe(connection)
      connection.openOwed = false
      connection.isMoved = false
    }
    if (connection.stash !== undefined) {
      if (!this.#writer.tryStash(connection)) return this.#owe(connection)
      if (connection.unconsumed < this.#limits.receiveWindowBytes) connection.resume()
    }
    if (connection.endOwed) {
      if (!this.#writer.tryEmpty(REQUEST.END, connection.slot, connection.generation))
        return this.#owe(connection)
      connection.endOwed = false
    }
    if (connection.fileSentOwed) {
      if (!this.#writer.tryEmpty(REQUEST.FILE_SENT, connection.slot, connection.generation))
        return this.#owe(connection)
      connection.fileSentOwed = false
    }
    if (connection.unreported >= this.#limits.sendWindowBytes >> 1 && !this.#writer.trySent(connection)) {
      return this.#owe(connection)
    }
    this.#owing.delete(connection)
    return true
  }

  #tryGone(connection: Connection): boolean {
    if (!this.#writer.tryEmpty(REQUEST.GONE, connection.slot, connection.generation)) return false
    connection.moving!.isGoneSent = true
    return true
  }

  #owe(connection: Connection): false {
    this.#owing.add(connection)
    return false
  }

  /** A copied-out answer has gone out: the credit may be due. */
  flushed(connection: Connection): void {
    if (connection.moving !== undefined) this.#finishMove(connection, connection.moving)
    if (connection.unreported >= this.#limits.sendWindowBytes >> 1) this.#settleOwed(connection)
  }

  #answered(connection: Connection): void {
    if (!connection.awaiting) return
    connection.awaiting = false
    this.#awaiting--
  }

  /** The client has all of a file. */
  fileSent(connection: Connection): void {
    connection.fileSentOwed = true
    this.#settleOwed(connection)
    this.onOwing()
  }

  /** A record about the shard as a whole; false for any other. */
  #takeOfShard(kind: number): boolean {
    if (kind === RESPONSE.OFFENCE) this.onOffence(this.#view.getInt32(this.#consumer.offset, true))
    else if (kind === RESPONSE.COMPRESS) this.onCompress(this.#payload())
    else return false
    return true
  }

  /** A copy of the record's payload, which outlives it. */
  #payload(): Uint8Array {
    const { offset, length } = this.#consumer
    return new Uint8Array(this.#bytes.subarray(offset, offset + length))
  }

  /** One record of the response ring. */
  #take(connection: Connection): void {
    const { type, offset, length } = this.#consumer
    const kind = kindOf(type)
    switch (kind) {
      case RESPONSE.DATA:
      case RESPONSE.INTERIM:
      case RESPONSE.DATA_IDLE:
      case RESPONSE.DATA_CLOSE:
        if (length > 0 && connection.write(this.#bytes, offset, length)) {
          this.counters.add(linkCounter.copiedOut, 1)
        }
        connection.midAnswer = kind === RESPONSE.DATA
        if (kind === RESPONSE.DATA_IDLE) {
          connection.idleAt = idleCountOf(type)
          if (connection.isUpToDate()) this.#answered(connection)
        }
        if (kind === RESPONSE.DATA_CLOSE) connection.close()
        else if (connection.unreported >= this.#limits.sendWindowBytes >> 1) this.#settleOwed(connection)
        return
      case RESPONSE.FILE:
        connection.midAnswer = true
        this.onFile(connection, this.#payload())
        return
      case RESPONSE.MOVE:
        this.#collect(connection, type)
        return
      case RESPONSE.MOVED:
        this.#moved(connection)
        return
      case RESPONSE.CONSUMED:
        connection.unconsumed -= this.#view.getInt32(offset, true)
        if (!this.#heldBack.has(connection)) this.#unhold(connection)
        return
      default:
        throw new Error(`record of unknown type ${type} in the response ring of shard ${this.handle.index}`)
    }
  }
}
