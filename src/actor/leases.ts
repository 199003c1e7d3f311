// Runtimes as a shard lends them to requests: taken from the pools, and given back between two requests, not on a client's time.

import type { Pools } from '../engine/pools.ts'
import type { Exchange } from './exchange.ts'
import type { Outbox } from './outbox.ts'
import type { GuestRuntime } from './runtime.ts'

export class Leases {
  readonly #pools: Pools<GuestRuntime>
  readonly #outbox: Outbox
  /** Exchanges that are over and have not been given back. */
  readonly #returns: Exchange[] = []
  /** Functions, once for each request that used up its processor time or its memory, or was busy for long; the supervisor's side is told. */
  readonly #offences: number[] = []
  readonly #busyMs: number

  /** `busyMs`: `penalty.busyMs`. */
  constructor(pools: Pools<GuestRuntime>, outbox: Outbox, busyMs: number) {
    this.#pools = pools
    this.#outbox = outbox
    this.#busyMs = busyMs || Number.POSITIVE_INFINITY
  }

  lease(functionIndex: number): Exchange | undefined {
    if (this.#returns.length > 0) this.giveBackAll(performance.now())
    return this.#pools.lease(functionIndex)?.admit()
  }

  returned(exchange: Exchange): void {
    this.#returns.push(exchange)
    // One that was ended has been told already.
    if (exchange.cpu.processorMs >= this.#busyMs && !exchange.spoiled) this.offended(exchange.functionIndex)
  }

  /** A request of this function has used up its processor time or its memory, or was busy for long. */
  offended(functionIndex: number): void {
    this.#offences.push(functionIndex)
  }

  giveBack(nowMs: number): void {
    if (this.#offences.length > 0) this.#reportOffences()
    this.giveBackAll(nowMs)
  }

  giveBackAll(nowMs: number): void {
    for (const exchange of this.#returns) this.#pools.giveBack(exchange.runtime, nowMs, exchange.spoiled)
    this.#returns.length = 0
  }

  #reportOffences(): void {
    for (const functionIndex of this.#offences) this.#outbox.offence(functionIndex)
    this.#offences.length = 0
    this.#outbox.ring()
  }
}
