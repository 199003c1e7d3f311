import { type AsyncOp, cancelCall, hostAsync, lastCallId } from '../async.ts'
import { promiseThen } from '../primordials.ts'
import type { AbortSignal } from './abort.ts'
import { PulledBody } from './pulled-body.ts'

/** What a signal ends: the call that waits for a response's head, then its body. */
export class Abort {
  readonly #close: AsyncOp
  readonly #exchange: number
  readonly #call: number
  reason: { readonly value: unknown } | undefined
  /** Set while a read of the body waits. */
  onAbort: ((reason: unknown) => void) | undefined
  isOver = false

  /** `close`: the operation that gives up the exchange of this number. */
  constructor(close: AsyncOp, exchange: number, call: number) {
    this.#close = close
    this.#exchange = exchange
    this.#call = call
  }

  run(signal: AbortSignal): void {
    if (this.isOver) return
    this.reason = { value: signal.reason }
    cancelCall(this.#call, signal.reason)
    this.onAbort?.(signal.reason)
    this.end()
  }

  /** Nobody wants the body, or there is nothing left of it. */
  end(): void {
    if (this.isOver) return
    this.isOver = true
    closeBody(this.#close, this.#exchange)
  }
}

export function ignore(): void {}

export function closeBody(close: AsyncOp, exchange: number): void {
  promiseThen(hostAsync(close, exchange), ignore, ignore)
}

/** A response's body that the host has: `read` is the operation that gives its next piece. */
export function bodyOf(read: AsyncOp, exchange: number, abort: Abort): PulledBody {
  const pull = async (): Promise<ArrayBuffer | undefined> => {
    if (abort.reason !== undefined) throw abort.reason.value
    const reading = hostAsync(read, exchange) as Promise<ArrayBuffer | undefined>
    const id = lastCallId()
    abort.onAbort = (reason) => cancelCall(id, reason)
    const piece = await reading
    abort.onAbort = undefined
    if (piece === undefined) abort.end()
    return piece
  }
  return new PulledBody(pull, () => abort.end())
}
