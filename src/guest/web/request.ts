import type { ReadableStream } from 'web-streams-polyfill'
import { host, toWire } from '../bridge.ts'
import { feature, loadedFeature } from '../feature.ts'
import { OP } from '../ops.ts'
import { jsonStringify, regExpTest, stringIndexOf, stringSlice, toUpperCase } from '../primordials.ts'
import type { AbortSignal } from './abort.ts'
import type { Blob } from './blob.ts'
import {
  afterReading,
  type Body,
  type BodyInit,
  type BodySource,
  bodyBuffer,
  bodyJson,
  bodyText,
  bodyType,
  cloneBody,
  extractBody,
  isContent,
  isUsed,
  toStreamed,
  unread,
} from './body.ts'
import type { FormData } from './form-data.ts'
import { addContentType, CHECKED, Headers, type HeadersInit, toFields } from './headers.ts'
import { targetUrl } from './target-url.ts'
import { finishInterface, toDictionary } from './webidl.ts'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const FORBIDDEN_METHOD = /^(?:CONNECT|TRACE|TRACK)$/i
const NORMALIZED_METHOD = /^(?:DELETE|GET|HEAD|OPTIONS|POST|PUT)$/i

export interface RequestInit {
  method?: string
  headers?: HeadersInit
  body?: BodyInit
  signal?: AbortSignal | null
  redirect?: Redirect
}

type Redirect = 'follow' | 'error' | 'manual'

/** What a request is, each part computed when first asked for. */
export interface Parts {
  /** The head as received; '' for a request made by user code. */
  head: string
  method: string | undefined
  url: string | undefined
  headers: Headers | undefined
  /** A Request stands for the signal that it has, until somebody asks. */
  signal: AbortSignal | Request | undefined
  redirect: Redirect
  /** Of an incoming one: the request that this is, where several share a runtime (invocation.ts). */
  invocation?: object
}

/** Marks of the constructions that only this realm's own code can ask for: by a raw head, or by parts. */
export const INCOMING = Symbol('incoming')
const BY_PARTS = Symbol('by parts')

let takeBody: (request: Request) => BodySource
let partsOf: (request: Request) => Parts
let isRequest: (value: unknown) => value is Request
/** Its signal, if anybody has asked for one. */
let knownSignal: (request: Request) => AbortSignal | undefined

/** Fetch, section 5.3 (Request class). An incoming one holds its raw head and parses what the handler looks at. */
export class Request {
  /** The raw head until something of it is looked at. */
  #parts: string | Parts
  #body: Body

  constructor(input: string | object, init?: RequestInit | BodySource, internal?: unknown) {
    if (internal === INCOMING || internal === BY_PARTS) {
      this.#parts = input as string | Parts
      this.#body = init as Body
      return
    }
    const options = toDictionary(init, 'the init of a Request')
    const source = isRequest(input) ? input : undefined
    const url = source === undefined ? parsedUrl(`${input}`) : source.url
    const method = options['method'] === undefined ? (source?.method ?? 'GET') : toMethod(options['method'])
    const signal = toSignal(options['signal'], source)
    const redirect = toRedirect(options['redirect'], source)
    loadedFeature('fetch')?.readMembers(this, options, source, method)
    const fields = toFields((options['headers'] ?? source?.headers) as HeadersInit)
    let body: BodySource
    const content = options['body']
    if (content !== undefined && content !== null) {
      refuseBody(method)
      body = extractBody(content)
      const type = bodyType(content)
      if (type !== undefined) addContentType(fields, type)
    } else if (source !== undefined) {
      if (source.#body !== undefined) refuseBody(method)
      body = takeBody(source)
    }
    this.#parts = {
      head: '',
      method,
      url,
      headers: new Headers(fields, CHECKED),
      signal,
      redirect,
    }
    this.#body = body
  }

  get method(): string {
    const parts = partsOf(this)
    return (parts.method ??= stringSlice(parts.head, 0, stringIndexOf(parts.head, ' ')))
  }

  get url(): string {
    const parts = partsOf(this)
    return (parts.url ??= targetUrl(parts.head))
  }

  get headers(): Headers {
    const parts = partsOf(this)
    return (parts.headers ??= new Headers(parts.head, CHECKED))
  }

  /** Of an incoming request as of any other: what a fetch of it would do. */
  get redirect(): Redirect {
    return partsOf(this).redirect
  }

