// A runtime on its shard, with the requests in it: one at a time, or several side by side (limits.requestsPerRuntime). Nothing of
// the engine says which of those a step belongs to: it counts for whoever began the timer or call that caused it. Requests that
// wait for the same promise make that wrong now and then, so nothing that must be right depends on it: an answer is that of the
// handler's own promise, and what a request leaves behind (timers, calls) is not ended with it but with the last one.

import type { Activity } from '@shared/ringbuffer'
import { CpuMeter } from '../engine/cpu.ts'
import type { Instance } from '../engine/instance.ts'
import { Runtime } from '../engine/pool.ts'
import type { HostValue } from '../guest/host.ts'
import { ASYNC_OP, FLAG } from '../guest/ops.ts'
import type { HostWork } from './calls.ts'
import { Exchange } from './exchange.ts'
import type { FunctionPlan } from './plan.ts'
import type { Shares } from './shares.ts'
import type { TimerEntry, TimerQueue } from './timers.ts'

/** Shortest interval of a repeating timer: a guest cannot keep its shard busy with one of 0 ms. */
const REPEAT_MS_MIN = 1
/** What is left of requests that have ended has one budget of processor time together, anew after so long. */
const LEFT_RENEWAL_MS = 1000
/** What a request has open at the host is closed when it has ended and nobody has asked for it for so long. */
const LEFT_OPEN_MS = 1000
/** More requests than these with something open, or timers than so many times `limits.timers`: the runtime is reset when it can be. */
const LEFT_OPEN_MAX = 10_000
const LEFT_TIMERS_FACTOR = 10

/** What the log is told of guests while they run. */
interface GuestReporter {
  /** A console line. */
  guestLog(exchange: Exchange, level: number, text: string): void
  /** Rejected promises that nobody has handled; as {@link HostCalls.unhandled}. */
  unhandled(exchange: Exchange, failure: string, more: number): void
}

/** What an exchange needs of its shard. */
export interface ExchangeOwner {
  readonly activity: Activity
  readonly shares: Shares
  readonly timers: TimerQueue
  readonly work: HostWork
  readonly nowMs: number
  readonly report: GuestReporter
  /** Before a timer's callback, or a call's end: what it has the host write is for its own connection. */
  beforeStep(exchange: Exchange): void
  /** After a timer's callback, or a call's end: there may be an answer. */
  afterStep(exchange: Exchange): void
  /** The guest asks for a piece of its body. */
  bodyWanted(exchange: Exchange): void
  /** After a piece of its body: there may be an answer. */
  afterPiece(exchange: Exchange): void
  /** A step of one of several requests begins: what is written is for its connection. */
  attends(exchange: Exchange): void
  /** In another's step something is to be written for this one. */
  turnTo(exchange: Exchange): void
  /** After a step there is something for others than whose step it was. */
  hasNews(runtime: GuestRuntime): void
}

/** Calls that name a thing at the host which an earlier call has opened: which kind of thing. */
const OPENED: Readonly<Record<number, number>> = {
  [ASYNC_OP.FETCH]: 1,
  [ASYNC_OP.FETCH_READ]: 1,
  [ASYNC_OP.FETCH_WRITE]: 1,
  [ASYNC_OP.FETCH_CLOSE]: 1,
  [ASYNC_OP.CODEC_WRITE]: 2,
  [ASYNC_OP.CODEC_READ]: 2,
  [ASYNC_OP.CODEC_CLOSE]: 2,
  [ASYNC_OP.ASSET]: 3,
  [ASYNC_OP.ASSET_CONTENT]: 3,
  [ASYNC_OP.ASSET_READ]: 3,
  [ASYNC_OP.ASSET_CLOSE]: 3,
}
const KINDS = 4

/** What the log says of those that are given up for another's sake. */
export function culpritOf({ requestNumber }: Exchange, code: string): string {
  return `${code} of request ${requestNumber}, which was served beside it`
}

