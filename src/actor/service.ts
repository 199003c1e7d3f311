// What a shard does with a request: route it, lease a runtime, run the handler, write the answer, take the runtime back; and
// what it does when any of that is not to be had.

import type { Activity } from '@shared/ringbuffer'
import type { Failure } from '../engine/limits.ts'
import { ANSWER_ERRORS, type AnswerErrorCode } from '../errors.ts'
import { FLAG, STATE } from '../guest/ops.ts'
import { DateCache } from '../http/date.ts'
import { HTTP_ERRORS, httpError } from '../http/errors.ts'
import { errorResponse } from '../http/response.ts'
import { actorCounter } from '../metrics.ts'
import { CANCEL, LANE, RESPONSE } from '../protocol.ts'
import { Address } from './address.ts'
import { AnswerWriter, type Delivery } from './answer.ts'
import type { BufferBudget } from './bytes.ts'
import type { HostWork } from './calls.ts'
import type { Exchange } from './exchange.ts'
import { failureAnswer, failureCode, isOffence, limitOf, thrownCode, wrongAnswer } from './failures.ts'
import { Leases } from './leases.ts'
import { Pace } from './pace.ts'
import { PendingExchanges } from './pending.ts'
import { PlainUrls } from './plain-url.ts'
import type { Reporter } from './report.ts'
import type { RequestBody, RequestHead, RequestSink } from './request.ts'
import { culpritOf, type ExchangeOwner, type GuestRuntime } from './runtime.ts'
import type { ServiceOptions } from './service-options.ts'
import type { Session } from './session.ts'
import { Shares } from './shares.ts'
import { Sharing } from './sharing.ts'
import type { StaticService } from './static.ts'
import { Streaming } from './streaming.ts'
import { isPlainText, latin1, mendSurrogates } from './text.ts'
import { TimerQueue } from './timers.ts'
import { isCurrent, type Waiting, WaitingRoom } from './waiting.ts'

const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')
/** The lane of a connection that does not move. */
const STAY = -1

export class Service implements RequestSink, ExchangeOwner {
  readonly timers = new TimerQueue()
  readonly shares: Shares
  readonly pace: Pace
  readonly date = new DateCache()
  nowMs: number = performance.now()
  readonly buffers: BufferBudget
  readonly work: HostWork
  readonly activity: Activity
  readonly statics: StaticService
  /** While true, every answer closes its connection. */
  draining = false
  /** And while this is, every request is answered that the server stops. */
  #isAborting = false
  readonly #options: ServiceOptions
  readonly report: Reporter
  readonly #writer: AnswerWriter
  readonly #waiting: WaitingRoom
  readonly #streaming: Streaming
  readonly #delivery: Delivery = { isHead: false, close: false, saysKeepAlive: false }
  readonly #pending: PendingExchanges
  readonly #plainUrls = new PlainUrls()
  readonly #sharing: Sharing
  readonly #leases: Leases
  readonly #address: Address
  #requests = 0

