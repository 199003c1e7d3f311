// One answer whose body comes from its guest piece by piece: what has gone out of it, what may, and how it ended. The pieces go
// from the guest's memory into the response ring; nothing of them is kept here.

import type { AnswerErrorCode } from '../errors.ts'
import type { AnswerWriter, StreamFraming } from './answer.ts'
import type { Session } from './session.ts'

/** How a streamed answer ended: complete, by what its guest threw, or by the host. */
export type StreamEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'threw'; readonly text: string }
  | { readonly kind: 'ended'; readonly code: AnswerErrorCode; readonly detail: string }

export class AnswerStream {
  readonly status: number
  readonly close: boolean
  readonly startedMs = performance.now()
  /** When a piece was last sent, or the client's window last opened. */
  movedMs = this.startedMs
  sentBytes = 0
  /** Undefined while more may come. */
  end: StreamEnd | undefined
  readonly #writer: AnswerWriter
  readonly #session: Session
  readonly #framing: StreamFraming
  readonly #limitBytes: number
  /** What the guest was last told that its next piece may have. */
  #allowed = 0

  /** `close`: the connection does not go on after it. `limitBytes`: of the whole body. */
  constructor(
    writer: AnswerWriter,
    session: Session,
    framing: StreamFraming,
    status: number,
    close: boolean,
    limitBytes: number,
  ) {
    this.#writer = writer
    this.#session = session
    this.#framing = framing
    this.status = status
    this.close = close
    this.#limitBytes = limitBytes
  }

  /** Whether it waits for its client, not for its guest. */
  get isBlocked(): boolean {
    return this.#allowed === 0
  }

  /** Looks whether the client's window has room; what the guest may send then. */
  refill(): number {
    this.#allowed = this.#writer.pieceRoom(this.#session)
    if (this.#allowed > 0) this.movedMs = performance.now()
    return this.#allowed
  }

  /** A piece of the guest's; what the next may have. */
  take(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from
    if (this.end !== undefined) return 0
    if (length === 0) return this.#allowed
    if (length > this.#allowed) return this.#fail('bad-response', 'a piece longer than allowed')
    if (this.sentBytes + length > this.#limitBytes) {
      return this.#fail('response-too-large', `streamed body longer than ${this.#limitBytes} bytes`)
    }
    if (length > this.#framing.leftBytes) return this.#fail('bad-response', 'more than its Content-Length')
    this.#writer.writePiece(this.#session, bytes, from, to, this.#framing.isChunked)
    this.sentBytes += length
    this.#framing.leftBytes -= length
    return this.refill()
  }

  /** The guest has no more; `failure` is '' unless it ended by one. */
  finish(failure: string): void {
    if (this.end !== undefined) return
    const { leftBytes } = this.#framing
    if (failure !== '') this.end = { kind: 'threw', text: failure }
    else if (leftBytes > 0 && leftBytes !== Number.POSITIVE_INFINITY) {
      this.#fail('bad-response', `${leftBytes} bytes less than its Content-Length`)
    } else this.end = { kind: 'complete' }
  }

  /** Ends the body on the wire. */
  writeEnd(): void {
    if (this.#framing.isChunked) this.#writer.writeStreamEnd(this.#session)
  }

  #fail(code: AnswerErrorCode, detail: string): 0 {
    this.end = { kind: 'ended', code, detail }
    this.#allowed = 0
    return 0
  }
}
