import { host } from '../bridge.ts'
import { currentInvocation, type Invocation, invocationAt, isSeated } from '../invocation.ts'
import { OP } from '../ops.ts'
import { bufferLengthOf, promiseReject, promiseResolve } from '../primordials.ts'
import { type Deferred, defer, PulledBody } from './pulled-body.ts'

/** The body of a request that arrives while its handler runs. */
export interface Incoming {
  readonly invocation: Invocation
  /** What came with the head, until it is read. */
  first: ArrayBuffer | undefined
  isAtEnd: boolean
  failure: { readonly reason: unknown } | undefined
  waiting: Deferred<ArrayBuffer | undefined> | undefined
}

/** The body of the request that begins; of an earlier one nothing more will come. `first`: what came with the request's head. */
export function expectBody(first: ArrayBuffer | undefined): PulledBody {
  const invocation = currentInvocation()
  const body: Incoming = { invocation, first, isAtEnd: false, failure: undefined, waiting: undefined }
  invocation.incoming = body
  invocation.body = new PulledBody(
    () => pull(body),
    () => drop(body),
  )
  return invocation.body
}

/** The answer begins: a body that nobody has asked for is not going to be read. Whoever does so is told. */
export function dropUntaken(): void {
  const { incoming, body } = currentInvocation()
  if (incoming === undefined || body?.isTaken !== false) return
  drop(incoming)
  incoming.failure ??= {
    reason: new TypeError('the body was dropped: nobody had asked for it when the answer began'),
  }
}

/** Whether its request is still the one that the host knows by that seat. */
function isCurrent(body: Incoming): boolean {
  return body.invocation.incoming === body && isSeated(body.invocation)
}

function pull(body: Incoming): Promise<ArrayBuffer | undefined> {
  const { first } = body
  body.first = undefined
  if (body.failure !== undefined) return promiseReject(body.failure.reason) as Promise<undefined>
  if (first !== undefined) return promiseResolve(first) as Promise<ArrayBuffer>
  if (body.isAtEnd || !isCurrent(body)) return promiseResolve(undefined) as Promise<undefined>
  body.waiting = defer()
  host(OP.BODY_PULL, body.invocation.seat)
  return body.waiting.promise
}

function drop(body: Incoming): void {
  body.first = undefined
  if (body.isAtEnd || !isCurrent(body)) return
  body.isAtEnd = true
  host(OP.BODY_DROP, body.invocation.seat)
}

/** Called by the host: a piece that was asked for. `last` is 1 when nothing follows. */
export function push(piece: ArrayBuffer, last: number, seat: number | undefined): void {
  const body = invocationAt(seat)?.incoming
  if (body === undefined) return
  if (last === 1) body.isAtEnd = true
  const { waiting } = body
  body.waiting = undefined
  waiting?.resolve(bufferLengthOf(piece) > 0 ? piece : undefined)
}

/** The rest of the request's body will not come. */
export function stopReceiving({ incoming: body }: Invocation, reason: unknown): void {
  if (body === undefined || body.isAtEnd) return
  body.failure = { reason }
  body.waiting?.reject(reason)
  body.waiting = undefined
}
