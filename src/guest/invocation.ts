import { forgetCalls } from './async.ts'
import { words } from './bridge.ts'
import type { Answer } from './invoke.ts'
import { defineProperty, promiseResolve, promiseThen } from './primordials.ts'
import { reportException } from './report.ts'
import { PENDING_STATE, READY_WORD, STATE_WORD, WAITED_STATE, WAITING_WORD } from './seat-ops.ts'
import type { AbortSignal } from './web/abort.ts'
import type { Incoming } from './web/incoming.ts'
import type { Outgoing } from './web/outgoing.ts'
import type { PulledBody } from './web/pulled-body.ts'
import type { Parts } from './web/request.ts'
import { forgetTimers } from './web/timers.ts'

/** One request, as far as it lasts longer than a step: what comes and goes of it piece by piece, and what it waits for. */
export interface Invocation {
  /** Its number among the requests that its runtime serves at once, from 1; 0 where it is the only one. */
  readonly seat: number
  /** Promises handed to its `ctx.waitUntil` that are not settled. */
  waiting: number
  incoming: Incoming | undefined
  body: PulledBody | undefined
  outgoing: Outgoing | undefined
  /** Aborted when its client has gone. Made when somebody asks for it. */
  signal: AbortSignal | undefined
  gone: { readonly reason: unknown } | undefined
}

function newInvocation(seat: number): Invocation {
  return {
    seat,
    waiting: 0,
    incoming: undefined,
    body: undefined,
    outgoing: undefined,
    signal: undefined,
    gone: undefined,
  }
}

/** The one of a runtime that serves one request at a time. */
const sole = newInvocation(0)
/** By seat, the latest of each. Without a prototype: no property of user code's is ever asked. */
const seats = { __proto__: null, 0: sole } as unknown as Record<number, Invocation | undefined>
/** Whose handler is called, or whose answer is made. */
let current = sole

export function currentInvocation(): Invocation {
  return current
}

/** Undefined for a seat that nobody has. */
export function invocationAt(seat: number | undefined): Invocation | undefined {
  return seats[seat ?? 0]
}

/** Whether it still has its seat: what an earlier one asks for must not reach the next. */
export function isSeated(invocation: Invocation): boolean {
  return seats[invocation.seat] === invocation
}

/** A request begins that has the runtime for itself: nothing of an earlier one is left. */
export function begin(): void {
  forgetCalls()
  sole.signal = undefined
  sole.gone = undefined
}

/** Of the request whose head has been split into these parts. */
export function invocationOf(parts: Parts): Invocation {
  return (parts.invocation as Invocation | undefined) ?? sole
}

/** What came of requests while others had their steps, oldest first, until the host takes it. */
interface Arrival {
  readonly invocation: Invocation
  readonly value: unknown
  readonly kind: (typeof ARRIVAL)[keyof typeof ARRIVAL]
  next: Arrival | undefined
}
/** The first two are `isRejected` of `conclude`. */
const ARRIVAL = { RESULT: 0, FAILURE: 1, WAITED: 2 } as const
/** The core's. */
let concludeIn: (value: unknown, isRejected: number) => Answer
let first: Arrival | undefined
let last: Arrival | undefined

function arrived(invocation: Invocation, value: unknown, kind: Arrival['kind']): void {
  const arrival: Arrival = { invocation, value, kind, next: undefined }
  if (first === undefined) {
    first = arrival
    words[READY_WORD] = invocation.seat
  } else last!.next = arrival
  last = arrival
}

/** What the core must know of a request that began beside others. */
export interface Joined {
  /** Of its head. */
  readonly parts: Parts
  /** Called with what its handler's promise has settled to. */
  readonly settled: (value: unknown) => void
  readonly failed: (reason: unknown) => void
  readonly next: () => Answer
}

/**
 * A request begins beside others; `isAlone` is 1 when there is none of those now. Then nothing of earlier ones is left: the host
 * has ended their timers and calls. `context` becomes its own.
 */
export function join(
  seat: number,
  isAlone: number,
  head: string,
  context: object,
  conclude: typeof concludeIn,
): Joined {
  concludeIn = conclude
  if (isAlone === 1) {
    forgetTimers()
    forgetCalls()
    first = undefined
    words[READY_WORD] = 0
  }
  const invocation = newInvocation(seat)
  seats[seat] = current = invocation
  words[WAITING_WORD] = 0
  defineProperty(context, 'waitUntil', waitUntilOf(invocation))
  return {
    parts: {
      head,
      method: undefined,
      url: undefined,
      headers: undefined,
      signal: undefined,
      redirect: 'follow',
      invocation,
    },
    settled: (value) => arrived(invocation, value, ARRIVAL.RESULT),
    failed: (reason) => arrived(invocation, reason, ARRIVAL.FAILURE),
    next,
  }
}

/** As the one of all contexts (context.ts), but of one request. */
function waitUntilOf(invocation: Invocation): PropertyDescriptor {
  const value = (promise: unknown): void => {
    promiseThen(
      promiseResolve(promise),
      () => waits(invocation, -1),
      (reason) => {
        waits(invocation, -1)
        reportException('waitUntil', reason)
      },
    )
    waits(invocation, 1)
  }
  return { __proto__: null, value, writable: true, configurable: true } as PropertyDescriptor
}

function waits(invocation: Invocation, more: 1 | -1): void {
  invocation.waiting += more
  if (invocation === current) words[WAITING_WORD] = invocation.waiting
  // The host is told when there begins to be something, and when there is nothing any more: it may have its answer by then.
  const hasChanged = invocation.waiting === 0 || (more === 1 && invocation.waiting === 1)
  if (hasChanged) arrived(invocation, undefined, ARRIVAL.WAITED)
}

/** What has come for the seat that READY_WORD names. PENDING when that concerns nobody any more. */
function next(): Answer {
  words[STATE_WORD] = PENDING_STATE
  words[READY_WORD] = 0
  if (first === undefined) return undefined
  const { invocation, value, kind } = first
  first = first.next
  if (first !== undefined) words[READY_WORD] = first.invocation.seat
  if (!isSeated(invocation)) return undefined
  current = invocation
  words[WAITING_WORD] = invocation.waiting
  if (kind !== ARRIVAL.WAITED) return concludeIn(value, kind)
  words[STATE_WORD] = WAITED_STATE
  return undefined
}
