import type { ReadableStream } from 'web-streams-polyfill'
import { type Details, KIND_BITS, KIND_MASK, type Meta, pack, soleKind } from '../answer.ts'
import { host, toWire } from '../bridge.ts'
import { feature } from '../feature.ts'
import { CONTENT_TYPES, HEAD_KIND, OP } from '../ops.ts'
import { jsonStringify, stringSplit } from '../primordials.ts'
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
import {
  addContentType,
  CHECKED,
  CONTENT_TYPE,
  type FieldList,
  Headers,
  type HeadersInit,
  toFields,
} from './headers.ts'
import { finishInterface, matches, toByteString, toDictionary } from './webidl.ts'

const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/

export interface ResponseInit {
  status?: number
  statusText?: string
  headers?: HeadersInit
}

const OK_JSON = (200 << KIND_BITS) | HEAD_KIND.JSON
const OK_TEXT = (200 << KIND_BITS) | HEAD_KIND.TEXT
const OK_HTML = (200 << KIND_BITS) | HEAD_KIND.HTML

const INTERNAL = Symbol('internal')

let takeBody: (response: Response) => BodySource
let detailsOf: (response: Response) => Details
let packResponse: (response: object) => string | ArrayBuffer | undefined
let isResponse: (value: object) => boolean
/** A response that the host has brought. */
let fetchedResponse: (body: BodySource, details: Details) => Response

/** Fetch, section 5.4 (Response class), with `text` and `html` beside `json`. */
export class Response {
  #body: Body
  #meta: Meta

  constructor(init?: BodyInit, options?: ResponseInit | Meta, internal?: unknown) {
    if (internal === INTERNAL) {
      this.#body = init as BodySource
      this.#meta = options as Meta
    } else if (options === undefined && typeof init === 'string') {
      this.#body = init
      this.#meta = OK_TEXT
    } else {
      this.#body = extractBody(init)
      this.#meta = initialize(options, bodyType(init), this.#body !== undefined)
    }
  }

  static error(): Response {
    return new Response(undefined, detailsFor(0, [], '', 'error'), INTERNAL)
  }

  static html(html: string, init?: ResponseInit): Response {
    return create(`${html}`, OK_HTML, init)
  }

  static json(data: unknown, init?: ResponseInit): Response {
    const text = jsonStringify(data)
    if (text === undefined) throw new TypeError('the value has no JSON form')
    return init === undefined ? new Response(text, OK_JSON, INTERNAL) : create(text, OK_JSON, init)
  }

  static redirect(url: string, status = 302): Response {
    const parsed = host(OP.URL_PARSE, toWire(`${url}`), undefined) as string | undefined
    if (parsed === undefined) throw new TypeError(`${JSON.stringify(`${url}`)} is not a valid absolute URL`)
    if (![301, 302, 303, 307, 308].includes(status))
      throw new RangeError(`${status} is not a redirect status`)
    return new Response(undefined, detailsFor(status, ['location', stringSplit(parsed, '\n')[0]!]), INTERNAL)
  }

  static text(text: string, init?: ResponseInit): Response {
    return create(`${text}`, OK_TEXT, init)
  }

  get body(): ReadableStream | null {
    const streamed = toStreamed(this.#body)
    this.#body = streamed
    return streamed === undefined ? null : streamed.stream
  }

  get bodyUsed(): boolean {
    return isUsed(this.#body)
  }

  get headers(): Headers {
    const details = detailsOf(this)
    return (details.headers ??= new Headers(details.fields, CHECKED))
  }

  get ok(): boolean {
    const { status } = this
    return status >= 200 && status <= 299
  }

  get redirected(): boolean {
    const meta = this.#meta
    return typeof meta !== 'number' && meta.fetched?.redirected === true
  }

  get status(): number {
    const meta = this.#meta
    return typeof meta === 'number' ? meta >> KIND_BITS : meta.status
  }

  get statusText(): string {
    const meta = this.#meta
    return typeof meta === 'number' ? '' : meta.statusText
  }

  get type(): string {
    const meta = this.#meta
    return typeof meta === 'number' ? 'default' : meta.type
  }

  get url(): string {
    const meta = this.#meta
    return typeof meta === 'number' ? '' : (meta.fetched?.url ?? '')
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

  clone(): Response {
    const [own, other] = cloneBody(this.#body)
    this.#body = own
    const meta = this.#meta
    const copy = typeof meta === 'number' ? meta : { ...meta, headers: new Headers(this.headers) }
    return new Response(other as BodyInit, copy, INTERNAL)
  }

  static {
    isResponse = (value) => #body in value
    fetchedResponse = (body, details) => new Response(body as BodyInit, details, INTERNAL)
    takeBody = (response) => {
      const body = unread(response.#body)
      response.#body = afterReading(body)
      return body
    }
    detailsOf = (response) => {
      const meta = response.#meta
      return typeof meta === 'number' ? (response.#meta = toDetails(meta)) : meta
    }
    packResponse = (value) => {
      const response = value as Response
      return pack(response.#body, response.#meta)
    }
  }
}
finishInterface(Response, 'Response')

export { fetchedResponse, isResponse, packResponse }

function create(text: string, meta: number, init: ResponseInit | undefined): Response {
  if (init === undefined) return new Response(text, meta, INTERNAL)
  return new Response(text, initialize(init, CONTENT_TYPES[meta & KIND_MASK], true), INTERNAL)
}

/** Fetch, "initialize a response". */
function initialize(init: unknown, type: string | undefined, hasBody: boolean): Meta {
  const options = toDictionary(init, 'the init of a Response')
  const { status: givenStatus, statusText: givenText, headers } = options
  const status = givenStatus === undefined ? 200 : Number(givenStatus) & 0xffff
  if (status < 200 || status > 599) throw new RangeError(`the status must be 200 to 599, not ${givenStatus}`)
  let statusText = ''
  if (givenText !== undefined) {
    statusText = toByteString(givenText, 'the statusText')
    if (!matches(REASON_PHRASE, statusText)) throw new TypeError('the statusText is not a reason phrase')
  }
  if (hasBody && (status === 204 || status === 205 || status === 304)) {
    throw new TypeError(`a response with status ${status} cannot have a body`)
  }
  const fields = toFields(headers as HeadersInit)
  if (type !== undefined) addContentType(fields, type)
  const kind = statusText === '' ? soleKind(fields) : -1
  return kind < 0 ? detailsFor(status, fields, statusText) : (status << KIND_BITS) | kind
}

function detailsFor(
  status: number,
  fields: FieldList,
  statusText = '',
  type: Details['type'] = 'default',
): Details {
  return { status, statusText, headers: undefined, fields, type }
}

function toDetails(meta: number): Details {
  const kind = meta & KIND_MASK
  return detailsFor(meta >> KIND_BITS, kind === HEAD_KIND.NONE ? [] : [CONTENT_TYPE, CONTENT_TYPES[kind]!])
}
