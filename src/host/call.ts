// What a guest has its host do that takes time: what an operation is given, and how it says that it failed.

import type { HostValue } from '../guest/host.ts'

/** A call's failure as its guest sees it. `name`: TypeError, RangeError, or a DOMException's name (`DataError`). */
export class CallError extends Error {
  override readonly name: string
  /** What was behind it: the guest's error has it as its `cause`, with this code. Nothing of the host's inside may be in it. */
  readonly reason: { readonly code: string; readonly message: string } | undefined

  constructor(name: string, message: string, reason?: { readonly code: string; readonly message: string }) {
    super(message)
    this.name = name
    this.reason = reason
  }
}

/** What lasts from a request's first call to its end, whatever that end is: an answer, a limit, a client that has gone. */
export interface RequestScope {
  /** Index of the function among the plan's. */
  readonly functionIndex: number
  /** Aborted at the request's end: what is still open then is to be closed. Made when first asked for. */
  readonly signal: AbortSignal
  /** Whether that end has been. To ask costs nothing, as a signal does. */
  readonly hasEnded: boolean
  /**
   * Charges processor time that an operation will use where nobody can measure it. False when the request has less left: then the
   * operation must not begin, and the request is over its limit.
   */
  charge(cpuMs: number): boolean
  /** What an operation keeps between the calls of one request; made when first asked for. `key`: a symbol of the module's own. */
  state<T>(key: symbol, make: () => T): T
}

export interface HostCall {
  readonly scope: RequestScope
  /** Aborted when nobody waits for the result any more. Made when first asked for. */
  readonly signal: AbortSignal
  readonly isGivenUp: boolean
}

/**
 * One operation of ASYNC_OP (src/guest/ops.ts). Its arguments are copies, of types that no one has checked: undefined stands for
 * what is missing or cannot cross. It runs on the event loop of the actor's thread, so it must not block; its promise must
 * settle in bounded time, also after the signal. A rejection with a {@link CallError} is the guest's; any other is an
 * OperationError without details.
 */
export type AsyncOp = (values: readonly HostValue[], call: HostCall) => Promise<HostValue>
