import { fromWire, host, toWire } from '../bridge.ts'
import { loadedFeature } from '../feature.ts'
import { OP } from '../ops.ts'
import { bufferLengthOf, bufferSlice, isView, jsonParse, stringSlice, toWellFormed } from '../primordials.ts'
import type { URLSearchParams } from './url-search-params.ts'

/** Stands in the place of a body that has been read. */
export const CONSUMED: unique symbol = Symbol('consumed')

/** A body: text, bytes of its own (never shared with user code), none, or one that was read. */
export type Body = string | ArrayBuffer | undefined | typeof CONSUMED
export type BodySource = Exclude<Body, typeof CONSUMED>
export type BodyInit = string | ArrayBuffer | ArrayBufferView | URLSearchParams | null | undefined

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
  if (typeof init === 'object' && (isView(init) || isArrayBuffer(init))) return copyBytes(init)
  return `${init}`
}

/** Fetch, "extract a body": the Content-Type of the same init, undefined for none. */
export function bodyType(init: unknown): string | undefined {
  if (typeof init === 'string') return TEXT_TYPE
  if (init === undefined || init === null) return undefined
  if (typeof init === 'object') {
    if (isView(init) || isArrayBuffer(init)) return undefined
    if (loadedFeature('url')?.isSearchParams(init)) return FORM_TYPE
  }
  return TEXT_TYPE
}

/** The body as text: UTF-8 decoded, its byte order mark dropped. */
export function bodyText(body: BodySource): string {
  if (body === undefined) return ''
  if (typeof body !== 'string') return fromWire(host(OP.TEXT_DECODE, body, 'utf-8', 0))
  const text = toWellFormed(body)
  return text[0] === '\uFEFF' ? stringSlice(text, 1) : text
}

export function bodyJson(body: BodySource): unknown {
  return jsonParse(bodyText(body))
}

/** The body's bytes in a buffer of the caller's. */
export function bodyBuffer(body: BodySource): ArrayBuffer {
  if (body === undefined) return new ArrayBuffer(0)
  if (typeof body === 'string') return host(OP.TEXT_ENCODE, toWire(body)) as ArrayBuffer
  return bufferSlice(body, 0)
}

export function consumedError(): TypeError {
  return new TypeError('the body has already been read')
}
