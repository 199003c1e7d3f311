// fetch for functions: what may be asked, redirects, bodies both ways, and the end of all of it with the request it belongs to.

import type { Readable } from 'node:stream'
import type { HostValue } from '../../guest/host.ts'
import { ASYNC_OP, FETCH } from '../../guest/ops.ts'
import { type AsyncOp, CallError, type HostCall, type RequestScope } from '../call.ts'
import { chargeBytes, DECOMPRESS_NANOS } from '../compression/cost.ts'
import { RequestPieces, ResponseBody } from './body.ts'
import {
  Connections,
  type ConnectLimits,
  networkError,
  type Resolve,
  resolveBySystem,
  type Undici,
} from './connect.ts'
import { ACCEPT_ENCODING, decoded } from './decode.ts'
import { isRedirect, REDIRECTS_MAX, redirected } from './redirect.ts'
import { type OutgoingRequest, readRequest } from './request.ts'
import { AllowList } from './rules.ts'

/** What a function may do: `functions[].fetch`, and its limits. */
export interface FetchPolicy {
  readonly name: string
  readonly allow: readonly string[]
  readonly addresses: readonly string[]
  readonly subrequests: number
}

export interface FetchLimits extends ConnectLimits {
  readonly responseBytes: number
}

/** Statuses whose responses have no body (Fetch, "null body status"). */
const NULL_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304])
/** A body of which nobody wants anything: what is read of it so that its connection can be kept. */
const DISCARDED_BYTES_MAX = 16_384
/** Fields that are not true any more when the body has been decoded. */
const CODED_FIELDS: ReadonlySet<string> = new Set(['content-encoding', 'content-length'])

interface Exchange {
  readonly pieces: RequestPieces
  body: ResponseBody | undefined
}

/** What one request has under way. */
interface Requests {
  readonly exchanges: Map<number, Exchange>
  sent: number
}
const REQUESTS = Symbol('fetch')

interface Answer {
  readonly statusCode: number
  readonly statusText?: string
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Readable & { dump(options: { limit: number; signal: AbortSignal }): Promise<void> }
}

export class Fetcher {
  readonly #policies: readonly FetchPolicy[]
  readonly #limits: FetchLimits
  readonly #resolve: Resolve
  /** By function, made when first needed. */
  readonly #allowed = new Map<number, AllowList>()
  #connections: Promise<Connections> | undefined
  #opened: Connections | undefined

  /** `policies`: by the functions' indexes. */
  constructor(policies: readonly FetchPolicy[], limits: FetchLimits, resolve: Resolve = resolveBySystem) {
    this.#policies = policies
    this.#limits = limits
    this.#resolve = resolve
  }

  get openSockets(): number {
    return this.#opened?.openSockets ?? 0
  }

  async close(): Promise<void> {
    await this.#opened?.close()
  }

  get ops(): [what: number, op: AsyncOp][] {
    return [
      [ASYNC_OP.FETCH, (values, call) => this.#fetch(values, call)],
      [ASYNC_OP.FETCH_READ, async ([id], { scope }) => exchangeOf(scope, id).body?.read()],
      [ASYNC_OP.FETCH_WRITE, async ([id, piece], { scope }) => write(exchangeOf(scope, id), piece)],
      [ASYNC_OP.FETCH_CLOSE, async ([id], { scope }) => forget(scope, id)],
    ]
  }

  async #fetch([id, head, body, flags]: readonly HostValue[], call: HostCall): Promise<HostValue> {
    const { scope, signal } = call
    const requests = requestsOf(scope)
    if (typeof id !== 'number' || requests.exchanges.has(id))
      throw new CallError('TypeError', 'the request cannot be sent')
    const exchange: Exchange = { pieces: new RequestPieces(), body: undefined }
    requests.exchanges.set(id, exchange)
    const request = readRequest(
      typeof head === 'string' ? head : '',
      ((flags as number) & FETCH.PIECES) !== 0
        ? { kind: 'pieces', pieces: exchange.pieces }
        : body instanceof Uint8Array
          ? { kind: 'bytes', bytes: body }
          : { kind: 'none' },
    )
    try {
      return await this.#follow(request, exchange, requests, scope, signal)
    } catch (error) {
      close(exchange)
      if (signal.aborted) throw new CallError('AbortError', 'the request was aborted')
      throw networkError(error)
    }
  }

