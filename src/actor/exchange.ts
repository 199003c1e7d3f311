// A request in its runtime: from the lease to the give-back, across every wait of an async handler. It is what the guest's host
// calls act on, so each has a log and calls of its own.

import { sharedMs } from '../clock.ts'
import type { CpuMeter } from '../engine/cpu.ts'
import type { HostCalls } from '../engine/host-ops.ts'
import type { Instance } from '../engine/instance.ts'
import type { HostValue } from '../guest/host.ts'
import { ASYNC_OP, LOG_LEVEL } from '../guest/ops.ts'
import { CANCEL } from '../protocol.ts'
import { type Caller, RequestCalls } from './calls.ts'
import type { FunctionPlan } from './plan.ts'
import type { BodyReader, RequestHead } from './request.ts'
import type { GuestRuntime } from './runtime.ts'
import type { Session } from './session.ts'
import type { AnswerStream } from './stream.ts'
import type { TimerEntry } from './timers.ts'

/** A streamed answer has its budget of processor time anew after so long. */
const CPU_RENEWAL_MS = 1000
/** Of a request's lines in the log about rejections that nobody has handled: one in a timer would make any number. */
const REJECTION_LINES_MAX = 16

export class Exchange implements HostCalls, BodyReader, Caller {
  readonly runtime: GuestRuntime
  readonly instance: Instance
  readonly functionIndex: number
  readonly plan: FunctionPlan
  /** Its number among those that its runtime serves side by side, from 1; 0 where it is the only one. */
  readonly seat: number
  /** What it has used of its processor time and host calls. */
  readonly cpu: CpuMeter
  readonly calls: RequestCalls
  /** Its pending timers. */
  timers = 0
  /** What it has opened at the host, where others may go on with that; see {@link GuestRuntime.call}. */
  readonly opened: number[] = []
  /** When something of that was last asked for. */
  usedMs = 0
  /** It has ended, and its runtime goes on with others. */
  isOver = false

  /** The connection that waits for the answer; undefined when it has it, or has gone. */
  session: Session | undefined
  /** It has its answer, or its client went without one and its handler has ended. */
  isAnswered = false
  /** The log has been told why it was ended. */
  isReported = false
  /** Promises that its `waitUntil` holds, where it is one of several; else the instance knows. */
  waits = 0
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
  #rejectionLines = 0
  /** For the access line; empty when there is none. */
  method = ''
  target = ''
  wall: TimerEntry | undefined
  /** The guest waits for a piece of a body that is still arriving. */
  wantsBody = false
  /** The guest was left in the middle of something: the runtime is reset before it serves again. */
  spoiled = false

  constructor(runtime: GuestRuntime, seat: number, cpu: CpuMeter) {
    this.runtime = runtime
    this.instance = runtime.instance
    this.functionIndex = runtime.functionIndex
    this.plan = runtime.plan
    this.seat = seat
    this.cpu = cpu
    this.calls = new RequestCalls(this, runtime.owner.work, runtime.plan.limits.pendingCalls)
  }

  /** The request of this head begins, which has waited since `sinceMs`. */
  start(sinceMs: number, head: RequestHead): void {
    this.isHead = head.isHead
    this.keepAlive = head.keepAlive
    this.saysKeepAlive = head.saysKeepAlive
    this.allowsChunks = head.allowsChunks
    this.startedMs = this.wallFromMs = sinceMs
    this.spoiled = this.isAnswered = this.isReported = this.wantsBody = false
    this.subrequests = this.#rejectionLines = 0
    const { instance, runtime } = this
    if (runtime.isShared) instance.join(this, this.cpu, this.isAlone)
    else instance.begin(this, this.cpu)
  }

  /** Whether its runtime serves no other. */
  get isAlone(): boolean {
    return this.runtime.inFlight === 1
  }

  /** Guest code is about to run for this request: whoever watches the shard sees it. */
  enter(): void {
    const { session, functionIndex, runtime } = this
    if (runtime.isShared) runtime.attend(this)
    if (this.stream !== undefined) this.#renewCpu()
    const deadline = sharedMs(this.#deadlineMs)
    runtime.owner.activity.begin(functionIndex, session?.slot ?? -1, session?.generation ?? 0, deadline)
  }

  /** When whoever watches the shard is to stop what runs then. */
  get #deadlineMs(): number {
    const { stream, plan } = this
    if (stream === undefined) return this.wallFromMs + plan.limits.wallMs
    return stream.startedMs + plan.limits.streamMs
  }

  leave(): void {
    const { owner, isShared, touched } = this.runtime
    owner.activity.end()
    const { cpu } = this.instance
    owner.shares.charge(this.functionIndex, cpu.usedMs - cpu.chargedMs)
    cpu.chargedMs = cpu.usedMs
    if (isShared && (touched.size > 0 || this.instance.readySeat !== 0 || this.instance.failure !== null))
      owner.hasNews(this.runtime)
  }