export class GuestRuntime extends Runtime {
  readonly plan: FunctionPlan
  /** Bits of FLAG that all requests of its function have. */
  readonly flags: number
  readonly isShared: boolean
  readonly owner: ExchangeOwner
  /** Timers of all requests, by the guest's ids. */
  readonly #timers = new Map<number, TimerEntry>()
  /** Whose request each is, by seat: 0 where there is one at a time. */
  readonly #seats: (Exchange | undefined)[] = [undefined]
  readonly #freeSeats: number[] = []
  readonly #sole: Exchange | undefined
  /** Who has begun calls under way, and opened what is open at the host. */
  readonly #callers = new Map<number, Exchange>()
  readonly #openers = new Map<number, Exchange>()
  /** Requests that have ended, and may have something open. */
  readonly #left: Exchange[] = []
  #leftTimers = 0
  readonly #leftCpu = new CpuMeter()
  #leftSinceMs = Number.NEGATIVE_INFINITY
  /** Requests for which something came in steps of others: a piece was sent, or is wanted. */
  readonly touched = new Set<Exchange>()
  /** Its shard is going to look for news. */
  isAwaited = false
  /** What ended all of them, for the log. */
  culprit = ''
  /** None of its requests goes on. */
  isLost = false

  constructor(instance: Instance, functionIndex: number, plan: FunctionPlan, owner: ExchangeOwner) {
    super(instance, functionIndex)
    this.plan = plan
    this.flags = (plan.env === null ? 0 : FLAG.HAS_ENV) | (plan.assets === null ? 0 : FLAG.ASSETS)
    this.isShared = plan.limits.requestsPerRuntime > 1
    this.owner = owner
    if (!this.isShared) this.#sole = new Exchange(this, 0, new CpuMeter())
  }

