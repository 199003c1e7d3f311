// The actor of one shard: one thread, one loop. A turn is: read a batch of records, answer what they ask, fire what is due,
// wake the acceptor, and sleep when there is nothing. Everything between two turns' ends happens at one `nowMs`.

import { Consumer, type Doorbell } from '@shared/ringbuffer'
import type { Pools } from '../engine/pools.ts'
import { HTTP_ERRORS } from '../http/errors.ts'
import type { LineLog } from '../log.ts'
import { IDLE_COUNTS, idleType, REQUEST, RESPONSE } from '../protocol.ts'
import { acceptorBell, actorBell, requestRing, requestRoomBell, type ShardHandle } from '../shard.ts'
import type { Outbox } from './outbox.ts'
import { RING_MS } from './pace.ts'
import type { SessionLimits } from './request.ts'
import type { GuestRuntime } from './runtime.ts'
import type { ParserScratch } from './scratch.ts'
import type { Service } from './service.ts'
import { AT, DEADLINE, Session } from './session.ts'
import { SpinPolicy } from './spin.ts'

/** How often the deadlines of all sessions are looked at: a timeout is late by at most this. */
const SWEEP_MS = 100
/**
 * As long as more requests wait to be served, the acceptor is woken for so many answers at once, or for those of
 * {@link RING_MS}: a wake-up costs as much as a short request, on both sides.
 */
const ANSWERS_PER_RING = 8
/** After so long a batch ends, whatever is left of it: timers and deadlines are due too. */
const TURN_MS = 10
/** Longest sleep in the event loop: setTimeout takes no more than 2 ** 31 ms. */
const LOOP_SLEEP_MS_MAX = 60_000
/** Requests that wait are served when the ring has been emptied, since those of others may lie in it; after so many turns in any case. */
const HELD_TURNS_MAX = 8

export interface ActorParts {
  readonly shard: ShardHandle
  readonly outbox: Outbox
  readonly service: Service
  readonly pools: Pools<GuestRuntime>
  readonly log: LineLog
  /** Writes down what the shard holds at present. */
  readonly gauges: () => void
  readonly scratch: ParserScratch
  readonly sessionLimits: SessionLimits
  readonly receiveWindowBytes: number
  readonly batchRecords: number
  readonly spinMicros: number
}

export class Actor {
  readonly #parts: ActorParts
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #consumer: Consumer
  readonly #bell: Doorbell
  readonly #acceptorBell: Doorbell
  readonly #roomBell: Doorbell
  readonly #sessions: (Session | undefined)[] = []
  /** Sessions with whole requests left over from an earlier turn; each is in it at most once. */
  readonly #runnable: Session[] = []
  #open = 0
  /** The last turn has found the ring empty. */
  #sawAll = true
  /** Turns in which requests waited and were not looked at. */
  #heldTurns = 0
  #nextSweepMs = 0
  readonly #spins: SpinPolicy
  #stopped = false
  /** Ends the present sleep in the event loop. */
  #wake: () => void = () => {}

  constructor(parts: ActorParts) {
    this.#parts = parts
    const { buffer } = parts.shard.memory
    this.#bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
    this.#consumer = new Consumer(requestRing(parts.shard))
    this.#bell = actorBell(parts.shard)
    this.#acceptorBell = acceptorBell(parts.shard)
    this.#roomBell = requestRoomBell(parts.shard)
    this.#spins = new SpinPolicy(parts.spinMicros / 1000)
    parts.service.work.onEnded = () => this.#wake()
  }

