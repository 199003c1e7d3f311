import { host, toWire } from '../bridge.ts'
import { OP } from '../ops.ts'
import { regExpTest, stringIndexOf, stringSlice, toUpperCase } from '../primordials.ts'
import {
  type Body,
  type BodyInit,
  type BodySource,
  bodyBuffer,
  bodyJson,
  bodyText,
  bodyType,
  CONSUMED,
  consumedError,
  extractBody,
} from './body.ts'
import { addContentType, Headers, type HeadersInit, ofHead } from './headers.ts'
import { IncomingBody } from './incoming.ts'
import { targetUrl } from './target-url.ts'
import { finishInterface, toDictionary } from './webidl.ts'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const FORBIDDEN_METHOD = /^(?:CONNECT|TRACE|TRACK)$/i
const NORMALIZED_METHOD = /^(?:DELETE|GET|HEAD|OPTIONS|POST|PUT)$/i

/** A body of its own, one that is still arriving, or none. */
type RequestSource = BodySource | IncomingBody
type RequestBody = Body | IncomingBody

export interface RequestInit {
  method?: string
  headers?: HeadersInit
  body?: BodyInit
}

/** What a request is, each part computed when first asked for. */
interface Parts {
  /** The head as received; '' for a request made by user code. */
  head: string
  secure: boolean
  method: string | undefined
  url: string | undefined
  headers: Headers | undefined
}

/** Marks of the constructions that only this realm's own code can ask for: by a raw head, or by parts. */
export const INCOMING = Symbol('incoming')
export const INCOMING_SECURE = Symbol('incoming over TLS')
const BY_PARTS = Symbol('by parts')

let takeBody: (request: Request) => RequestSource
let partsOf: (request: Request) => Parts
let isRequest: (value: unknown) => value is Request

/** Fetch, section 5.3 (Request class). An incoming one holds its raw head and parses what the handler looks at. */
export class Request {
  /** The raw head (over plain HTTP) until something of it is looked at. */
  #parts: string | Parts
  #body: RequestBody

  constructor(input: string | object, init?: RequestInit | RequestSource, internal?: unknown) {
    if (internal === INCOMING || internal === BY_PARTS) {
      this.#parts = input as string | Parts
      this.#body = init as RequestBody
      return
    }
    if (internal === INCOMING_SECURE) {
      this.#parts = unparsed(input as string, true)
      this.#body = init as RequestBody
      return
    }
    const options = toDictionary(init, 'the init of a Request')
    const source = isRequest(input) ? input : undefined
    const url = source === undefined ? parsedUrl(`${input}`) : source.url
    const method = options['method'] === undefined ? (source?.method ?? 'GET') : toMethod(options['method'])
    const headers = new Headers((options['headers'] ?? source?.headers) as HeadersInit)
    let body: RequestSource
    const content = options['body']
    if (content !== undefined && content !== null) {
      refuseBody(method)
      body = extractBody(content)
      const type = bodyType(content)
      if (type !== undefined) addContentType(headers, type)
    } else if (source !== undefined) {
      if (source.#body !== undefined) refuseBody(method)
      body = takeBody(source)
    }
    this.#parts = { head: '', secure: false, method, url, headers }
    this.#body = body
  }

  get method(): string {
    const parts = partsOf(this)
    return (parts.method ??= stringSlice(parts.head, 0, stringIndexOf(parts.head, ' ')))
  }

  get url(): string {
    const parts = partsOf(this)
    return (parts.url ??= targetUrl(parts.head, parts.secure))
  }

  get headers(): Headers {
    const parts = partsOf(this)
    return (parts.headers ??= ofHead(parts.head))
  }

  get bodyUsed(): boolean {
    return this.#body === CONSUMED
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const body = takeBody(this)
    return bodyBuffer(body instanceof IncomingBody ? await body.collect() : body)
  }

  async bytes(): Promise<Uint8Array> {
    const body = takeBody(this)
    return new Uint8Array(bodyBuffer(body instanceof IncomingBody ? await body.collect() : body))
  }

  async json(): Promise<unknown> {
    const body = takeBody(this)
    return bodyJson(body instanceof IncomingBody ? await body.collect() : body)
  }

  async text(): Promise<string> {
    const body = takeBody(this)
    return bodyText(body instanceof IncomingBody ? await body.collect() : body)
  }

  clone(): Request {
    if (this.#body === CONSUMED) throw consumedError()
    const parts = this.#parts
    const copy =
      typeof parts === 'string' || parts.head !== ''
        ? parts
        : { ...parts, headers: new Headers(parts.headers) }
    return new Request(copy, this.#body, BY_PARTS)
  }

  static {
    takeBody = (request) => {
      const body = request.#body
      if (body === CONSUMED) throw consumedError()
      if (body !== undefined) request.#body = CONSUMED
      return body
    }
    partsOf = (request) => {
      const parts = request.#parts
      return typeof parts === 'string' ? (request.#parts = unparsed(parts, false)) : parts
    }
    isRequest = (value): value is Request => typeof value === 'object' && value !== null && #body in value
  }
}
finishInterface(Request, 'Request')

function unparsed(head: string, secure: boolean): Parts {
  return { head, secure, method: undefined, url: undefined, headers: undefined }
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
