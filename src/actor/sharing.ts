// Runtimes that serve several requests side by side (limits.requestsPerRuntime): what one request's step has brought for others is
// looked at between two steps, when no record of a connection is open. And when a step ends a runtime, the others in it are told.

import { STATE } from '../guest/ops.ts'
import { WAITED_STATE } from '../guest/seat-ops.ts'
import type { Exchange } from './exchange.ts'
import type { PendingExchanges } from './pending.ts'
import type { GuestRuntime } from './runtime.ts'
import type { Session } from './session.ts'
import type { Streaming } from './streaming.ts'

/** What their shard does for them. */
export interface SharingOwner {
  readonly pending: PendingExchanges
  readonly streaming: Streaming
  /** Names the session's connection for what is written next, whichever record is open. */
  turnTo(session: Session): void
  /** After a step: what has become of the exchange. */
  conclude(exchange: Exchange, session: Session): void
  /** Its runtime was given up for another's sake. */
  lost(exchange: Exchange): void
  onProgress(session: Session): void
}

export class Sharing {
  readonly #owner: SharingOwner
  readonly #news: GuestRuntime[] = []

  constructor(owner: SharingOwner) {
    this.#owner = owner
  }

  /** To be looked at by {@link advance}. */
  add(runtime: GuestRuntime): void {
    if (runtime.isAwaited) return
    runtime.isAwaited = true
    this.#news.push(runtime)
  }

  /** Between two steps; whether anything has happened. */
  advance(): boolean {
    if (this.#news.length === 0) return false
    for (let runtime = this.#news.shift(); runtime !== undefined; runtime = this.#news.shift()) {
      this.#advance(runtime)
      runtime.isAwaited = false
    }
    return true
  }

  #advance(runtime: GuestRuntime): void {
    const { instance, touched } = runtime
    // Nobody's any more, its instance may serve another function.
    while (!runtime.isEmpty) {
      if (instance.failure !== null || runtime.isLost) {
        for (const exchange of [...runtime.exchanges()]) this.#owner.lost(exchange)
        return
      }
      if (touched.size > 0) {
        const exchanges = [...touched]
        touched.clear()
        for (const exchange of exchanges) this.#touched(exchange)
      } else if (instance.readySeat !== 0) this.#take(runtime, instance.readySeat)
      else return
    }
  }

  /** Pieces were sent for it, or are wanted. */
  #touched(exchange: Exchange): void {
    const { session } = exchange
    if (session === undefined || exchange.isOver) return
    this.#owner.turnTo(session)
    if (exchange.stream !== undefined) this.#owner.streaming.conclude(exchange, session)
    this.#owner.onProgress(session)
  }

  /** Something has come for the request in a seat. */
  #take(runtime: GuestRuntime, seat: number): void {
    const { instance } = runtime
    const exchange = runtime.latestAt(seat)
    if (exchange === undefined) {
      runtime.lose(`an answer for seat ${seat}, which nobody has had`)
      return
    }
    exchange.enter()
    const state = instance.next()
    exchange.leave()
    if (instance.failure !== null) this.#failed(exchange)
    else {
      if (state !== STATE.PENDING) this.#came(exchange, state)
      // Its own pieces, in the jobs of that step.
      if (exchange.wantsBody || exchange.stream !== undefined) this.#touched(exchange)
    }
  }

  #failed(exchange: Exchange): void {
    const { session } = exchange
    if (session === undefined || exchange.isOver) {
      this.#owner.pending.failedLeft(exchange)
      return
    }
    this.#owner.turnTo(session)
    this.#owner.conclude(exchange, session)
    this.#owner.onProgress(session)
  }

  #came(exchange: Exchange, state: number): void {
    const { instance, session } = exchange
    exchange.waits = instance.waiting
    const isAnswer = state !== WAITED_STATE
    if (isAnswer) exchange.isAnswered = true
    if (isAnswer && session !== undefined && !exchange.isOver) {
      this.#owner.turnTo(session)
      this.#owner.conclude(exchange, session)
      this.#owner.onProgress(session)
      return
    }
    if (isAnswer) {
      // Nobody is there to take it.
      instance.settle()
      if (state === STATE.STREAM) exchange.depart(false)
    }
    if (!exchange.isOver && session === undefined) this.#owner.pending.settle(exchange)
  }
}
