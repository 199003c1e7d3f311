// The answers that the host gives in a function's place, by their names in ANSWER_ERRORS.

import type { Instance } from '../engine/instance.ts'
import type { Failure } from '../engine/limits.ts'
import { ANSWER_ERRORS, type AnswerError, type AnswerErrorCode } from '../errors.ts'
import { errorAnswer } from '../http/response.ts'
import { CANCEL } from '../protocol.ts'
import type { Exchange } from './exchange.ts'

/** What a runtime's failure is called towards the client. */
const FAILURE_CODES: Record<NonNullable<Failure>, AnswerErrorCode> = {
  cancelled: 'shutting-down',
  cpu: 'cpu-limit',
  memory: 'memory-limit',
  stack: 'stack-limit',
  engine: 'handler-failed',
  'host-calls': 'host-call-limit',
  subrequests: 'subrequest-limit',
}

/** What it is called to have been stopped from outside, by its `CANCEL`. There is no answer to a client that has gone. */
const CANCEL_CODES: Record<number, AnswerErrorCode> = {
  [CANCEL.DEADLINE]: 'wall-limit',
  [CANCEL.OVERLOAD]: 'overloaded',
  [CANCEL.SHUTDOWN]: 'shutting-down',
}

/** What a runtime's failure is called, where it was stopped for this reason. */
export function failureCode(failure: NonNullable<Failure>, reason: number): AnswerErrorCode {
  return (failure === 'cancelled' ? CANCEL_CODES[reason] : undefined) ?? FAILURE_CODES[failure]
}

/**
 * Whether a request that ended so costs its function's neighbours more than its share: its processor time was used up, or its memory,
 * which takes the kernel and the collector tens of milliseconds beside. A deep recursion takes one.
 */
export function isOffence(code: AnswerErrorCode, { memory }: Instance): boolean {
  return code === 'cpu-limit' || (code === 'memory-limit' && memory.hasPassedLimit)
}

/** The whole answer for a failure. */
export function failureAnswer(
  code: AnswerErrorCode,
  dateLine: Uint8Array,
  close: boolean,
  isHead: boolean,
  fields = '',
): Uint8Array {
  const { status, message, retryAfterSeconds }: AnswerError = ANSWER_ERRORS[code]
  return errorAnswer({ name: code, status, reason: message }, dateLine, {
    close,
    isHead,
    fields,
    ...(retryAfterSeconds !== undefined && { retryAfterS: retryAfterSeconds }),
  })
}

/** Which limit a failure is about, and its value: for the log. `reason`: of `CANCEL`, for what was stopped from outside. */
export function limitOf(exchange: Exchange, failure: NonNullable<Failure>, reason = 0, holdMs = 0): string {
  const { cpuMs, wallMs, memoryBytes, stackBytes, hostCalls, subrequests } = exchange.plan.limits
  if (failure === 'cancelled' && reason === CANCEL.DEADLINE) return `limit ${wallMs} ms, and it was running`
  if (failure === 'cancelled' && reason === CANCEL.OVERLOAD)
    return `limit ${holdMs} ms of processor time while other requests waited`
  if (failure === 'stack') return `limit ${stackBytes} bytes of stack`
  if (failure === 'cpu') return `limit ${cpuMs} ms of processor time`
  if (failure === 'memory') return `limit ${memoryBytes} bytes of memory`
  if (failure === 'subrequests') return `limit ${subrequests} requests by fetch`
  if (failure === 'host-calls') return `limit ${hostCalls} host calls`
  return ''
}

const STATUS_MIN = 200
const STATUS_MAX = 599

/** Why a guest's answer cannot be sent, with details for the log; undefined when it can. Its fields are looked at when they are written. */
export function wrongAnswer(
  { instance, plan }: Exchange,
  responseHeadBytes: number,
): { readonly code: AnswerErrorCode; readonly detail: string } | undefined {
  const { status, headStart, headEnd, bodyStart, bodyEnd } = instance
  if (status < STATUS_MIN || status > STATUS_MAX)
    return { code: 'bad-response', detail: `status ${status}, not ${STATUS_MIN} to ${STATUS_MAX}` }
  if (headEnd - headStart > responseHeadBytes) {
    const detail = `fields of ${headEnd - headStart} bytes, limit ${responseHeadBytes}`
    return { code: 'bad-response', detail }
  }
  const { responseBytes } = plan.limits
  if (bodyEnd - bodyStart <= responseBytes) return undefined
  const detail = `body of ${bodyEnd - bodyStart} bytes, limit ${responseBytes}`
  return { code: 'response-too-large', detail }
}

/** What the engine's two builds throw. */
const STACK_OVERFLOW = /^(InternalError\nstack overflow|RangeError\nMaximum call stack size exceeded)/

/** What a handler's failure is, by what it threw (`name\nmessage\nstack`). */
export function thrownCode(text: string, { isNearlyFull }: Instance): AnswerErrorCode {
  // Without memory for the error itself the engine throws null.
  const isNull = text.startsWith('Error\nthrown: null') && isNearlyFull
  if (isNull || text.startsWith('InternalError\nout of memory')) return 'memory-limit'
  return STACK_OVERFLOW.test(text) ? 'stack-limit' : 'handler-failed'
}
