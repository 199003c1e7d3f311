// A runtime and the request in it: from the lease to the give-back, across every wait of an async handler. It is what the
// guest's host calls act on, so each has timers and a log of its own.

import type { Activity } from '@shared/ringbuffer'
import { sharedMs } from '../clock.ts'
import type { HostCalls } from '../engine/host-ops.ts'
import type { Instance } from '../engine/instance.ts'
import { Runtime } from '../engine/pool.ts'
import type { HostValue } from '../guest/host.ts'
import { ASYNC_OP, FLAG, LOG_LEVEL } from '../guest/ops.ts'
import { type Caller, type HostWork, RequestCalls } from './calls.ts'
import type { FunctionPlan } from './plan.ts'
import type { BodyReader } from './request.ts'
import type { Session } from './session.ts'
import type { Shares } from './shares.ts'
import type { AnswerStream } from './stream.ts'
import type { TimerEntry, TimerQueue } from './timers.ts'

/** Shortest interval of a repeating timer: a guest cannot keep its shard busy with one of 0 ms. */
const REPEAT_MS_MIN = 1
/** A streamed answer has its budget of processor time anew after so long. */
const CPU_RENEWAL_MS = 1000

/** What an exchange needs of its shard. */
export interface ExchangeOwner {
  readonly activity: Activity
  readonly shares: Shares
  readonly timers: TimerQueue
  readonly work: HostWork
  readonly nowMs: number
  /** A guest's console line. */
  guestLog(exchange: Exchange, level: number, text: string): void
  /** Before a timer's callback, or a call's end: what it has the host write is for its own connection. */
  beforeStep(exchange: Exchange): void
  /** After a timer's callback, or a call's end: there may be an answer. */
  afterStep(exchange: Exchange): void
  /** The guest asks for a piece of its body. */
  bodyWanted(exchange: Exchange): void
  /** After a piece of its body: there may be an answer. */
  afterPiece(exchange: Exchange): void
}

export class Exchange extends Runtime implements HostCalls, BodyReader, Caller {
  readonly plan: FunctionPlan
  /** Bits of FLAG that all requests of its function have. */
  readonly flags: number
  readonly #owner: ExchangeOwner
  readonly #timers = new Map<number, TimerEntry>()
  readonly #calls: RequestCalls

  /** The connection that waits for the answer; undefined when it has it, or has gone. */
  session: Session | undefined
  /** Number of the request on its shard. */
  requestNumber = 0
  startedMs = 0
  /** From when on it may take `limits.wallMs`. */
  wallFromMs = 0
  isHead = false
  keepAlive = false
  saysKeepAlive = false
  /** The client knows chunks (HTTP/1.1). */
  allowsChunks = true
  /** Its answer, when that is on its way piece by piece. */
  stream: AnswerStream | undefined
  #cpuSinceMs = 0
  /** Requests that it has sent to other servers. */
  subrequests = 0
  /** For the access line; empty when there is none. */
  method = ''
  target = ''
  wall: TimerEntry | undefined
  /** Of the request's processor time, what its function's share was charged with. */
  chargedMs = 0
  /** The guest waits for a piece of a body that is still arriving. */
  wantsBody = false
  /** The guest was left in the middle of something: the runtime is reset before it serves again. */
  spoiled = false

  constructor(instance: Instance, functionIndex: number, plan: FunctionPlan, owner: ExchangeOwner) {
    super(instance, functionIndex)
    this.plan = plan
    this.flags = (plan.env === null ? 0 : FLAG.HAS_ENV) | (plan.assets === null ? 0 : FLAG.ASSETS)
    this.#owner = owner
    this.#calls = new RequestCalls(this, owner.work, plan.limits.pendingCalls)
  }

  /** A request begins that has waited since `sinceMs`. */
  start(sinceMs: number): void {
    this.startedMs = this.wallFromMs = sinceMs
    this.spoiled = false
    this.subrequests = 0
  }

  /** Guest code is about to run for this request: whoever watches the shard sees it. */
  enter(): void {
    const { session, functionIndex } = this
    if (this.stream !== undefined) this.#renewCpu()
    const deadline = sharedMs(this.#deadlineMs)
    this.#owner.activity.begin(functionIndex, session?.slot ?? -1, session?.generation ?? 0, deadline)
  }

  /** When whoever watches the shard is to stop what runs then. */
  get #deadlineMs(): number {
    const { stream, plan } = this
    if (stream === undefined) return this.wallFromMs + plan.limits.wallMs
    return stream.startedMs + plan.limits.streamMs
  }