  /** Of an incoming request: aborted when its client has gone. */
  get signal(): AbortSignal {
    const parts = partsOf(this)
    const { signal } = parts
    if (signal !== undefined && !isRequest(signal)) return signal
    const made =
      signal !== undefined
        ? feature('events').anySignal([signal.signal])
        : parts.head === ''
          ? feature('events').newSignal()
          : feature('async').departureSignal(parts)
    parts.signal = made
    return made
  }

  get body(): ReadableStream | null {
    const streamed = toStreamed(this.#body)
    this.#body = streamed
    return streamed === undefined ? null : streamed.stream
  }

  get bodyUsed(): boolean {
    return isUsed(this.#body)
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const body = takeBody(this)
    return bodyBuffer(isContent(body) ? body : await body.collect())
  }

  async blob(): Promise<Blob> {
    const type = this.headers.get('content-type')
    return feature('blob').toBlob(await this.arrayBuffer(), type)
  }

  async bytes(): Promise<Uint8Array> {
    const body = takeBody(this)
    return new Uint8Array(bodyBuffer(isContent(body) ? body : await body.collect()))
  }

  async formData(): Promise<FormData> {
    const type = this.headers.get('content-type')
    return feature('blob').parseForm(await this.arrayBuffer(), type)
  }

  async json(): Promise<unknown> {
    const body = takeBody(this)
    return bodyJson(isContent(body) ? body : await body.collect())
  }

  async text(): Promise<string> {
    const body = takeBody(this)
    return bodyText(isContent(body) ? body : await body.collect())
  }

  clone(): Request {
    const [own, other] = cloneBody(this.#body)
    this.#body = own
    const parts = this.#parts
    const copy =
      typeof parts === 'string' || parts.head !== ''
        ? parts
        : { ...parts, headers: new Headers(parts.headers) }
    const clone = new Request(copy, other as BodySource, BY_PARTS)
    loadedFeature('fetch')?.copyMembers(clone, this)
    return clone
  }

  static {
    takeBody = (request) => {
      const body = unread(request.#body)
      request.#body = afterReading(body)
      return body
    }
    partsOf = (request) => {
      const parts = request.#parts
      return typeof parts === 'string' ? (request.#parts = unparsed(parts)) : parts
    }
    knownSignal = (request) => {
      const { signal } = partsOf(request)
      return signal !== undefined && isRequest(signal) ? knownSignal(signal) : signal
    }
    isRequest = (value): value is Request => typeof value === 'object' && value !== null && #body in value
  }
}
finishInterface(Request, 'Request')

export { isRequest, knownSignal, takeBody }

function unparsed(head: string): Parts {
  return {
    head,
    method: undefined,
    url: undefined,
    headers: undefined,
    signal: undefined,
    redirect: 'follow',
  }
}

function toRedirect(given: unknown, source: Request | undefined): Redirect {
  if (given === undefined) return source?.redirect ?? 'follow'
  const mode = `${given}`
  if (mode === 'follow' || mode === 'error' || mode === 'manual') return mode
  throw new TypeError(`${jsonStringify(mode)} is no redirect mode`)
}

/** The signal of a request made by user code: it follows the one given, else that of the request it was made of. */
function toSignal(given: unknown, source: Request | undefined): AbortSignal | Request | undefined {
  if (given === undefined) return source
  if (given === null) return undefined
  const { anySignal, isAbortSignal } = feature('events')
  if (!isAbortSignal(given)) throw new TypeError('the signal of a Request must be an AbortSignal')
  return anySignal([given])
}

/** Fetch, "forbidden method" and "normalize". */
function toMethod(value: unknown): string {
  const method = `${value}`
  if (!regExpTest(TOKEN, method)) throw new TypeError(`${JSON.stringify(method)} is not a valid method`)
  if (regExpTest(FORBIDDEN_METHOD, method)) throw new TypeError(`the method ${method} is forbidden`)
  return regExpTest(NORMALIZED_METHOD, method) ? toUpperCase(method) : method
}

function refuseBody(method: string): void {
  if (method === 'GET' || method === 'HEAD') throw new TypeError(`a ${method} request cannot have a body`)
}

function parsedUrl(input: string): string {
  const parts = host(OP.URL_PARSE, toWire(input), undefined) as string | undefined
  if (parts === undefined) throw new TypeError(`${JSON.stringify(input)} is not a valid URL`)
  const [href, , , username, password] = parts.split('\n')
  if (username !== '' || password !== '') throw new TypeError('a request URL cannot hold credentials')
  return href!
}
