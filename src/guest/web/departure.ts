import { feature } from '../feature.ts'
import { invocationAt, invocationOf } from '../invocation.ts'
import type { AbortSignal } from './abort.ts'
import { DOMException } from './dom-exception.ts'
import { stopReceiving } from './incoming.ts'
import { stopSending } from './outgoing.ts'
import type { Parts } from './request.ts'

/** Of the request whose head has these parts: aborted when its client has gone. */
export function departureSignal(parts: Parts): AbortSignal {
  const invocation = invocationOf(parts)
  const { gone } = invocation
  if (invocation.signal === undefined) {
    const { abortSignal, newSignal } = feature('events')
    invocation.signal = newSignal()
    if (gone !== undefined) abortSignal(invocation.signal, gone.reason)
  }
  return invocation.signal
}

/** Called by the host: nobody wants the answer's body, or (`hasGone` 1) anything of this request. */
export function leave(hasGone: number, seat: number | undefined): void {
  const invocation = invocationAt(seat)
  if (invocation === undefined) return
  if (hasGone === 0) {
    stopSending(invocation, new DOMException('the body is not wanted', 'AbortError'))
    return
  }
  const reason = new DOMException('the client has gone', 'AbortError')
  invocation.gone = { reason }
  stopReceiving(invocation, reason)
  stopSending(invocation, reason)
  if (invocation.signal !== undefined) feature('events').abortSignal(invocation.signal, reason)
}
