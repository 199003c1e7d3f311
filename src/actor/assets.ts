// env.ASSETS: what a function answers from its own folder of files. A site (src/static) answers as it does for a static route; here
// its answers become what a guest is given: a head, content that is short at once, the rest piece by piece as it is asked for.

import { ANSWER_ERRORS, type AnswerError } from '../errors.ts'
import type { HostValue } from '../guest/host.ts'
import { ASYNC_OP } from '../guest/ops.ts'
import { type AsyncOp, CallError, type HostCall, type RequestScope } from '../host/call.ts'
import {
  type BytesAnswer,
  bytesAnswer,
  errorAnswer,
  type FileAnswer,
  type StaticAnswer,
} from '../static/answer.ts'
import { type Entries, entriesOf } from '../static/entries.ts'
import { ContentPieces, FileChanged, PIECE_BYTES } from '../static/pieces.ts'
import type { StaticPlan } from '../static/plan.ts'
import { type StaticParts, type StaticRequest, StaticSite } from '../static/site.ts'

/** Files of one request that are open at once. */
const OPEN_MAX = 16
/** Of what a guest hands over: more than a client may send by default. */
const METHOD_CHARS_MAX = 32
const URL_CHARS_MAX = 65_536
const FIELDS_CHARS_MAX = 65_536

type Answer = BytesAnswer | FileAnswer
type RequestField =
  | 'range'
  | 'acceptEncoding'
  | 'ifMatch'
  | 'ifNoneMatch'
  | 'ifModifiedSince'
  | 'ifUnmodifiedSince'
  | 'ifRange'

const FIELDS: ReadonlyMap<string, RequestField> = new Map([
  ['range', 'range'],
  ['accept-encoding', 'acceptEncoding'],
  ['if-match', 'ifMatch'],
  ['if-none-match', 'ifNoneMatch'],
  ['if-modified-since', 'ifModifiedSince'],
  ['if-unmodified-since', 'ifUnmodifiedSince'],
  ['if-range', 'ifRange'],
])

/** What one request has asked for and not read to its end. */
interface Pending {
  /** Of the asset that was asked for last, until it is taken. */
  content: { readonly id: number; readonly bytes: Uint8Array } | undefined
  /** By asset; undefined while it is being opened. */
  readonly open: Map<number, ContentPieces | undefined>
  /** With the request all that it has open ends. */
  closeAtEnd(): void
}
const PENDING = Symbol('assets')

export class Assets {
  readonly #plans: readonly (StaticPlan | null)[]
  readonly #parts: StaticParts
  readonly #entries: Entries
  /** By function, made when first asked. */
  readonly #sites = new Map<number, StaticSite>()

  /** `plans`: by the functions' indexes, null for one without files. `entries`: for all of them together. */
  constructor(plans: readonly (StaticPlan | null)[], parts: StaticParts, entries: Entries) {
    this.#plans = plans
    this.#parts = parts
    this.#entries = entries
  }

  get ops(): [what: number, op: AsyncOp][] {
    return [
      [ASYNC_OP.ASSET, (values, call) => this.#ask(values, call)],
      [ASYNC_OP.ASSET_CONTENT, async ([id], { scope }) => takeContent(scope, id)],
      [ASYNC_OP.ASSET_READ, ([id], { scope }) => this.#read(scope, id)],
      [ASYNC_OP.ASSET_CLOSE, async ([id], { scope }) => close(scope, id)],
    ]
  }

  async #ask([id, method, url, fields]: readonly HostValue[], call: HostCall): Promise<string> {
    const { scope } = call
    const site = this.#site(scope.functionIndex)
    const request = requestOf(method, url, fields)
    const pending = pendingOf(scope)
    const { open } = pending
    if (typeof id !== 'number' || open.has(id) || scope.hasEnded)
      throw new CallError('TypeError', 'the file cannot be asked for')
    pending.content = undefined
    const answer = told(site.answer(request, performance.now()))
    if (request.method === 'HEAD' || answer.length <= 0) return headOf(answer, false)
    if (answer.kind === 'bytes' && answer.end - answer.start <= PIECE_BYTES) {
      pending.content = { id, bytes: answer.bytes.subarray(answer.start, answer.end) }
      return headOf(answer, false)
    }
    if (open.size >= OPEN_MAX)
      throw new CallError('RangeError', `more than ${OPEN_MAX} files are open and not read to their ends`)
    pending.closeAtEnd()
    open.set(id, undefined)
    const opened = await this.#open(answer, request)
    if (call.isGivenUp) {
      open.delete(id)
      opened.pieces.close()
    } else open.set(id, opened.pieces)
    return headOf(opened.answer, true)
  }

  /** In place of a file that is not to be had, or not the same any more, an answer that says so. */
  async #open(
    answer: Answer,
    { path }: StaticRequest,
  ): Promise<{ readonly answer: Answer; readonly pieces: ContentPieces }> {
    try {
      return { answer, pieces: await ContentPieces.open(answer) }
    } catch (error) {
      this.#parts.onTrouble(path, error)
      const refused = told(errorAnswer('file-unavailable'))
      return { answer: refused, pieces: await ContentPieces.open(refused) }
    }
  }