  constructor(options: ServiceOptions) {
    this.#options = options
    this.buffers = options.buffers
    this.work = options.work
    this.statics = options.statics
    this.activity = options.activity
    this.report = options.report
    this.shares = new Shares(options.functions)
    this.pace = new Pace(options.functions)
    this.#writer = new AnswerWriter(options.outbox, this.date, options.sendWindowBytes)
    this.#address = new Address(options.outbox)
    this.#leases = new Leases(options.pools, options.outbox, options.busyMs)
    this.#waiting = new WaitingRoom(options.queueRequests, options.functions, options.buffers)
    this.#streaming = new Streaming(this.#writer, {
      timers: this.timers,
      counters: options.counters,
      report: options.report,
      address: (session) => this.#address.set(session),
      closes: (exchange, session) => this.#closes(session, exchange.keepAlive),
      bodyWanted: (exchange) => this.bodyWanted(exchange),
      finish: (session, close) => this.#finish(session, close),
      holds: ({ runtime }) => options.pools.holds(runtime),
      offended: ({ functionIndex }) => this.#leases.offended(functionIndex),
      conclude: (exchange, session) => this.#conclude(exchange, session),
      keep: (exchange) => this.#pending.keep(exchange),
      settle: (exchange, spoiled) => this.#pending.settleStream(exchange, spoiled),
      onProgress: options.onProgress,
    })
    this.#pending = new PendingExchanges({
      timers: this.timers,
      leases: this.#leases,
      report: options.report,
      activity: options.activity,
      streaming: this.#streaming,
      end: (exchange, session, code, detail) => {
        this.#address.set(session)
        this.#failed(exchange, session, code, detail)
        options.onProgress(session)
      },
    })
    this.#sharing = new Sharing({
      pending: this.#pending,
      streaming: this.#streaming,
      turnTo: (session) => this.#address.turnTo(session),
      conclude: (exchange, session) => this.#conclude(exchange, session),
      lost: (exchange) => this.#endOutside(exchange, 'runtime-lost', exchange.runtime.culprit),
      onProgress: options.onProgress,
    })
  }

  /** Whether requests wait for a runtime. */
  get hasWaiting(): boolean {
    return this.#waiting.size > 0
  }

  route(bytes: Uint8Array, start: number, end: number): number {
    const index = this.#options.router.match(bytes, start, end)
    return index < this.#options.functions ? index : this.statics.route(index, bytes, start, end)
  }

  laneFor(session: Session, functionIndex: number): number {
    const { standing, lane, hasOthers, pools, functions } = this.#options
    if (functionIndex < 0) return STAY
    if (functionIndex >= functions) return lane === LANE.PENALTY ? LANE.NORMAL : STAY
    const isPenalised = standing.isPenalised(functionIndex)
    if (lane === LANE.PENALTY) return isPenalised ? STAY : LANE.NORMAL
    if (isPenalised) return LANE.PENALTY
    // Before anybody is answered that there is no runtime for him, another shard is tried, once.
    if (!hasOthers || session.isMoved || this.#waiting.hasRoom(functionIndex)) return STAY
    this.#leases.giveBackAll(this.nowMs)
    return pools.isExhausted(functionIndex) ? LANE.NORMAL : STAY
  }

  request(session: Session, head: RequestHead, body: RequestBody): void {
    this.#options.counters.add(actorCounter.requests, 1)
    this.#requests++
    const { functionIndex } = head
    if (functionIndex < 0) this.#answerWithout(session, head, 'not-found')
    else if (functionIndex >= this.#options.functions) {
      const close = this.#closes(session, head.keepAlive)
      if (this.statics.serve(session, head, this.#writer, close)) this.fileSent(session)
    } else if (this.#isAborting) this.#answerWithout(session, head, 'shutting-down')
    else if (this.#options.standing.isQuarantined(functionIndex))
      this.#answerWithout(session, head, 'quarantined')
    else this.#begin(session, head, body, functionIndex)
  }

  #begin(session: Session, head: RequestHead, body: RequestBody, functionIndex: number): void {
    const isNext = this.#waiting.isEmpty(functionIndex) && this.shares.hasTurn(functionIndex)
    let exchange = isNext ? this.#leases.lease(functionIndex) : undefined
    if (exchange === undefined) {
      if (this.#waiting.add(session, head, body, this.#requests, this.nowMs, this.#options.queueMs)) {
        this.#options.counters.add(actorCounter.queued, 1)
        return
      }
      // No room to put it aside: what costs next to nothing does not suffer for that.
      if (!isNext && this.shares.isCheap(functionIndex)) exchange = this.#leases.lease(functionIndex)
    }
    if (exchange !== undefined) this.#run(exchange, session, head, body, this.#requests, this.nowMs)
    else this.#answerWithout(session, head, 'pool-exhausted')
  }

  refuse(session: Session, error: number): void {
    if (session.isDropping || session.out.length > 0 || session.sendsFile) {
      // It has its answer, or will have when it takes it: the rest of its body is worth no second one.
      session.close()
      return
    }
    const hasBegun = session.writer !== undefined
    this.#giveUp(session)
    if (!hasBegun) {
      this.#options.counters.add(actorCounter.refused, 1)
      const { name, status } = httpError(error)
      this.#options.report.refused(name, status)
      this.#writer.writeRaw(session, errorResponse(error, this.date.line, { isHead: session.head.isHead }))
    }
    session.close()
  }

  sendContinue(session: Session): void {
    this.#writer.writeRaw(session, CONTINUE)
    this.#options.outbox.commit(RESPONSE.INTERIM)
    this.#options.outbox.ring()
  }

  /** Goes on with the rest of a large answer, as far as the client's credit allows. */
  credited(session: Session): void {
    if (session.writer !== undefined) this.#streaming.credited(session)
    if (session.out.length === 0 || !this.#writer.writeOn(session)) return
    if (session.isServing) this.#finish(session, session.closesAfterAnswer)
  }

  /**
   * Runs requests that wait, for a slice of time, in the order of {@link Shares}; 503 for those that waited too long. True when
   * some has run: what it gave back may be what another one waits for.
   */
  serveWaiting(): boolean {
    this.#turnAway(this.nowMs, 'pool-exhausted')
    return this.#waiting.serve(this.shares, this.#runWaiting)
  }

  /** Answers those that have waited for as long as they may. */
  #turnAway(nowMs: number, code: AnswerErrorCode): void {
    for (const waiting of this.#waiting.expired(nowMs)) {
      if (!isCurrent(waiting)) continue
      this.#address.set(waiting.session)
      this.#answerWithout(waiting.session, waiting.head, code)
      this.#options.onProgress(waiting.session)
    }
  }

  /** The server stops, and the time for answers is over: whatever is in flight is answered so. */
  abort(): void {
    this.#isAborting = true
    for (const exchange of this.#pending.all) {
      if (!exchange.isOver)
        this.#endOutside(exchange, 'shutting-down', 'the server stops, and it was waiting')
    }
    this.#turnAway(Number.POSITIVE_INFINITY, 'shutting-down')
  }

  /** Ends an exchange outside of its own steps. */
  #endOutside(exchange: Exchange, code: AnswerErrorCode, detail: string): void {
    const { session } = exchange
    if (session === undefined) {
      this.#options.report.ended(exchange, code, 'after its answer')
      this.#pending.release(exchange, true)
      return
    }
    this.#address.turnTo(session)
    this.#failed(exchange, session, code, detail)
    this.#options.onProgress(session)
  }

  readonly #runWaiting = ({ session, head, body, id, sinceMs }: Waiting): boolean => {
    const exchange = this.#leases.lease(head.functionIndex)
    if (exchange === undefined) return false
    this.#address.set(session)
    this.#run(exchange, session, head, body, id, sinceMs)
    this.#options.onProgress(session)
    return true
  }

  /** Nobody is to be served any more: what is under way for guests is given up. */
  end(): void {
    this.#pending.end()
  }

  /** The client is gone: what runs for it is given up. */
  abandon(session: Session): void {
    this.#giveUp(session)
    session.close()
  }

  #giveUp(session: Session): void {
    if (!session.isServing) return
    for (const exchange of this.#pending.of(session)) this.#streaming.depart(exchange, session)
  }

  /** After a piece of its body: there may be an answer. Whoever reads the session goes on with it. */
  afterPiece(exchange: Exchange): void {
    if (exchange.session !== undefined) this.#conclude(exchange, exchange.session)
  }

  /** The guest asks for a piece of its body. */
  bodyWanted({ session }: Exchange): void {
    if (session?.owesContinue !== true) return
    session.owesContinue = false
    this.sendContinue(session)
  }

  beforeStep({ session }: Exchange): void {
    if (session !== undefined) this.#address.set(session)
  }

  /** After a step of an exchange that was pending: its answer may have come. */
  afterStep(exchange: Exchange): void {
    const { session } = exchange
    if (session !== undefined) {
      this.#address.turnTo(session)
      this.#conclude(exchange, session)
      this.#options.onProgress(session)
    } else if (this.#pending.has(exchange)) this.#pending.settle(exchange)
    else this.#pending.failedLeft(exchange)
    this.#sharing.advance()
  }

  hasNews(runtime: GuestRuntime): void {
    this.#sharing.add(runtime)
  }

  attends({ session }: Exchange): void {
    this.#address.is(session)
  }

  turnTo({ session }: Exchange): void {
    if (session !== undefined) this.#address.turnTo(session)
  }

  #run(
    exchange: Exchange,
    session: Session,
    head: RequestHead,
    body: RequestBody,
    id: number,
    sinceMs: number,
  ): void {
    exchange.session = session
    exchange.requestNumber = id
    exchange.start(sinceMs, head)
    if (this.#options.report.wantsAccess) {
      exchange.method = latin1(head.bytes, head.start, head.methodEnd)
      exchange.target = latin1(head.bytes, head.targetStart, head.targetEnd)
    }
    const { instance, runtime, seat } = exchange
    const { bytes, start, end } = body
    const isText = bytes !== null && !body.streams && isPlainText(bytes, start, end)
    const flags = runtime.flags | (body.streams ? FLAG.STREAM : 0) | this.#plainUrls.flag(head)
    runtime.bodyBytes += end - start
    if (body.streams) session.reader = exchange
    this.pace.enters(exchange.functionIndex, this.#options.outbox)
    exchange.enter()
    instance.invoke(
      head.bytes,
      head.start,
      head.end,
      bytes,
      start,
      end,
      isText,
      flags,
      seat,
      exchange.isAlone,
    )
    exchange.leave()
    if (runtime.isShared) {
      this.#address.turnTo(session)
      exchange.isAnswered = instance.state !== STATE.PENDING
      exchange.waits = instance.waiting
    }
    this.#conclude(exchange, session)
  }

  /** After a step: an answer, a failure, or a wait. */
  #conclude(exchange: Exchange, session: Session): void {
    const { instance } = exchange
    if (instance.failure !== null) this.#ended(exchange, session, instance.failure)
    else if (exchange.stream !== undefined) this.#streaming.conclude(exchange, session)
    else if (instance.state === STATE.FAILED) this.#threw(exchange, session)
    else if (instance.state !== STATE.PENDING) this.#answer(exchange, session)
    else if (exchange.runtime.isShared || exchange.isPending || exchange.wantsBody) {
      if (this.#options.pools.holds(exchange.runtime)) this.#pending.keep(exchange)
      else this.#failed(exchange, session, 'memory-limit', 'the memory budget of its shard is used up')
    } else
      this.#failed(exchange, session, 'handler-failed', 'its promise can never settle: nothing is pending')
  }

  /** A limit ended it, or whoever stopped it by the shared word. */
  #ended(exchange: Exchange, session: Session, failure: NonNullable<Failure>): void {
    const { reason } = this.activity
    if (failure === 'cancelled') {
      this.#options.counters.add(actorCounter.cancelled, 1)
      if (reason === CANCEL.GONE) {
        this.#streaming.detach(exchange, session)
        this.#pending.release(exchange, true)
        session.close()
        return
      }
      // The records that say so are still in the ring, behind what this shard would have run next.
      if (reason === CANCEL.SHUTDOWN) this.draining = this.#isAborting = true
    }
    const detail = limitOf(exchange, failure, reason, this.#options.holdMs)
    const code = failureCode(failure, reason)
    exchange.runtime.blame(exchange, code)
    this.#failed(exchange, session, code, detail)
  }

  #answer(exchange: Exchange, session: Session): void {
    const { instance } = exchange
    const { status, bodyStart, bodyEnd } = instance
    const length = bodyEnd - bodyStart
    const wrong = wrongAnswer(exchange, this.#options.responseHeadBytes)
    if (wrong !== undefined) {
      this.#failed(exchange, session, wrong.code, wrong.detail)
      return
    }
    if (length > 0 && instance.state === STATE.TEXT) mendSurrogates(instance.bytes, bodyStart, bodyEnd)
    const delivery = this.#delivery
    delivery.isHead = exchange.isHead
    delivery.close = this.#closes(session, exchange.keepAlive)
    delivery.saysKeepAlive = exchange.saysKeepAlive
    if (instance.state === STATE.STREAM) {
      const wrong = this.#streaming.answer(exchange, session, delivery)
      if (wrong !== 0) this.#failed(exchange, session, 'bad-response', httpError(wrong).reason)
      return
    }
    const error = this.#writer.write(session, instance, delivery)
    if (error === HTTP_ERRORS.buffersFull) {
      // The answer is right, its client too slow: that one goes.
      exchange.keepAlive = false
      this.#failed(exchange, session, 'buffers-full', `no room to keep an answer of ${length} bytes`)
      return
    }
    if (error !== 0) {
      this.#failed(exchange, session, 'bad-response', httpError(error).reason)
      return
    }
    this.#options.counters.add(actorCounter.answers, 1)
    if (this.#options.report.wantsAccess) this.#options.report.access(exchange, status, length)
    instance.settle()
    exchange.session = undefined
    session.closesAfterAnswer = delivery.close
    session.dropBody()
    if (session.out.length === 0) this.#finish(session, delivery.close)
    this.#pending.settle(exchange)
  }

  #finish(session: Session, close: boolean): void {
    if (close) session.close()
    else session.answered()
  }

  #closes(session: Session, keepAlive: boolean): boolean {
    const { maxRequests } = this.#options
    // A client that was told nothing may or may not send its body (RFC 9110, section 10.1.1).
    return (
      !keepAlive ||
      session.owesContinue ||
      this.draining ||
      (maxRequests > 0 && session.requests >= maxRequests)
    )
  }

  /** Gives runtimes back: reset and collected after the answer is on its way, or when somebody needs one. */
  giveBack(): void {
    if (this.#sharing.advance()) this.#options.outbox.ring()
    this.#leases.giveBack(this.nowMs)
  }

  /** The handler threw: what it threw goes to the log, never to the client. */
  #threw(exchange: Exchange, session: Session): void {
    const text = exchange.instance.failureText()
    const code = thrownCode(text, exchange.instance)
    const outOfMemory = code === 'memory-limit'
    if (isOffence(code, exchange.instance)) this.#leases.offended(exchange.functionIndex)
    if (code === 'handler-failed') {
      this.#options.counters.add(actorCounter.failures, 1)
      this.#options.report.threw(exchange, text)
    } else {
      this.#options.counters.add(actorCounter.limits, 1)
      this.#options.report.ended(exchange, code, limitOf(exchange, outOfMemory ? 'memory' : 'stack'), text)
    }
    this.#respond(exchange, session, code, outOfMemory)
  }

  /** The host ended the request: a limit, or an answer that cannot be sent. */
  #failed(exchange: Exchange, session: Session, code: AnswerErrorCode, detail: string): void {
    if (exchange.stream !== undefined) {
      this.#streaming.cut(exchange, session, code, detail)
      return
    }
    if (isOffence(code, exchange.instance)) this.#leases.offended(exchange.functionIndex)
    this.#options.counters.add(actorCounter.limits, 1)
    this.#options.report.ended(exchange, code, detail)
    const isIntact = code === 'bad-response' || code === 'response-too-large' || code === 'buffers-full'
    this.#respond(exchange, session, code, !isIntact)
  }

  #respond(exchange: Exchange, session: Session, code: AnswerErrorCode, spoiled: boolean): void {
    const close = this.#closes(session, exchange.keepAlive)
    this.#writer.writeRaw(session, failureAnswer(code, this.date.line, close, exchange.isHead))
    if (exchange.instance.failure === null) exchange.instance.settle()
    if (this.#options.report.wantsAccess) this.#options.report.access(exchange, ANSWER_ERRORS[code].status, 0)
    this.#finish(session, close)
    if (code === 'memory-limit') exchange.runtime.lose(culpritOf(exchange, code))
    this.#pending.release(exchange, spoiled)
  }

  /** An answer with a file is complete. */
  fileSent(session: Session): void {
    session.sendsFile = false
    this.#finish(session, session.closesAfterAnswer)
  }

  /** An answer that no runtime was needed for. */
  #answerWithout(session: Session, head: RequestHead, code: AnswerErrorCode): void {
    const close = this.#closes(session, head.keepAlive)
    this.#writer.writeRaw(session, failureAnswer(code, this.date.line, close, head.isHead))
    this.#options.report.accessWithout(head, ANSWER_ERRORS[code].status)
    this.#finish(session, close)
  }
}