  /** Runs until the acceptor says STOP. */
  async run(): Promise<void> {
    const { service, pools, outbox } = this.#parts
    while (!this.#stopped) {
      const records = this.#turn()
      if (pools.wantsGrowth) await pools.grow()
      let hasServed = false
      if (service.hasWaiting && (this.#sawAll || ++this.#heldTurns > HELD_TURNS_MAX)) {
        this.#heldTurns = 0
        this.#readClock()
        hasServed = service.serveWaiting()
        outbox.ring()
        service.giveBack()
      }
      // What the host does for guests goes on in the event loop: that has its turn whether or not there is other work.
      if (service.work.isUnderWay) await this.#turnLoop()
      if (records > 0 || hasServed || this.#runnable.length > 0 || pools.wantsGrowth) continue
      if (service.work.hasEnded) continue
      if (pools.tidyAtMs <= performance.now()) await pools.tidy(performance.now())
      else if (service.work.isUnderWay) await this.#sleepInLoop()
      else this.#sleep()
    }
    this.#parts.service.end()
    this.#parts.gauges()
  }

  /** One turn; how many records it read. */
  #turn(): number {
    const { service, outbox } = this.#parts
    this.#readClock()
    const records = this.#drain()
    this.#runOn()
    if (service.work.hasEnded) service.work.deliver()
    service.timers.fire(performance.now())
    if (service.nowMs >= this.#nextSweepMs) this.#sweep()
    outbox.ring()
    service.giveBack()
    return records
  }

  #readClock(): void {
    const { service } = this.#parts
    service.nowMs = performance.now()
    service.date.refresh(Date.now())
  }

  #drain(): number {
    const consumer = this.#consumer
    const limit = this.#parts.batchRecords
    let records = 0
    const { outbox, service } = this.#parts
    const turnEndMs = service.nowMs + TURN_MS
    this.#sawAll = false
    let unrung = 0
    let rungMs = service.nowMs
    while (records < limit && service.nowMs < turnEndMs) {
      if (!consumer.next()) {
        this.#sawAll = true
        service.shares.endRound()
        break
      }
      records++
      // A successor, should this thread end in it, is given what comes behind.
      consumer.taken()
      this.#take()
      // Before runtimes are reset, when nobody comes behind.
      if (++unrung === ANSWERS_PER_RING || consumer.isEmpty()) {
        outbox.ring()
        unrung = 0
      }
      service.giveBack()
      const beganMs = service.nowMs
      service.nowMs = performance.now()
      service.pace.took(service.nowMs - beganMs)
      if (service.nowMs - rungMs < RING_MS) continue
      outbox.ring()
      unrung = 0
      rungMs = service.nowMs
    }
    outbox.ring()
    if (records > 0) {
      consumer.release()
      if (this.#roomBell.ring()) this.#acceptorBell.ring()
    }
    return records
  }

  #take(): void {
    const { type, slot, generation, offset, length } = this.#consumer
    switch (type) {
      case REQUEST.DATA: {
        const session = this.#sessionFor(slot, generation)
        this.#address(session)
        session.received = (session.received + 1) % IDLE_COUNTS
        session.receive(this.#bytes, offset, offset + length)
        this.progress(session)
        return
      }
      case REQUEST.END: {
        const session = this.#sessionFor(slot, generation)
        this.#address(session)
        session.ended = true
        this.progress(session)
        return
      }
      case REQUEST.SENT: {
        const session = this.#sessions[slot]
        if (session === undefined || session.generation !== generation) return
        session.unsent -= this.#view.getInt32(offset, true)
        this.#address(session)
        this.#parts.service.credited(session)
        this.advance(session)
        return
      }
      case REQUEST.FILE_SENT: {
        const session = this.#sessions[slot]
        if (session === undefined || session.generation !== generation) return
        this.#address(session)
        this.#parts.service.fileSent(session)
        this.advance(session)
        return
      }
      case REQUEST.COMPRESSED:
        this.#parts.service.statics.compressed()
        return
      case REQUEST.OPEN:
      case REQUEST.OPEN_MOVED: {
        const session = this.#sessionFor(slot, generation)
        session.isMoved = type === REQUEST.OPEN_MOVED
        this.#address(session)
        this.progress(session)
        return
      }
      case REQUEST.GONE:
        this.#drop(slot, generation)
        return
      case REQUEST.DRAIN:
        this.#startDraining()
        return
      case REQUEST.ABORT:
        this.#abort()
        return
      case REQUEST.STOP:
        this.#stopped = true
        return
      default:
        throw new Error(
          `record of unknown type ${type} in the request ring of shard ${this.#parts.shard.index}`,
        )
    }
  }

  /** After anything has happened to a session: publish its answers, give its bytes back, close it when it is done. */
  progress(session: Session): void {
    const { outbox, receiveWindowBytes, service } = this.#parts
    if (session.hasYielded && !session.isQueued) {
      session.isQueued = true
      this.#runnable.push(session)
    }
    const isWritten = session.out.length === 0
    if (session.isCutShort && (isWritten || !session.isDropping)) service.abandon(session)
    const isDone =
      session.ended && !session.isServing && session.at !== AT.CLOSED && session.at !== AT.MOVED && isWritten
    if (isDone && !session.isBlocked && !session.hasYielded) session.close()
    // A connection from another shard has its request still to come.
    if (service.draining && session.isIdle && !session.isMoved) session.close()
    if (session.at === AT.CLOSED && session.out.length === 0) {
      if (!session.isClosedOut) outbox.commit(RESPONSE.DATA_CLOSE)
      session.isClosedOut = true
    } else if (outbox.isOpen || (session.saidMore && session.isIdle)) {
      // Also when the rest of a body, dropped after its answer, was the last thing to come.
      session.saidMore = !session.isIdle
      outbox.commit(session.isIdle ? idleType(session.received) : RESPONSE.DATA)
    }
    if (session.at === AT.MOVED) {
      const { slot, generation, lane } = session
      session.handOn((bytes, from, to) => outbox.move(slot, generation, lane, bytes, from, to))
      return
    }
    if (session.unreported >= receiveWindowBytes >> 1) {
      outbox.consumed(session.slot, session.generation, session.unreported)
      session.unreported = 0
    }
  }

  /** A session that was waiting for something other than its client may go on with what has come meanwhile. */
  advance(session: Session): void {
    session.resume()
    this.progress(session)
  }

  /** Goes on with the sessions that had their share of an earlier turn, one share each, as long as a turn may take. */
  #runOn(): void {
    const { service } = this.#parts
    const turnEndMs = performance.now() + TURN_MS
    for (let count = this.#runnable.length; count > 0; count--) {
      if (service.nowMs >= turnEndMs) break
      const session = this.#runnable.shift()!
      session.isQueued = false
      if (this.#sessions[session.slot] !== session || !session.hasYielded) continue
      session.hasYielded = false
      this.#readClock()
      this.#address(session)
      this.advance(session)
      this.#parts.outbox.ring()
      this.#parts.service.giveBack()
    }
  }

  #address(session: Session): void {
    this.#parts.outbox.address(session.slot, session.generation)
  }

