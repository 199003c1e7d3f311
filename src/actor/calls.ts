// Calls of guests that take time (OP.CALL). Each belongs to the request that began it: a call that ends later than its request
// is detached from it, so its result is dropped and never reaches a runtime that was reset or leased again.

import type { HostValue } from '../guest/host.ts'
import { OUTCOME } from '../guest/ops.ts'
import { type AsyncOp, CallError, type HostCall, type RequestScope } from '../host/call.ts'
import type { BufferBudget } from './bytes.ts'

/** Who waits for a call's end. */
export interface Caller {
  readonly functionIndex: number
  /** A call of its has ended. */
  complete(id: number, outcome: number, value: HostValue): void
  /** Charges its request for processor time; false when that is more than it has left. */
  charge(cpuMs: number): boolean
}

/** Why signals abort. One for all: an error for each, with its stack, would cost more than most calls. */
const ENDED = new CallError('AbortError', 'the request has ended')

class Scope implements RequestScope {
  readonly #caller: Caller
  #end: AbortController | undefined
  hasEnded = false
  readonly #states = new Map<symbol, unknown>()

  constructor(caller: Caller) {
    this.#caller = caller
  }

  get functionIndex(): number {
    return this.#caller.functionIndex
  }

  get signal(): AbortSignal {
    this.#end ??= new AbortController()
    if (this.hasEnded) this.#end.abort(ENDED)
    return this.#end.signal
  }

  state<T>(key: symbol, make: () => T): T {
    if (!this.#states.has(key)) this.#states.set(key, make())
    return this.#states.get(key) as T
  }

  charge(cpuMs: number): boolean {
    return !this.hasEnded && this.#caller.charge(cpuMs)
  }

  end(): void {
    this.hasEnded = true
    this.#end?.abort(ENDED)
  }
}

class Call implements HostCall {
  readonly scope: Scope
  readonly id: number
  /** Undefined when nobody waits for it any more. */
  caller: RequestCalls | undefined
  outcome: number = OUTCOME.DONE
  value: HostValue
  #abort: AbortController | undefined

  constructor(scope: Scope, id: number, caller: RequestCalls) {
    this.scope = scope
    this.id = id
    this.caller = caller
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.isGivenUp) this.#abort.abort(ENDED)
    return this.#abort.signal
  }

  get isGivenUp(): boolean {
    return this.caller === undefined
  }

  giveUp(): void {
    this.caller = undefined
    this.#abort?.abort(ENDED)
  }
}

/** The calls of one shard: those under way, and those that have ended since the last turn. */
export class HostWork {
  readonly #ops: ReadonlyMap<number, AsyncOp>
  readonly #buffers: BufferBudget
  #ended: Call[] = []
  /** Calls whose work has not ended, those that were given up included: the event loop must run for them. */
  #underWay = 0
  readonly #openSockets: () => number
  /** A call has ended: somebody should look. */
  onEnded: () => void = () => {}

  /** Arguments of calls under way count against `buffers`. `openSockets`: of other servers, whose end must be noticed. */
  constructor(ops: ReadonlyMap<number, AsyncOp>, buffers: BufferBudget, openSockets: () => number = () => 0) {
    this.#ops = ops
    this.#buffers = buffers
    this.#openSockets = openSockets
  }

  get hasEnded(): boolean {
    return this.#ended.length > 0
  }

  /** Whether the event loop is needed. */
  get isUnderWay(): boolean {
    return this.#underWay > 0 || this.#openSockets() > 0
  }

  /** Tells the callers of all calls that have ended. */
  deliver(): void {
    const ended = this.#ended
    this.#ended = []
    for (const call of ended) call.caller?.ended(call)
  }

  /** Undefined when it has begun, else why not. */
  begin(call: Call, what: number, values: readonly HostValue[]): string | undefined {
    const op = this.#ops.get(what)
    if (op === undefined) return 'the host does not know this call'
    const bytes = values.reduce<number>((sum, value) => sum + lengthOf(value), 0)
    if (!this.#buffers.tryTake(bytes, bytes)) return 'the buffers of the server are full'
    this.#underWay++
    const end = (outcome: number, value: HostValue) => {
      this.#underWay--
      this.#buffers.give(bytes)
      if (call.caller === undefined) return
      call.outcome = outcome
      call.value = value
      this.#ended.push(call)
      this.onEnded()
    }
    start(op, values, call).then(
      (value) => end(OUTCOME.DONE, value),
      (error: unknown) => end(OUTCOME.FAILED, failureText(error)),
    )
    return undefined
  }
}

/** Never throws by itself, whatever the operation does. */
async function start(op: AsyncOp, values: readonly HostValue[], call: Call): Promise<HostValue> {
  return op(values, call)
}

function lengthOf(value: HostValue): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0
}

/** Characters that would end a line of a failure's text, or the text itself. */
const NOT_IN_LINE = /[\0\r\n]|\p{Surrogate}/gu

function failureText(error: unknown): string {
  if (!(error instanceof CallError)) return 'OperationError\nthe operation failed'
  const { name, message, reason } = error
  const lines = reason === undefined ? [name, message] : [name, message, reason.code, reason.message]
  return lines.map((line) => line.replace(NOT_IN_LINE, ' ')).join('\n')
}

/** The calls of one request. */
export class RequestCalls {
  readonly #caller: Caller
  readonly #work: HostWork
  readonly #limit: number
  readonly #calls = new Map<number, Call>()
  #scope: Scope | undefined

  /** `limit`: calls under way at once. */
  constructor(caller: Caller, work: HostWork, limit: number) {
    this.#caller = caller
    this.#work = work
    this.#limit = limit
  }

  get size(): number {
    return this.#calls.size
  }

  /** Whether any has begun since they were cleared: what it has opened may still be open. */
  get isUsed(): boolean {
    return this.#scope !== undefined
  }

  /** Undefined when it has begun, else why not. */
  begin(id: number, what: number, values: readonly HostValue[]): string | undefined {
    if (this.#calls.size >= this.#limit) {
      return `too many calls that wait for the host: limits.pendingCalls is ${this.#limit}`
    }
    if (!Number.isSafeInteger(id) || this.#calls.has(id)) return 'a call needs a number of its own'
    this.#scope ??= new Scope(this.#caller)
    const call = new Call(this.#scope, id, this)
    const refusal = this.#work.begin(call, what, values)
    if (refusal === undefined) this.#calls.set(id, call)
    return refusal
  }

  /** Nobody waits for it any more. */
  cancel(id: number): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    this.#calls.delete(id)
    call.giveUp()
  }

  /** The request has ended: what it began is given up. */
  clear(): void {
    for (const call of this.#calls.values()) call.giveUp()
    this.#calls.clear()
    this.#scope?.end()
    this.#scope = undefined
  }

  ended(call: Call): void {
    this.#calls.delete(call.id)
    this.#caller.complete(call.id, call.outcome, call.value)
  }
}
