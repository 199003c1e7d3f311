// Streamed answers of a shard, from their heads to their ends. The lease lasts as long; the client's window opens the way for
// further pieces; what goes wrong after the head can only end the connection, without the last chunk.

import type { Counters } from '@shared/ringbuffer'
import type { AnswerErrorCode } from '../errors.ts'
import { actorCounter } from '../metrics.ts'
import type { AnswerWriter, Delivery, StreamFraming } from './answer.ts'
import type { Exchange } from './exchange.ts'
import { isOffence } from './failures.ts'
import type { Reporter } from './report.ts'
import type { Session } from './session.ts'
import { AnswerStream } from './stream.ts'
import type { TimerQueue } from './timers.ts'

/** What the answers' shard does for them. */
export interface StreamOwner {
  readonly timers: TimerQueue
  readonly counters: Counters
  readonly report: Reporter
  /** Names the session's connection for what is written next. */
  address(session: Session): void
  /** Whether the connection closes after this answer. */
  closes(exchange: Exchange, session: Session): boolean
  /** The guest may ask for its body. */
  bodyWanted(exchange: Exchange): void
  /** The connection goes on with its next request, or closes. */
  finish(session: Session, close: boolean): void
  /** Whether the memory that a waiting guest holds fits into the budget. */
  holds(exchange: Exchange): boolean
  /** It has cost its neighbours too much. */
  offended(exchange: Exchange): void
  /** After a step: what has become of the exchange. */
  conclude(exchange: Exchange, session: Session): void
  /** It outlives the present step. */
  keep(exchange: Exchange): void
  /** Nothing is owed to a client: the runtime goes back, or on with what `waitUntil` has asked for. */
  settle(exchange: Exchange, spoiled: boolean): void
  onProgress(session: Session): void
}

export class Streaming {
  readonly #writer: AnswerWriter
  readonly #owner: StreamOwner

  constructor(writer: AnswerWriter, owner: StreamOwner) {
    this.#writer = writer
    this.#owner = owner
  }

  /** An answer whose body is to come: its head, then what its guest gives. 0, or an HTTP error code when the head cannot be sent. */
  answer(exchange: Exchange, session: Session, delivery: Delivery): number {
    const { instance } = exchange
    const { status } = instance
    if (session.owesContinue && session.reader !== undefined) {
      // Not possible after the head, and the guest may yet ask for the body.
      this.#owner.bodyWanted(exchange)
      delivery.close = this.#owner.closes(exchange, session)
    }
    const framing = this.#writer.writeStreamHead(session, instance, delivery, exchange.allowsChunks)
    if (typeof framing === 'number') return framing
    this.#owner.counters.add(actorCounter.answers, 1)
    instance.settle()
    const { close } = delivery
    if (framing.hasBody) {
      this.#begin(exchange, session, framing, status, close)
      return 0
    }
    exchange.depart(false)
    if (this.#owner.report.wantsAccess) this.#owner.report.access(exchange, status, 0)
    this.detach(exchange, session)
    session.dropBody()
    this.#owner.finish(session, close)
    this.#owner.settle(exchange, false)
    return 0
  }

  /** The head has been written: the guest may send. */
  #begin(exchange: Exchange, session: Session, framing: StreamFraming, status: number, close: boolean): void {
    const { streamBytes } = exchange.plan.limits
    exchange.stream = new AnswerStream(this.#writer, session, framing, status, close, streamBytes)
    session.writer = exchange
    this.#owner.keep(exchange)
    exchange.flow()
    this.#owner.conclude(exchange, session)
  }

  /** The client has taken some of what was sent. */
  credited(session: Session): void {
    const { writer } = session
    if (writer?.stream?.isBlocked !== true) return
    writer.flow()
    this.#owner.conclude(writer, session)
  }

  /** After a step of an exchange that streams, in which nothing has gone wrong: it has ended, or waits. */
  conclude(exchange: Exchange, session: Session): void {
    const { end, isBlocked } = exchange.stream!
    if (end === undefined) {
      // What another request does may be what it waits for.
      if (!(exchange.runtime.isShared || isBlocked || exchange.isPending || exchange.wantsBody))
        this.cut(exchange, session, 'handler-failed', 'its stream can never go on: nothing is pending')
      else if (!this.#owner.holds(exchange))
        this.cut(exchange, session, 'memory-limit', 'the memory budget of its shard is used up')
    } else if (end.kind === 'complete') this.#complete(exchange, session)
    else if (end.kind === 'threw') {
      this.#owner.counters.add(actorCounter.failures, 1)
      this.#owner.report.threw(exchange, end.text)
      this.#close(exchange, session, false)
    } else this.cut(exchange, session, end.code, end.detail)
  }

  /** The host ends it: a limit, or what cannot be sent. Its guest is told if it is able to hear. */
  cut(exchange: Exchange, session: Session, code: AnswerErrorCode, detail: string): void {
    if (isOffence(code, exchange.instance)) this.#owner.offended(exchange)
    this.#owner.counters.add(actorCounter.limits, 1)
    this.#owner.report.ended(exchange, code, detail)
    exchange.isReported = true
    this.#close(exchange, session, code !== 'bad-response' && code !== 'response-too-large')
  }

  /** Its client has gone, whether or not it had the head: the guest is told, and may go on with what it wants to see done. */
  depart(exchange: Exchange, session: Session): void {
    const hasAnswered = exchange.stream !== undefined
    this.detach(exchange, session)
    exchange.depart(true)
    this.#owner.settle(exchange, !hasAnswered)
  }

  /** Ends streams that do not move, or have moved for too long. */
  watch(exchange: Exchange): void {
    const { streamIdleMs, streamMs } = exchange.plan.limits
    const look = (): void => {
      const { stream, session } = exchange
      if (stream === undefined || session === undefined) return
      const nowMs = performance.now()
      // While its client does not take what was sent, the acceptor watches over that.
      const idleEndMs = (stream.isBlocked ? nowMs : stream.movedMs) + streamIdleMs
      const endMs = stream.startedMs + streamMs
      if (Math.min(idleEndMs, endMs) > nowMs) {
        exchange.wall = this.#owner.timers.add(Math.min(idleEndMs, endMs), look)
        return
      }
      const detail = endMs <= nowMs ? `limit ${streamMs} ms of a stream` : `no piece in ${streamIdleMs} ms`
      this.#owner.address(session)
      this.cut(exchange, session, 'wall-limit', detail)
      this.#owner.onProgress(session)
    }
    exchange.wall = this.#owner.timers.add(performance.now() + Math.min(streamIdleMs, streamMs), look)
  }

  #complete(exchange: Exchange, session: Session): void {
    const stream = exchange.stream!
    stream.writeEnd()
    this.#access(exchange, stream)
    this.detach(exchange, session)
    session.dropBody()
    this.#owner.finish(session, stream.close)
    this.#owner.settle(exchange, false)
  }

  /** The connection closes: its client sees that the answer is not whole. */
  #close(exchange: Exchange, session: Session, spoiled: boolean): void {
    this.#access(exchange, exchange.stream!)
    this.detach(exchange, session)
    session.close()
    exchange.depart(true)
    this.#owner.settle(exchange, spoiled)
  }

  /** The answer is not this exchange's any more. */
  detach(exchange: Exchange, session: Session): void {
    exchange.stream = undefined
    exchange.session = undefined
    session.writer = undefined
  }

  #access(exchange: Exchange, { status, sentBytes }: AnswerStream): void {
    const { report } = this.#owner
    if (report.wantsAccess) report.access(exchange, status, sentBytes)
  }
}
