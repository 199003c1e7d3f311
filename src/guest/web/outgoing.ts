import { host } from '../bridge.ts'
import { describeFailure } from '../describe.ts'
import { currentInvocation, type Invocation, invocationAt } from '../invocation.ts'
import { OP } from '../ops.ts'
import {
  bufferLengthOf,
  bufferSlice,
  promiseThen,
  viewBuffer,
  viewKind,
  viewLength,
  viewOffset,
} from '../primordials.ts'

/** What a reader gives; the value is of user code's making. */
export interface PieceResult {
  readonly value?: unknown
  readonly done?: boolean
}

/** Who gives the pieces of a streamed answer. Neither function asks user code for anything before it has to. */
export interface PieceSource {
  /** The next result. May throw. */
  readonly read: () => Promise<PieceResult>
  /** Nobody wants more. May throw. */
  readonly cancel: (reason: unknown) => Promise<unknown>
}

/** An answer that is being sent. */
export interface Outgoing {
  readonly seat: number
  /** Undefined when there is no more. */
  source: PieceSource | undefined
  /** Whether a piece has been asked for that has not come. */
  isReading: boolean
  /** Of a piece that was longer than allowed: what is left of it, from `at` on. */
  rest: ArrayBuffer | undefined
  at: number
  end: number
  /** Bytes that the next piece may have. */
  allowed: number
}

/** From now on the answer's body comes from `source`; the host asks for it by {@link flow}. */
export function beginSending(source: PieceSource): void {
  const invocation = currentInvocation()
  const { seat } = invocation
  invocation.outgoing = { seat, source, isReading: false, rest: undefined, at: 0, end: 0, allowed: 0 }
}

/** Called by the host: pieces of so many bytes may go out. */
export function flow(bytes: number, seat: number | undefined): void {
  const out = invocationAt(seat)?.outgoing
  if (out === undefined) return
  out.allowed = bytes
  if (out.source !== undefined) goOn(out)
}

/** Nobody takes the answer any more. */
export function stopSending({ outgoing: out }: Invocation, reason: unknown): void {
  const source = out?.source
  if (source === undefined) return
  const { cancel } = source
  out!.source = undefined
  out!.rest = undefined
  try {
    promiseThen(cancel(reason), ignore, ignore)
  } catch {
    // A stream that user code has broken has nobody to tell.
  }
}

function ignore(): void {}

/** Sends what may be sent, and asks for the next piece when that is all. */
function goOn(out: Outgoing): void {
  try {
    while (out.allowed > 0 && out.rest !== undefined) sendRest(out, out.rest)
    const { source } = out
    if (out.allowed <= 0 || out.isReading || source === undefined) return
    out.isReading = true
    const { read } = source
    promiseThen(
      read(),
      (result) => {
        if (out.source === source) took(out, result as PieceResult)
      },
      (reason) => {
        if (out.source === source) fail(out, reason)
      },
    )
  } catch (thrown) {
    fail(out, thrown)
  }
}

function took(out: Outgoing, { value, done }: PieceResult): void {
  out.isReading = false
  if (done === true) {
    out.source = undefined
    host(OP.SEND_END, undefined, out.seat)
    return
  }
  try {
    // Fetch, "incrementally read a body": anything else is an error of the stream.
    if (viewKind(value) !== 'Uint8Array') {
      throw new TypeError('a chunk of the response body is no Uint8Array')
    }
    const view = value as Uint8Array
    const length = viewLength(view)
    if (length > 0) {
      out.rest = viewBuffer(view) as ArrayBuffer
      out.at = viewOffset(view)
      out.end = out.at + length
    }
  } catch (thrown) {
    fail(out, thrown)
    return
  }
  goOn(out)
}

function sendRest(out: Outgoing, buffer: ArrayBuffer): void {
  const { at, end, allowed } = out
  const to = end - at <= allowed ? end : at + allowed
  const isWhole = at === 0 && to === bufferLengthOf(buffer)
  const piece = isWhole ? buffer : bufferSlice(buffer, at, to)
  // User code may have detached or cut the buffer since.
  if (!isWhole && bufferLengthOf(piece) !== to - at)
    throw new TypeError('a chunk was detached while it was sent')
  out.at = to
  if (to === end) out.rest = undefined
  out.allowed = host(OP.SEND, piece, out.seat) as number
}

function fail(out: Outgoing, reason: unknown): void {
  const { source } = out
  out.source = undefined
  out.rest = undefined
  out.isReading = false
  const failure = describeFailure(reason)
  try {
    if (source !== undefined) promiseThen(source.cancel(reason), ignore, ignore)
  } catch {
    // As above.
  }
  host(OP.SEND_END, failure, out.seat)
}
