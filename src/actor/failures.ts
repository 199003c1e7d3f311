// The answers that the host gives in a function's place, by their names in ANSWER_ERRORS.

import type { Failure } from '../engine/limits.ts'
import { ANSWER_ERRORS, type AnswerError, type AnswerErrorCode } from '../errors.ts'
import { errorAnswer } from '../http/response.ts'
import type { Exchange } from './exchange.ts'

/** What a runtime's failure is called towards the client. */
export const FAILURE_CODES: Record<NonNullable<Failure>, AnswerErrorCode> = {
  cancelled: 'shutting-down',
  cpu: 'cpu-limit',
  memory: 'memory-limit',
  stack: 'stack-limit',
  engine: 'handler-failed',
  'host-calls': 'host-call-limit',
}

/** The whole answer for a failure. */
export function failureAnswer(
  code: AnswerErrorCode,
  dateLine: Uint8Array,
  close: boolean,
  isHead: boolean,
): Uint8Array {
  const { status, message, retryAfterSeconds }: AnswerError = ANSWER_ERRORS[code]
  return errorAnswer({ name: code, status, reason: message }, dateLine, {
    close,
    isHead,
    ...(retryAfterSeconds !== undefined && { retryAfterS: retryAfterSeconds }),
  })
}

/** Which limit a failure is about, and its value: for the log. */
export function limitOf(exchange: Exchange, failure: NonNullable<Failure>): string {
  const { cpuMs, memoryBytes, stackBytes, hostCalls } = exchange.plan.limits
  if (failure === 'stack') return `limit ${stackBytes} bytes of stack`
  if (failure === 'cpu') return `limit ${cpuMs} ms of processor time`
  if (failure === 'memory') return `limit ${memoryBytes} bytes of memory`
  if (failure === 'host-calls') return `limit ${hostCalls} host calls`
  return ''
}