  async #read(scope: RequestScope, id: HostValue): Promise<Uint8Array | undefined> {
    const pieces = pendingOf(scope).open.get(id as number)
    if (pieces === undefined)
      throw new CallError('TypeError', 'the file belongs to another request, or has been read')
    try {
      const piece = await pieces.read()
      if (piece === undefined) close(scope, id)
      return piece
    } catch (error) {
      close(scope, id)
      const hasChanged = error instanceof FileChanged
      const reason = hasChanged
        ? { code: 'RINGLET_ASSET_CHANGED', message: 'it has changed since the response began' }
        : { code: 'RINGLET_ASSET_UNAVAILABLE', message: 'the system does not let it be read' }
      throw new CallError('TypeError', 'the rest of the file cannot be read', reason)
    }
  }

  #site(functionIndex: number): StaticSite {
    let site = this.#sites.get(functionIndex)
    if (site === undefined) {
      const plan = this.#plans[functionIndex]
      if (!plan) throw new CallError('TypeError', 'the function has no files')
      site = new StaticSite(plan, this.#parts, entriesOf(this.#entries, String(functionIndex)))
      this.#sites.set(functionIndex, site)
    }
    return site
  }
}

function pendingOf(scope: RequestScope): Pending {
  return scope.state(PENDING, () => {
    const open: Pending['open'] = new Map()
    let isWatching = false
    const closeAtEnd = () => {
      if (isWatching) return
      isWatching = true
      // What is being opened just now is closed when it is.
      scope.signal.addEventListener('abort', () => {
        for (const pieces of open.values()) pieces?.close()
      })
    }
    return { content: undefined, open, closeAtEnd }
  })
}

function takeContent(scope: RequestScope, id: HostValue): Uint8Array | undefined {
  const pending = pendingOf(scope)
  const { content } = pending
  pending.content = undefined
  return content !== undefined && content.id === id ? content.bytes : undefined
}

function close(scope: RequestScope, id: HostValue): undefined {
  const { open } = pendingOf(scope)
  const pieces = open.get(id as number)
  // One that is being opened was asked for by a call that nobody waits for any more: it ends there.
  if (pieces === undefined) return
  open.delete(id as number)
  pieces.close()
}

/** A guest's request, checked. */
function requestOf(method: HostValue, url: HostValue, fields: HostValue): StaticRequest {
  const isText = typeof method === 'string' && typeof url === 'string' && typeof fields === 'string'
  if (!isText || method.length > METHOD_CHARS_MAX) throw new CallError('TypeError', 'this is no request')
  if (url.length > URL_CHARS_MAX)
    throw new CallError('TypeError', `the URL is longer than ${URL_CHARS_MAX} characters`)
  if (fields.length > FIELDS_CHARS_MAX)
    throw new CallError('TypeError', `the headers are longer than ${FIELDS_CHARS_MAX} characters`)
  const parsed = webUrl(url)
  const request: Record<RequestField, string | null> = {
    range: null,
    acceptEncoding: null,
    ifMatch: null,
    ifNoneMatch: null,
    ifModifiedSince: null,
    ifUnmodifiedSince: null,
    ifRange: null,
  }
  for (const line of fields.split('\r\n')) {
    const colon = line.indexOf(':')
    const key = FIELDS.get(line.slice(0, colon))
    if (key === undefined) continue
    const value = line.slice(colon + 1).trim()
    // Lines of one name are one list (RFC 9110, section 5.3).
    request[key] = request[key] === null ? value : `${request[key]}, ${value}`
  }
  return { ...request, method, path: parsed.pathname, query: parsed.search }
}

function webUrl(text: string): URL {
  try {
    const url = new URL(text)
    if (url.protocol === 'http:' || url.protocol === 'https:') return url
  } catch {
    // Refused as what it is not.
  }
  throw new CallError('TypeError', 'files are asked for by http: and https: URLs only')
}

function headOf({ status, fields, length }: Answer, hasBody: boolean): string {
  const block = Buffer.from(fields.buffer, fields.byteOffset, fields.length).toString('latin1')
  const lengthLine = length < 0 ? '' : `content-length: ${length}\r\n`
  return `${status} ${hasBody ? 1 : 0}\r\n${block}${lengthLine}\r\n`
}

/** An error as a client of a static route would see it. */
function told(answer: StaticAnswer): Answer {
  if (answer.kind !== 'error') return answer
  const { status, message, retryAfterSeconds }: AnswerError = ANSWER_ERRORS[answer.code]
  const retryLine = retryAfterSeconds === undefined ? '' : `retry-after: ${retryAfterSeconds}\r\n`
  const fields = Buffer.from(`content-type: application/json\r\n${retryLine}${answer.fields}`, 'latin1')
  return bytesAnswer(status, fields, Buffer.from(JSON.stringify({ error: answer.code, status, message })))
}
