import { host, refuseAtTopLevel } from './bridge.ts'
import { type ASYNC_OP, OP, OUTCOME } from './ops.ts'
import { defineProperty, newPromise, stringSplit } from './primordials.ts'
import { DOMException } from './web/dom-exception.ts'

export type AsyncOp = (typeof ASYNC_OP)[keyof typeof ASYNC_OP]
type Argument = string | number | boolean | ArrayBuffer | undefined

interface Call {
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** Calls under way by their ids. Without a prototype: no property of user code's is ever asked. */
let calls = emptyTable()
let lastId = 0
let forgottenId = 0

function emptyTable(): Record<number, Call> {
  return { __proto__: null } as unknown as Record<number, Call>
}

/** The id of the call that was begun last, for {@link cancelCall}. */
export function lastCallId(): number {
  return lastId
}

/**
 * Begins work of the host's that takes time, and gives a promise of its result: undefined, a number, plain text, or an ArrayBuffer
 * of the caller's own. It rejects with a TypeError, RangeError or DOMException by the name that the host gives, and at once when
 * there are `limits.pendingCalls` already.
 *
 * To add one: a number in ASYNC_OP (ops.ts), a handler in the table of src/host/ops.ts, and a caller. Arguments cross as
 * they are: text without NUL and lone surrogates (or by `toWire`), buffers are copied. While it is under way the runtime
 * stays with its request, like for a timer; when the request ends first, it is given up, and its result is dropped.
 */
export function hostAsync(
  op: AsyncOp,
  a?: Argument,
  b?: Argument,
  c?: Argument,
  d?: Argument,
  e?: Argument,
  f?: Argument,
): Promise<unknown> {
  refuseAtTopLevel('what takes time on the host')
  const id = ++lastId
  // The host may refuse it, and throws then: a rejection here.
  return newPromise((resolve, reject) => {
    host(OP.CALL, id, op, a, b, c, d, e, f)
    calls[id] = { resolve, reject }
  })
}

/** Gives a call up, with what its promise is to be rejected with. Nothing for one that has ended. */
export function cancelCall(id: number, reason: unknown): void {
  const call = calls[id]
  if (call === undefined) return
  delete calls[id]
  host(OP.CALL_CANCEL, id)
  call.reject(reason)
}

/** Called by the host: a call has ended. `outcome`: one of OUTCOME. */
export function complete(id: number, outcome: number, value: unknown): void {
  const call = calls[id]
  if (call === undefined) return
  delete calls[id]
  if (outcome === OUTCOME.DONE) call.resolve(value)
  else call.reject(toError(value as string))
}

/** Forgets the calls of an earlier request: the host has given them up with its answer. */
export function forgetCalls(): void {
  if (lastId === forgottenId) return
  calls = emptyTable()
  forgottenId = lastId
}

const TypeErrorOfRealm = TypeError
const RangeErrorOfRealm = RangeError
const ErrorOfRealm = Error

function toError(text: string): Error {
  const lines = stringSplit(text, '\n')
  const name = lines[0]
  const message = lines[1]
  let error: Error
  if (name === 'TypeError') error = new TypeErrorOfRealm(message)
  else if (name === 'RangeError') error = new RangeErrorOfRealm(message)
  else error = new DOMException(message, name) as unknown as Error
  if (lines.length < 4) return error
  const cause = new ErrorOfRealm(lines[3])
  defineProperty(cause, 'code', hidden(lines[2]))
  defineProperty(error, 'cause', hidden(cause))
  return error
}

function hidden(value: unknown): PropertyDescriptor {
  return { __proto__: null, value, writable: true, configurable: true } as PropertyDescriptor
}
