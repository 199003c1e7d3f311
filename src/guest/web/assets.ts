import { cancelCall, hostAsync, lastCallId } from '../async.ts'
import { feature } from '../feature.ts'
import { ASYNC_OP } from '../ops.ts'
import { bufferLengthOf, promiseThen, stringSlice } from '../primordials.ts'
import { isContent } from './body.ts'
import { CHECKED, fieldBlock, Headers, listOf } from './headers.ts'
import { Abort, bodyOf, ignore } from './host-body.ts'
import { isRequest, knownSignal, Request, takeBody } from './request.ts'
import { fetchedResponse, type Response } from './response.ts'

/** Characters of a status, and the place behind it and a space (see ASYNC_OP.ASSET). */
const STATUS_END = 3
const HAS_BODY = 4

let lastAsset = 0

/**
 * Asks the function's files, with the arguments of fetch. The URL's path and query count, its host does not. What the files
 * have to say is a Response, a 404 as well; it rejects for what is no request, and when the request's signal aborts.
 */
async function fetchAsset(input: unknown, init: unknown = undefined): Promise<Response> {
  // An incoming request is handed on as it is: to copy its headers would cost more than the file.
  const request = init === undefined && isRequest(input) ? input : new Request(input as string, init as never)
  const signal = knownSignal(request)
  signal?.throwIfAborted()
  const body = takeBody(request)
  if (!isContent(body)) promiseThen(body.source().cancel(undefined), ignore, ignore)
  const asset = ++lastAsset
  const answer = hostAsync(
    ASYNC_OP.ASSET,
    asset,
    request.method,
    request.url,
    fieldBlock(listOf(request.headers)),
  )
  const id = lastCallId()
  // Asked for at once, so that a short file comes with its head.
  const whole = hostAsync(ASYNC_OP.ASSET_CONTENT, asset) as Promise<ArrayBuffer | undefined>
  const wholeId = lastCallId()
  const abort = new Abort(ASYNC_OP.ASSET_CLOSE, asset, id)
  if (signal !== undefined) {
    feature('events').onAbort(signal, () => {
      cancelCall(wholeId, signal.reason)
      abort.run(signal)
    })
  }
  promiseThen(whole, ignore, ignore)
  const head = (await answer) as string
  const content = await whole
  const status = +stringSlice(head, 0, STATUS_END)
  const details = {
    status,
    statusText: '',
    headers: new Headers(head, CHECKED),
    type: 'basic' as const,
    fetched: { url: request.url, redirected: false },
  }
  if (head[HAS_BODY] === '1') return fetchedResponse(bodyOf(ASYNC_OP.ASSET_READ, asset, abort), details)
  abort.isOver = true
  return fetchedResponse(
    content === undefined || bufferLengthOf(content) === 0 ? undefined : content,
    details,
  )
}

/** The value of `env.ASSETS`. */
export const assets = { fetch: fetchAsset }
