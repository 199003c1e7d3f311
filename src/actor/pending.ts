// Exchanges that outlive the step they began in: for a timer or a call, for a stream, or after their answer for waitUntil. Each
// keeps its lease as long, and the wall limit ends it.

import type { Activity } from '@shared/ringbuffer'
import type { AnswerErrorCode } from '../errors.ts'
import type { Exchange } from './exchange.ts'
import { failureCode, isOffence } from './failures.ts'
import type { Leases } from './leases.ts'
import type { Reporter } from './report.ts'
import type { Session } from './session.ts'
import type { Streaming } from './streaming.ts'
import type { TimerQueue } from './timers.ts'

/** What their shard does for them. */
export interface PendingOwner {
  readonly timers: TimerQueue
  readonly leases: Leases
  readonly report: Reporter
  readonly activity: Activity
  readonly streaming: Streaming
  /** The host ends it, outside of any step: its client is answered, and its connection goes on. */
  end(exchange: Exchange, session: Session, code: AnswerErrorCode, detail: string): void
}

export class PendingExchanges {
  readonly #owner: PendingOwner
  readonly #all = new Set<Exchange>()

  constructor(owner: PendingOwner) {
    this.#owner = owner
  }

  has(exchange: Exchange): boolean {
    return this.#all.has(exchange)
  }

  get all(): Exchange[] {
    return [...this.#all]
  }

  /** Those of one connection. */
  *of(session: Session): Iterable<Exchange> {
    for (const exchange of this.#all) if (exchange.session === session) yield exchange
  }

  /** Nobody is to be served any more: what is under way for guests is given up. */
  end(): void {
    for (const exchange of this.#all) {
      exchange.clearWall()
      exchange.runtime.clear()
    }
    this.#all.clear()
  }

  /** The runtime stays leased; the wall limit, or that of a stream, ends it. */
  keep(exchange: Exchange): void {
    const isKnown = this.#all.has(exchange)
    this.#all.add(exchange)
    if (exchange.stream !== undefined) {
      exchange.clearWall()
      this.#owner.streaming.watch(exchange)
      return
    }
    if (isKnown && exchange.wall !== undefined) return
    const { wallMs } = exchange.plan.limits
    exchange.wall = this.#owner.timers.add(exchange.wallFromMs + wallMs, () => {
      const { session } = exchange
      const detail = `limit ${wallMs} ms`
      if (session !== undefined) {
        // The others go on, so that this one's handler must be told.
        if (!exchange.isAlone) {
          exchange.depart(true)
          this.failedLeft(exchange)
        }
        this.#owner.end(exchange, session, 'wall-limit', detail)
        return
      }
      const where =
        exchange.isAnswered || !exchange.runtime.isShared ? 'in waitUntil' : 'and its client has gone'
      this.#owner.report.ended(exchange, 'wall-limit', `${detail}, ${where}`)
      this.release(exchange, true)
    })
  }

  /** After a streamed answer, or a client's going: work that `waitUntil` holds has its time from now. */
  settleStream(exchange: Exchange, spoiled: boolean): void {
    exchange.clearWall()
    exchange.wallFromMs = performance.now()
    // Where there are others its handler may as well go on to its end.
    if (exchange.runtime.isShared && exchange.instance.failure === null) exchange.isAnswered ||= !spoiled
    else if (spoiled) exchange.spoiled = true
    this.settle(exchange)
  }

  /** After the answer: the runtime goes back, unless the handler asked to go on by waitUntil and something is under way. */
  settle(exchange: Exchange): void {
    const { instance, runtime, isWaiting } = exchange
    const { failure } = instance
    const goesOn = runtime.isShared
      ? !runtime.isLost && (isWaiting || !exchange.isAnswered)
      : isWaiting && exchange.isPending
    if (failure !== null) {
      if (!exchange.isReported) this.#failedLate(exchange, failure)
    } else if (goesOn) {
      this.keep(exchange)
      return
    }
    // A waitUntil that nothing can settle any more must not count against the next request.
    this.release(exchange, failure === null && (isWaiting || runtime.isLost))
  }

  #failedLate(exchange: Exchange, failure: NonNullable<Exchange['instance']['failure']>): void {
    const code = failureCode(failure, this.#owner.activity.reason)
    if (isOffence(code, exchange.instance)) this.#owner.leases.offended(exchange.functionIndex)
    exchange.runtime.blame(exchange, code)
    this.#owner.report.ended(exchange, code, 'after its answer')
  }

  /** A step of a request that was over, in a runtime that goes on for others, has ended them all. */
  failedLeft(exchange: Exchange): void {
    const { failure } = exchange.instance
    if (failure !== null && !exchange.isReported) this.#failedLate(exchange, failure)
  }

  release(exchange: Exchange, spoiled: boolean): void {
    this.#all.delete(exchange)
    if (exchange.isOver) return
    if (spoiled) exchange.spoiled = true
    exchange.runtime.dismiss(exchange)
    exchange.session = undefined
    this.#owner.leases.returned(exchange)
  }
}