  leave(): void {
    this.#owner.activity.end()
    const { cpuUsedMs } = this.instance
    this.#owner.shares.charge(this.functionIndex, cpuUsedMs - this.chargedMs)
    this.chargedMs = cpuUsedMs
  }

  get isOverSubrequests(): boolean {
    return this.subrequests > this.plan.limits.subrequests
  }

  get isCancelled(): boolean {
    return this.#owner.activity.isCancelled
  }

  /** Whether something is under way that the guest will be told of: a timer, or a call of the host's. */
  get isPending(): boolean {
    return this.#timers.size > 0 || this.#calls.size > 0
  }

  /** Ends every timer of the request, and gives up what it had the host begin. */
  clearPending(): void {
    this.#calls.clear()
    this.clearWall()
    if (this.#timers.size === 0) return
    for (const timer of this.#timers.values()) this.#owner.timers.cancel(timer)
    this.#timers.clear()
  }

  clearWall(): void {
    if (this.wall === undefined) return
    this.#owner.timers.cancel(this.wall)
    this.wall = undefined
  }

  log(level: number, text: string): void {
    this.#owner.guestLog(
      this,
      level >= LOG_LEVEL.DEBUG && level <= LOG_LEVEL.ERROR ? level : LOG_LEVEL.INFO,
      text,
    )
  }

  timerSet(id: number, delayMs: number, repeat: boolean): boolean {
    if (this.#timers.size >= this.plan.limits.timers) return false
    const wait = Math.max(0, delayMs || 0)
    this.#schedule(id, repeat ? Math.max(wait, REPEAT_MS_MIN) : wait, repeat)
    return true
  }

  timerClear(id: number): void {
    const timer = this.#timers.get(id)
    if (timer === undefined) return
    this.#owner.timers.cancel(timer)
    this.#timers.delete(id)
  }

  bodyDrop(): void {
    this.session?.dropBody()
  }

  bodyPull(): void {
    // Without a reader the body is at its end, or nobody's any more.
    if (this.session?.reader !== this) return
    this.wantsBody = true
    this.#owner.bodyWanted(this)
  }

  piece(bytes: Uint8Array, from: number, to: number, isLast: boolean): void {
    this.wantsBody = false
    this.bodyBytes += to - from
    this.enter()
    this.instance.push(bytes, from, to, isLast)
    this.leave()
    this.#owner.afterPiece(this)
  }

  env(): string {
    return this.plan.env ?? '{}'
  }

  call(id: number, what: number, values: readonly HostValue[]): string | undefined {
    if (what === ASYNC_OP.FETCH && ++this.subrequests > this.plan.limits.subrequests)
      return 'too many requests'
    return this.#calls.begin(id, what, values)
  }

  callCancel(id: number): void {
    this.#calls.cancel(id)
  }

  send(bytes: Uint8Array, from: number, to: number): number {
    return this.stream?.take(bytes, from, to) ?? 0
  }

  sendEnd(failure: string): void {
    this.stream?.finish(failure)
  }

  /** Lets a streamed answer go on, as far as its client's window allows. */
  flow(): void {
    const allowed = this.stream?.refill() ?? 0
    if (allowed === 0) return
    this.enter()
    this.instance.flow(allowed)
    this.leave()
  }

  /** The guest is told that nobody wants its answer's body, or anything of the request; unless the host has ended it. */
  depart(hasGone: boolean): void {
    if (this.instance.failure !== null) return
    this.enter()
    this.instance.leave(hasGone)
    this.leave()
  }

  #renewCpu(): void {
    const nowMs = performance.now()
    if (nowMs - Math.max(this.#cpuSinceMs, this.stream!.startedMs) < CPU_RENEWAL_MS) return
    this.#cpuSinceMs = nowMs
    this.instance.renewCpu()
  }

  complete(id: number, outcome: number, value: HostValue): void {
    this.#owner.beforeStep(this)
    this.enter()
    this.instance.complete(id, outcome, value)
    this.leave()
    this.#owner.afterStep(this)
  }

  charge(cpuMs: number): boolean {
    const { cpu } = this.instance
    cpu.charge(cpuMs)
    return !cpu.isOver
  }

  #schedule(id: number, delayMs: number, repeat: boolean): void {
    // A guest may use an id twice: the earlier timer is not left behind.
    this.timerClear(id)
    // From the clock, not from the batch's start: a timer never fires early.
    const timer = this.#owner.timers.add(performance.now() + delayMs, () => {
      if (repeat) this.#schedule(id, delayMs, true)
      else this.#timers.delete(id)
      this.#owner.beforeStep(this)
      this.enter()
      this.instance.fire(id)
      this.leave()
      this.#owner.afterStep(this)
    })
    this.#timers.set(id, timer)
  }
}
