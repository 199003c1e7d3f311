import { cancelCall, hostAsync, lastCallId } from '../async.ts'
import { feature } from '../feature.ts'
import { ASYNC_OP, FETCH } from '../ops.ts'
import {
  bufferSlice,
  concat,
  promiseThen,
  stringIndexOf,
  stringSlice,
  stringSplit,
  viewBuffer,
  viewKind,
  viewLength,
  viewOffset,
} from '../primordials.ts'
import { bodyBuffer, isContent, type LazyBody } from './body.ts'
import { CHECKED, fieldBlock, Headers, listOf } from './headers.ts'
import { Abort, bodyOf, closeBody, ignore } from './host-body.ts'
import { knownSignal, Request, takeBody } from './request.ts'
import { membersOf } from './request-members.ts'
import { fetchedResponse, type Response } from './response.ts'

let lastExchange = 0

/** Fetch, section 5.6 (fetch method). The host sends, follows redirects and decodes; see src/host/fetch. */
export async function fetch(input: unknown, init: unknown = undefined): Promise<Response> {
  const request = new Request(input as string, init as never)
  const signal = knownSignal(request)
  signal?.throwIfAborted()
  const exchange = ++lastExchange
  const { cache, integrity } = membersOf(request)
  if (cache === 'only-if-cached') throw new TypeError('fetch failed: nothing is cached')
  const body = takeBody(request)
  const flags = isContent(body) ? 0 : FETCH.PIECES
  const content = isContent(body) && body !== undefined ? bodyBuffer(body) : undefined
  const answer = hostAsync(ASYNC_OP.FETCH, exchange, headOf(request, cache), content, flags)
  const id = lastCallId()
  const abort = new Abort(ASYNC_OP.FETCH_CLOSE, exchange, id)
  if (signal !== undefined) feature('events').onAbort(signal, () => abort.run(signal))
  if (!isContent(body)) void send(exchange, id, body)
  const head = (await answer) as string
  return responseOf(head, exchange, abort, integrity)
}

/** The request's head as the host takes it: see ASYNC_OP.FETCH. */
function headOf(request: Request, cache: string): string {
  const { headers } = request
  noteCache(headers, cache)
  const fields = stringSplit(fieldBlock(listOf(headers)), '\r\n')
  let head = concat(request.method, '\n', request.url, '\n', request.redirect)
  for (let i = 0; i < fields.length; i++) if (fields[i] !== '') head = concat(head, '\n', fields[i]!)
  return head
}

/** Fetch, "HTTP-network-or-cache fetch", steps 14 to 16: what caches on the way are told. The headers are those of fetch's own Request. */
function noteCache(headers: Headers, cache: string): void {
  const isPast = cache === 'no-store' || cache === 'reload'
  if (!isPast && cache !== 'no-cache') return
  if (isPast && !headers.has('pragma')) headers.set('pragma', 'no-cache')
  if (!headers.has('cache-control')) headers.set('cache-control', isPast ? 'no-cache' : 'max-age=0')
}

/** Hands a body over, each piece when the host has taken the one before. */
async function send(exchange: number, call: number, body: LazyBody): Promise<void> {
  const source = body.source()
  try {
    for (;;) {
      const { value, done } = await source.read()
      if (done === true) break
      const piece = bytesOf(value)
      await hostAsync(ASYNC_OP.FETCH_WRITE, exchange, piece)
    }
    await hostAsync(ASYNC_OP.FETCH_WRITE, exchange, undefined)
  } catch (reason) {
    // The request fails by that, if it has not ended already; the stream has nobody left to read it.
    cancelCall(call, reason)
    closeBody(ASYNC_OP.FETCH_CLOSE, exchange)
    promiseThen(source.cancel(reason), ignore, ignore)
  }
}

/** The bytes of a chunk. @throws TypeError for what is no Uint8Array. */
function bytesOf(chunk: unknown): ArrayBuffer {
  if (viewKind(chunk) !== 'Uint8Array') throw new TypeError('a chunk of the request body is no Uint8Array')
  const start = viewOffset(chunk)
  return bufferSlice(viewBuffer(chunk) as ArrayBuffer, start, start + viewLength(chunk))
}

/** Lines of the result before the fields. */
const FIRST_LINES = 5

/** With an integrity the body is waited for, since nothing of it may be seen before all of it is known to be right. */
async function responseOf(
  head: string,
  exchange: number,
  abort: Abort,
  integrity: string,
): Promise<Response> {
  const lines = stringSplit(head, '\n')
  const status = lines[0]!
  const redirected = lines[1]
  const hasBody = lines[2]
  const url = lines[3]!
  const statusText = lines[4]!
  let fields = 'HTTP\r\n'
  for (let i = FIRST_LINES; i < lines.length; i++) fields = concat(fields, lines[i]!, '\r\n')
  const headers: Headers = new Headers(concat(fields, '\r\n'), CHECKED)
  const fragment = stringIndexOf(url, '#')
  const details = {
    status: +status,
    statusText,
    headers,
    type: 'basic' as const,
    fetched: { url: fragment < 0 ? url : stringSlice(url, 0, fragment), redirected: redirected === '1' },
  }
  if (hasBody === '0') abort.isOver = true
  const body = hasBody === '0' ? undefined : bodyOf(ASYNC_OP.FETCH_READ, exchange, abort)
  if (integrity === '') return fetchedResponse(body, details)
  const bytes = (await body?.collect()) ?? new ArrayBuffer(0)
  feature('subtle').verifyIntegrity(bytes, integrity)
  return fetchedResponse(body === undefined ? undefined : bytes, details)
}