  async #follow(
    first: OutgoingRequest,
    exchange: Exchange,
    requests: Requests,
    scope: RequestScope,
    signal: AbortSignal,
  ): Promise<string> {
    let request = first
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#send(request, requests, scope, signal)
      const location = answer.headers['location']
      if (!isRedirect(answer.statusCode) || typeof location !== 'string' || request.redirect === 'manual')
        return this.#answer(answer, request, redirects > 0, exchange, scope)
      discard(answer.body, scope)
      const failed = (message: string) =>
        new CallError('TypeError', 'fetch failed', { code: 'RINGLET_FETCH_REDIRECT', message })
      if (request.redirect === 'error') throw failed('the response is a redirect')
      if (redirects === REDIRECTS_MAX) throw failed(`there are more than ${REDIRECTS_MAX} redirects`)
      request = redirected(request, answer.statusCode, location)
    }
  }

  async #send(
    { method, url, fields, body }: OutgoingRequest,
    requests: Requests,
    { functionIndex }: RequestScope,
    signal: AbortSignal,
  ): Promise<Answer> {
    const policy = this.#policies[functionIndex]!
    if (++requests.sent > policy.subrequests) {
      throw new CallError('TypeError', `more requests than limits.subrequests (${policy.subrequests}) allows`)
    }
    const allowed = this.#allowList(functionIndex, policy)
    if (!allowed.allows(url)) throw refused(url, policy)
    const connections = await this.#connect()
    signal.throwIfAborted()
    const listed = allowed.addressOf(url)
    const agent = connections.agent(listed === undefined ? policy.addresses : [...policy.addresses, listed])
    return agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: method as 'GET',
      headers: headersOf(fields),
      body: body.kind === 'bytes' ? body.bytes : body.kind === 'pieces' ? (body.pieces as never) : null,
      signal,
    }) as unknown as Promise<Answer>
  }

  /** The head as text, and the body kept for who reads it. */
  #answer(
    answer: Answer,
    { method, url }: OutgoingRequest,
    isRedirected: boolean,
    exchange: Exchange,
    scope: RequestScope,
  ): string {
    const { statusCode, statusText = '', headers } = answer
    const hasBody = method !== 'HEAD' && !NULL_BODY.has(statusCode)
    const plain = hasBody ? plainBody(answer, scope) : undefined
    if (hasBody) exchange.body = new ResponseBody(plain ?? answer.body, this.#limits.responseBytes)
    else discard(answer.body, scope)
    const lines = [statusCode, isRedirected ? 1 : 0, hasBody ? 1 : 0, url.href, oneLine(statusText)].map(
      String,
    )
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined || (plain !== undefined && CODED_FIELDS.has(name))) continue
      for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${oneLine(one)}`)
    }
    return lines.join('\n')
  }

  #allowList(functionIndex: number, { allow }: FetchPolicy): AllowList {
    let list = this.#allowed.get(functionIndex)
    if (list === undefined) {
      list = new AllowList(allow)
      this.#allowed.set(functionIndex, list)
    }
    return list
  }

  async #connect(): Promise<Connections> {
    this.#connections ??= import('undici').then(
      (undici: Undici) => (this.#opened = new Connections(undici, this.#limits, this.#resolve)),
    )
    return this.#connections
  }
}

function requestsOf(scope: RequestScope): Requests {
  return scope.state(REQUESTS, () => {
    const exchanges = new Map<number, Exchange>()
    // With the request all that it began ends, also what has been answered and is not read.
    scope.signal.addEventListener('abort', () => {
      for (const exchange of exchanges.values()) close(exchange)
    })
    return { exchanges, sent: 0 }
  })
}

function exchangeOf(scope: RequestScope, id: HostValue): Exchange {
  const exchange = requestsOf(scope).exchanges.get(id as number)
  if (exchange === undefined) throw new CallError('TypeError', 'there is no such request')
  return exchange
}

/** Neither side wants more of it. */
function forget(scope: RequestScope, id: HostValue): undefined {
  const exchange = exchangeOf(scope, id)
  requestsOf(scope).exchanges.delete(id as number)
  close(exchange)
}

async function write({ pieces }: Exchange, piece: HostValue): Promise<undefined> {
  await pieces.write(piece instanceof Uint8Array ? piece : undefined)
}

function close({ pieces, body }: Exchange): undefined {
  pieces.fail(new CallError('AbortError', 'the request was aborted'))
  body?.close()
}

/** The body decoded; undefined when it is to be taken as it is. @throws CallError for what is not decoded. */
function plainBody({ headers, body }: Answer, scope: RequestScope): Readable | undefined {
  const codings = headers['content-encoding'] ?? ''
  try {
    return decoded(body, String(codings), (bytes) => chargeBytes(scope, bytes, DECOMPRESS_NANOS))
  } catch (error) {
    body.on('error', () => {}).destroy()
    throw error
  }
}

/** A body that nobody reads. A short one is waited for, since its connection can be used again; no longer than the request lasts. */
function discard(body: Answer['body'], { signal }: RequestScope): void {
  body.on('error', () => {})
  if (signal.aborted) body.destroy()
  else body.dump({ limit: DISCARDED_BYTES_MAX, signal }).catch(() => {})
}

function refused({ protocol, host, origin }: URL, { name }: FetchPolicy): CallError {
  const entry = `${protocol}//${host}`
  const message =
    `function ${name} may not fetch ${origin}: functions[].fetch.allow has no entry for it, such as ` +
    JSON.stringify(entry)
  return new CallError('TypeError', message, { code: 'RINGLET_FETCH_NOT_ALLOWED', message })
}

function headersOf(fields: OutgoingRequest['fields']): string[] {
  const headers = fields.flat()
  const add = (name: string, value: string) => {
    if (!fields.some(([known]) => known === name)) headers.push(name, value)
  }
  add('accept', '*/*')
  add('accept-encoding', ACCEPT_ENCODING)
  add('user-agent', 'ringlet')
  return headers
}

const oneLine = (text: string): string => text.replace(/[\0\r\n]/g, ' ')
