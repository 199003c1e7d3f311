import { host } from '../bridge.ts'
import { describeFailure } from '../describe.ts'
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

/** The source of the answer that is being sent. */
let source: PieceSource | undefined
/** Whether a piece has been asked for that has not come. */
let isReading = false
/** Of a piece that was longer than allowed: what is left of it, from `at` on. */
let rest: ArrayBuffer | undefined
let at = 0
let end = 0
/** Bytes that the next piece may have. */
let allowed = 0

/** From now on the answer's body comes from `from`; the host asks for it by {@link flow}. */
export function beginSending(from: PieceSource): void {
  source = from
  isReading = false
  rest = undefined
  allowed = 0
}

/** Called by the host: pieces of so many bytes may go out. */
export function flow(bytes: number): void {
  allowed = bytes
  if (source !== undefined) goOn()
}

/** Nobody takes the answer any more. */
export function stopSending(reason: unknown): void {
  if (source === undefined) return
  const { cancel } = source
  source = undefined
  rest = undefined
  try {
    promiseThen(cancel(reason), ignore, ignore)
  } catch {
    // A stream that user code has broken has nobody to tell.
  }
}

function ignore(): void {}

/** Sends what may be sent, and asks for the next piece when that is all. */
function goOn(): void {
  try {
    while (allowed > 0 && rest !== undefined) sendRest(rest)
    if (allowed <= 0 || isReading || source === undefined) return
    isReading = true
    const { read } = source
    const from = source
    promiseThen(
      read(),
      (result) => {
        if (source === from) took(result as PieceResult)
      },
      (reason) => {
        if (source === from) fail(reason)
      },
    )
  } catch (thrown) {
    fail(thrown)
  }
}

function took({ value, done }: PieceResult): void {
  isReading = false
  if (done === true) {
    source = undefined
    host(OP.SEND_END, undefined)
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
      rest = viewBuffer(view) as ArrayBuffer
      at = viewOffset(view)
      end = at + length
    }
  } catch (thrown) {
    fail(thrown)
    return
  }
  goOn()
}

function sendRest(buffer: ArrayBuffer): void {
  const to = end - at <= allowed ? end : at + allowed
  const isWhole = at === 0 && to === bufferLengthOf(buffer)
  const piece = isWhole ? buffer : bufferSlice(buffer, at, to)
  // User code may have detached or cut the buffer since.
  if (!isWhole && bufferLengthOf(piece) !== to - at)
    throw new TypeError('a chunk was detached while it was sent')
  at = to
  if (at === end) rest = undefined
  allowed = host(OP.SEND, piece) as number
}

function fail(reason: unknown): void {
  const from = source
  source = undefined
  rest = undefined
  isReading = false
  const failure = describeFailure(reason)
  try {
    if (from !== undefined) promiseThen(from.cancel(reason), ignore, ignore)
  } catch {
    // As above.
  }
  host(OP.SEND_END, failure)
}