  #sessionFor(slot: number, generation: number): Session {
    const known = this.#sessions[slot]
    if (known !== undefined && known.generation === generation) return known
    if (known !== undefined) this.#drop(slot, known.generation)
    const { sessionLimits, scratch, service } = this.#parts
    const session = new Session(slot, generation, sessionLimits, scratch, service)
    while (this.#sessions.length <= slot) this.#sessions.push(undefined)
    this.#sessions[slot] = session
    this.#open++
    return session
  }

  #drop(slot: number, generation: number): void {
    const session = this.#sessions[slot]
    if (session === undefined || session.generation !== generation) return
    if (session.at === AT.MOVED) this.#parts.outbox.moved(slot, generation)
    this.#parts.service.abandon(session)
    session.out.clear()
    this.#sessions[slot] = undefined
    this.#open--
  }

  /** Looks at every session's deadline. */
  #sweep(): void {
    const { service, outbox, gauges } = this.#parts
    this.#nextSweepMs = service.nowMs + SWEEP_MS
    gauges()
    if (this.#open === 0) return
    for (const session of this.#sessions) {
      if (session === undefined || session.deadlineMs > service.nowMs) continue
      this.#address(session)
      if (session.deadline === DEADLINE.HEAD) service.refuse(session, HTTP_ERRORS.headTimeout)
      else if (session.deadline === DEADLINE.BODY) service.refuse(session, HTTP_ERRORS.bodyTimeout)
      else session.close()
      this.progress(session)
    }
    outbox.ring()
  }

  /** From here on every answer closes its connection, and an idle one is closed at once. */
  #startDraining(): void {
    this.#parts.service.draining = true
    for (const session of this.#sessions) {
      if (session === undefined) continue
      this.#address(session)
      this.progress(session)
    }
  }

  /** The time for answers is over: what is in flight is answered so, and a request that is not complete never will be. */
  #abort(): void {
    this.#parts.service.abort()
    for (const session of this.#sessions) {
      if (session === undefined || session.isServing || session.at === AT.MOVED) continue
      this.#address(session)
      session.close()
      this.progress(session)
    }
  }

  /** Nothing to do: looks again for a while, says that it sleeps, looks once more, and sleeps (WAKE). */
  #sleep(): void {
    const sinceMs = performance.now()
    if (this.#spins.spin(this.#consumer, sinceMs)) return
    this.#parts.log.output.flush()
    this.#bell.prepare()
    if (!this.#consumer.isEmpty()) {
      this.#bell.cancel()
      return
    }
    const waitMs = this.#nextMs() - performance.now()
    if (waitMs > 0) this.#bell.wait(waitMs)
    else this.#bell.cancel()
    this.#spins.slept(performance.now() - sinceMs)
  }

  /** When something is due that no record tells of. */
  #nextMs(): number {
    const { service, pools } = this.#parts
    const isWatching = this.#open > 0 || service.hasWaiting
    const sweepMs = isWatching ? this.#nextSweepMs : Number.POSITIVE_INFINITY
    return Math.min(service.timers.nextMs, sweepMs, pools.tidyAtMs)
  }

  /** One turn of the event loop, its poll for input and output included. */
  #turnLoop(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve)
    })
  }

  /** As {@link #sleep}, on the event loop: also a call's end wakes. The bell's wait is kept over many sleeps (ring.md). */
  async #sleepInLoop(): Promise<void> {
    this.#parts.log.output.flush()
    this.#bell.prepare()
    const waitMs = this.#nextMs() - performance.now()
    if (this.#consumer.isEmpty() && waitMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(waitMs, LOOP_SLEEP_MS_MAX))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
        if (this.#bell.armed) return
        const rung = this.#bell.waitAsync()
        if (rung === undefined) this.#wake()
        else rung.then(() => this.#wake())
      })
      this.#wake = () => {}
    }
    this.#bell.cancel()
  }
}
