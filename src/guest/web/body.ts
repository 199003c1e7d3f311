import type { ReadableStream } from 'web-streams-polyfill'
import { fromWire, host, toWire } from '../bridge.ts'
import { feature, loadedFeature } from '../feature.ts'
import { OP } from '../ops.ts'
import {
  bufferLengthOf,
  bufferSlice,
  isEnumerable,
  isView,
  jsonParse,
  stringSlice,
  toWellFormed,
} from '../primordials.ts'
import type { Blob } from './blob.ts'
import type { FormData } from './form-data.ts'
import type { PieceSource } from './outgoing.ts'
import type { URLSearchParams } from './url-search-params.ts'

/** Stands in the place of a body that has been read. */
export const CONSUMED: unique symbol = Symbol('consumed')

/** Bytes that are there: text, a buffer of the body's own (never shared with user code), or none. */
export type Content = string | ArrayBuffer | undefined

/** Marks the lazy bodies. To ask a built-in whether something is a buffer costs 4 µs when it is none, the price of an exception. */
export const LAZY: unique symbol = Symbol('lazy')

/** A body that is not there whole: a class of the feature `async`, which is there when there is such a body. */
export interface LazyBody {
  readonly [LAZY]: true
  /** Whether somebody has read from it. */
  readonly isUsed: boolean
  /** Whether nobody has read from it, or is about to. */
  readonly isReadable: boolean
  /** All of it. The buffer is not given to user code. */
  collect(): Promise<ArrayBuffer>
  /** What stands in its place when somebody reads it. */
  afterReading(): Body
  clone(): [LazyBody, LazyBody]
  /** The same as a stream. @throws TypeError if somebody reads it. */
  toStreamed(): LazyBody & { readonly stream: ReadableStream }
  /** What reads it. @throws TypeError if somebody else does. */
  source(): PieceSource
  /** Has it sent piece by piece; or gives it, if it is there after all. @throws TypeError if somebody reads it. */
  send(): Content
}

/** A body: what is there, what is to come, or one that was read. */
export type Body = Content | LazyBody | typeof CONSUMED
export type BodySource = Exclude<Body, typeof CONSUMED>
export type BodyInit =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | URLSearchParams
  | ReadableStream
  | Blob
  | FormData
  | null
  | undefined

const TEXT_TYPE = 'text/plain;charset=UTF-8'
const FORM_TYPE = 'application/x-www-form-urlencoded;charset=UTF-8'

/** Whether `value` is an ArrayBuffer, of this realm or not, without trusting its prototype. */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    bufferLengthOf(value as ArrayBuffer)
    return true
  } catch {
    return false
  }
}

/** The bytes an ArrayBuffer or a view covers, as a buffer of their own. */
export function copyBytes(source: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  if (!isView(source)) return bufferSlice(source, 0)
  const { buffer, byteOffset, byteLength } = source
  return bufferSlice(buffer as ArrayBuffer, byteOffset, byteOffset + byteLength)
}

/** Fetch, "extract a body": the source. */
export function extractBody(init: unknown): BodySource {
  if (typeof init === 'string') return init
  if (init === undefined || init === null) return undefined
  if (typeof init === 'object') {
    if (isView(init)) return copyBytes(init)
    if (loadedFeature('streams')?.isReadableStream(init)) return feature('async').bodyOfStream(init)
    const blobs = loadedFeature('blob')
    if (blobs?.isBody(init)) return blobs.contentOf(init)
    // Last: see LAZY.
    if (isArrayBuffer(init)) return copyBytes(init)
  }
  return `${init}`
}

/** Whether somebody has read it: `bodyUsed`. */
export function isUsed(body: Body): boolean {
  return body === CONSUMED || (isLazy(body) && body.isUsed)
}

function isLazy(body: Body): body is LazyBody {
  return typeof body === 'object' && isEnumerable(body, LAZY)
}

/** Whether all of a body is there. */
export function isContent(body: BodySource): body is Content {
  return !isLazy(body)
}

/** A body for who is going to read it. @throws TypeError for one that was, or is being read. */
export function unread(body: Body): BodySource {
  if (body === CONSUMED || (isLazy(body) && !body.isReadable)) throw consumedError()
  return body
}

/** What stands in a body's place when somebody reads it. */
export function afterReading(body: BodySource): Body {
  if (body === undefined) return undefined
  return isLazy(body) ? body.afterReading() : CONSUMED
}

/** Fetch, "clone a body": what the owner has from now on, and the other. @throws TypeError for one that was, or is being read. */
export function cloneBody(body: Body): [BodySource, BodySource] {
  const source = unread(body)
  return isLazy(source) ? source.clone() : [source, source]
}

/** The body as one that has a stream; undefined for none. */
export function toStreamed(body: Body): ReturnType<LazyBody['toStreamed']> | undefined {
  if (body === undefined) return undefined
  if (body === CONSUMED) return feature('async').usedStream()
  return isLazy(body) ? body.toStreamed() : feature('async').streamOfContent(body)
}

/** Fetch, "extract a body": the Content-Type of the same init, undefined for none. */
export function bodyType(init: unknown): string | undefined {
  if (typeof init === 'string') return TEXT_TYPE
  if (init === undefined || init === null) return undefined
  if (typeof init === 'object') {
    if (isView(init) || loadedFeature('streams')?.isReadableStream(init)) return undefined
    if (loadedFeature('url')?.isSearchParams(init)) return FORM_TYPE
    const blobs = loadedFeature('blob')
    if (blobs?.isBody(init)) return blobs.typeOf(init)
    if (isArrayBuffer(init)) return undefined
  }
  return TEXT_TYPE
}

/** The body as text: UTF-8 decoded, its byte order mark dropped. */
export function bodyText(body: Content): string {
  if (body === undefined) return ''
  if (typeof body !== 'string') return fromWire(host(OP.TEXT_DECODE, body))
  const text = toWellFormed(body)
  return text[0] === '\uFEFF' ? stringSlice(text, 1) : text
}

export function bodyJson(body: Content): unknown {
  return jsonParse(bodyText(body))
}

/** The body's bytes in a buffer of the caller's. */
export function bodyBuffer(body: Content): ArrayBuffer {
  if (body === undefined) return new ArrayBuffer(0)
  if (typeof body === 'string') return host(OP.TEXT_ENCODE, toWire(body)) as ArrayBuffer
  return bufferSlice(body, 0)
}

export function consumedError(): TypeError {
  return new TypeError('the body has already been read')
}