  get isOverSubrequests(): boolean {
    return this.subrequests > this.plan.limits.subrequests
  }

  /** A step that is stopped takes all of its runtime's requests along: where there are others, one client's going is no reason. */
  get isCancelled(): boolean {
    const { activity } = this.runtime.owner
    if (!activity.isCancelled) return false
    const { reason } = activity
    return this.isAlone || (reason !== CANCEL.GONE && reason !== CANCEL.DEADLINE)
  }

  /** Whether something is under way that the guest will be told of: a timer, or a call of the host's. */
  get isPending(): boolean {
    return this.runtime.hasTimers || this.calls.size > 0
  }

  /** Whether its `waitUntil` holds something that has not settled. */
  get isWaiting(): boolean {
    return (this.runtime.isShared ? this.waits : this.instance.waiting) > 0
  }

  clearWall(): void {
    if (this.wall === undefined) return
    this.runtime.owner.timers.cancel(this.wall)
    this.wall = undefined
  }

  log(level: number, text: string): void {
    const isKnown = level >= LOG_LEVEL.DEBUG && level <= LOG_LEVEL.ERROR
    this.runtime.owner.report.guestLog(this, isKnown ? level : LOG_LEVEL.INFO, text)
  }

  unhandled(failure: string, more: number): void {
    const line = this.#rejectionLines++
    const { report } = this.runtime.owner
    if (line < REJECTION_LINES_MAX) report.unhandled(this, failure, more)
    else if (line === REJECTION_LINES_MAX) report.unhandled(this, '', 0)
  }

  timerSet(id: number, delayMs: number, repeat: boolean): boolean {
    return this.runtime.timerSet(this, id, delayMs, repeat)
  }

  timerClear(id: number): void {
    this.runtime.timerClear(id)
  }

  bodyDrop(seat: number): void {
    this.runtime.target(this, seat)?.session?.dropBody()
  }

  bodyPull(seat: number): void {
    const exchange = this.runtime.target(this, seat)
    // Without a reader the body is at its end, or nobody's any more.
    if (exchange === undefined || exchange.session?.reader !== exchange) return
    exchange.wantsBody = true
    this.runtime.owner.bodyWanted(exchange)
  }

  get isAnswering(): boolean {
    return this.stream !== undefined
  }

  piece(bytes: Uint8Array, from: number, to: number, isLast: boolean): void {
    this.#push(bytes, from, to, isLast)
    this.runtime.owner.afterPiece(this)
  }

  latePiece(bytes: Uint8Array, from: number, to: number): void {
    const { owner } = this.runtime
    owner.beforeStep(this)
    this.#push(bytes, from, to, false)
    owner.afterStep(this)
  }

  #push(bytes: Uint8Array, from: number, to: number, isLast: boolean): void {
    this.wantsBody = false
    this.runtime.bodyBytes += to - from
    this.enter()
    this.instance.push(bytes, from, to, isLast, this.seat)
    this.leave()
  }

  env(): string {
    return this.plan.env ?? '{}'
  }

  call(id: number, what: number, values: readonly HostValue[]): string | undefined {
    if (what === ASYNC_OP.FETCH && ++this.subrequests > this.plan.limits.subrequests)
      return 'too many requests'
    return this.runtime.call(this, id, what, values)
  }

  callCancel(id: number): void {
    this.runtime.callCancel(this, id)
  }

  send(bytes: Uint8Array, from: number, to: number, seat: number): number {
    return this.runtime.target(this, seat)?.stream?.take(bytes, from, to) ?? 0
  }

  sendEnd(failure: string, seat: number): void {
    this.runtime.target(this, seat)?.stream?.finish(failure)
  }

  /** Lets a streamed answer go on, as far as its client's window allows. */
  flow(): void {
    const allowed = this.stream?.refill() ?? 0
    if (allowed === 0) return
    this.enter()
    this.instance.flow(allowed, this.seat)
    this.leave()
  }

  /** The guest is told that nobody wants its answer's body, or anything of the request; unless the host has ended it. */
  depart(hasGone: boolean): void {
    if (this.instance.failure !== null) return
    this.enter()
    this.instance.leave(hasGone, this.seat)
    this.leave()
  }

  #renewCpu(): void {
    const nowMs = performance.now()
    if (nowMs - Math.max(this.#cpuSinceMs, this.stream!.startedMs) < CPU_RENEWAL_MS) return
    this.#cpuSinceMs = nowMs
    this.instance.renewCpu()
  }

  complete(id: number, outcome: number, value: HostValue): void {
    const { owner } = this.runtime
    this.runtime.callEnded(id)
    owner.beforeStep(this)
    this.enter()
    this.instance.complete(id, outcome, value)
    this.leave()
    owner.afterStep(this)
  }

  charge(cpuMs: number): boolean {
    this.cpu.charge(cpuMs)
    return !this.cpu.isOver
  }
}