  /** A request that is leased this runtime. */
  admit(): Exchange {
    if (this.#sole !== undefined) return this.#sole
    const seat = this.#freeSeats.pop() ?? this.#seats.length
    const exchange = new Exchange(this, seat, new CpuMeter())
    this.#seats[seat] = exchange
    return exchange
  }

  /** Who has a seat, or had it last. */
  latestAt(seat: number): Exchange | undefined {
    return this.#seats[seat]
  }

  /** Those in it that are not over. */
  *exchanges(): Iterable<Exchange> {
    for (const exchange of this.#seats) if (exchange?.isOver === false) yield exchange
  }

  /** None of its requests is to go on: its memory is full, whoever needs it. `culprit`: for the log. */
  lose(culprit: string): void {
    if (!this.isShared) return
    this.culprit = culprit
    this.isLost = true
    this.owner.hasNews(this)
  }

  /** A step of this request's is what the others are given up for. */
  blame(exchange: Exchange, code: string): void {
    this.culprit = culpritOf(exchange, code)
  }

  /** Whether it serves nobody. */
  get isEmpty(): boolean {
    return this.#freeSeats.length === this.#seats.length - 1
  }

  /** Its request is over. What it has left behind stays as long as there are others. */
  dismiss(exchange: Exchange): void {
    exchange.clearWall()
    if (exchange === this.#sole) {
      this.clear()
      return
    }
    exchange.isOver = true
    this.touched.delete(exchange)
    this.#freeSeats.push(exchange.seat)
    if (this.isEmpty) {
      exchange.calls.clear()
      this.clear()
      return
    }
    this.#leftTimers += exchange.timers
    exchange.usedMs = this.owner.nowMs
    if (exchange.calls.isUsed) this.#left.push(exchange)
    this.#closeLeft()
    if (this.#left.length > LEFT_OPEN_MAX || this.#leftTimers > LEFT_TIMERS_FACTOR * this.plan.limits.timers)
      exchange.spoiled = true
  }

  /** Ends every timer, and gives up what the host has begun. */
  clear(): void {
    for (const timer of this.#timers.values()) this.owner.timers.cancel(timer)
    this.#timers.clear()
    if (this.#sole !== undefined) {
      this.#sole.timers = 0
      this.#sole.calls.clear()
      return
    }
    for (const exchange of this.exchanges()) exchange.calls.clear()
    for (const { calls } of this.#left) calls.clear()
    this.#left.length = this.#leftTimers = 0
    this.#callers.clear()
    this.#openers.clear()
    this.touched.clear()
    this.culprit = ''
    this.isLost = false
  }

  /** Looks at the two oldest: so each is looked at in time, and no request has to look at all. */
  #closeLeft(): void {
    for (let looks = Math.min(2, this.#left.length); looks > 0; looks--) {
      const exchange = this.#left.shift()!
      const isIdle = exchange.calls.size === 0 && this.owner.nowMs - exchange.usedMs > LEFT_OPEN_MS
      if (!isIdle) this.#left.push(exchange)
      else {
        exchange.calls.clear()
        for (const key of exchange.opened) this.#openers.delete(key)
      }
    }
  }

  get hasTimers(): boolean {
    return this.#timers.size > 0
  }

  timerSet(exchange: Exchange, id: number, delayMs: number, repeat: boolean): boolean {
    const { limits } = this.plan
    if (exchange.timers >= limits.timers && !exchange.isOver) return false
    if (this.#timers.size >= (LEFT_TIMERS_FACTOR + Math.max(1, this.inFlight)) * limits.timers) return false
    const wait = Math.max(0, delayMs || 0)
    this.#schedule(exchange, id, repeat ? Math.max(wait, REPEAT_MS_MIN) : wait, repeat)
    return true
  }

  timerClear(id: number): void {
    const timer = this.#timers.get(id)
    if (timer === undefined) return
    this.owner.timers.cancel(timer)
    this.#forget(id, timer)
  }

  #forget(id: number, { owner }: TimerEntry): void {
    this.#timers.delete(id)
    const exchange = owner as Exchange
    exchange.timers--
    if (exchange.isOver) this.#leftTimers--
  }

  #schedule(exchange: Exchange, id: number, delayMs: number, repeat: boolean): void {
    // A guest may use an id twice: the earlier timer is not left behind.
    this.timerClear(id)
    const run = (): void => {
      if (repeat) this.#schedule(exchange, id, delayMs, true)
      else this.#forget(id, timer)
      this.owner.beforeStep(exchange)
      exchange.enter()
      this.instance.fire(id)
      exchange.leave()
      this.owner.afterStep(exchange)
    }
    // From the clock, not from the batch's start: a timer never fires early.
    const timer = this.owner.timers.add(performance.now() + delayMs, run, exchange)
    this.#timers.set(id, timer)
    exchange.timers++
    if (exchange.isOver) this.#leftTimers++
  }

  call(exchange: Exchange, id: number, what: number, values: readonly HostValue[]): string | undefined {
    const caller = this.isShared ? this.#callerOf(exchange, what, values[0]) : exchange
    const refusal = caller.calls.begin(id, what, values)
    if (this.isShared && refusal === undefined) this.#callers.set(id, caller)
    return refusal
  }

  /** What one request has opened another may go on with: it is still the first one's. */
  #callerOf(exchange: Exchange, what: number, id: HostValue): Exchange {
    const kind = OPENED[what]
    if (kind === undefined || !Number.isSafeInteger(id)) return exchange
    const key = (id as number) * KINDS + kind
    const opener = this.#openers.get(key) ?? exchange
    if (opener === exchange) {
      this.#openers.set(key, exchange)
      exchange.opened.push(key)
    }
    opener.usedMs = this.owner.nowMs
    return opener
  }

  callCancel(exchange: Exchange, id: number): void {
    const caller = this.isShared ? this.#callers.get(id) : exchange
    this.#callers.delete(id)
    caller?.calls.cancel(id)
  }

  callEnded(id: number): void {
    this.#callers.delete(id)
  }

  /** A step of one of several requests begins. */
  attend(exchange: Exchange): void {
    const { instance, plan } = this
    if (exchange.isOver && performance.now() - this.#leftSinceMs > LEFT_RENEWAL_MS) {
      this.#leftSinceMs = performance.now()
      this.#leftCpu.begin(plan.limits.cpuMs)
      this.#leftCpu.callsLeft = plan.limits.hostCalls
    }
    instance.attend(exchange, exchange.isOver ? this.#leftCpu : exchange.cpu)
    this.owner.attends(exchange)
  }

  /** Whose request a seat's is; `from`: whose step it is. Undefined when that has ended. */
  target(from: Exchange, seat: number): Exchange | undefined {
    if (!this.isShared) return from
    const exchange = this.#seats[seat]
    if (exchange?.session === undefined || exchange.isOver) return undefined
    this.owner.turnTo(exchange)
    if (exchange !== from) this.touched.add(exchange)
    return exchange
  }
}
