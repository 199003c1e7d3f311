import { feature } from '../feature.ts'
import type { AbortSignal } from './abort.ts'
import { DOMException } from './dom-exception.ts'
import { stopReceiving } from './incoming.ts'
import { stopSending } from './outgoing.ts'

/** Of the request that is answered: aborted when its client has gone. Made when somebody asks for it. */
let signal: AbortSignal | undefined
let gone: { readonly reason: unknown } | undefined

export function departureSignal(): AbortSignal {
  if (signal === undefined) {
    const { abortSignal, newSignal } = feature('events')
    signal = newSignal()
    if (gone !== undefined) abortSignal(signal, gone.reason)
  }
  return signal
}

/** A request begins. */
export function forgetDeparture(): void {
  signal = undefined
  gone = undefined
}

/** Called by the host: nobody wants the answer's body, or (`hasGone` 1) anything of this request. */
export function leave(hasGone: number): void {
  if (hasGone === 0) {
    stopSending(new DOMException('the body is not wanted', 'AbortError'))
    return
  }
  const reason = new DOMException('the client has gone', 'AbortError')
  gone = { reason }
  stopReceiving(reason)
  stopSending(reason)
  if (signal !== undefined) feature('events').abortSignal(signal, reason)
}
