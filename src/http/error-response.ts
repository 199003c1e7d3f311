import { httpError } from './errors.ts'
import { reasonPhrase } from './status.ts'

export interface ErrorResponseOptions {
  /** Replaces the table's reason or the status' reason phrase in the JSON. */
  readonly message?: string
  /** Default true for an error code: after a refused message nobody knows where the next one starts. */
  readonly close?: boolean
  /** The request was HEAD: the content is left out, its length is not. */
  readonly isHead?: boolean
  readonly retryAfterS?: number
  /** Further field lines, each with its CRLF. */
  readonly fields?: string
}

const encoder = new TextEncoder()

/**
 * A complete answer for a refusal: status line, fields, and `{"error","status","message"}` as JSON.
 * `codeOrStatus` is one of `HTTP_ERRORS` or a status from 400 to 599, whose name is its reason phrase in
 * kebab-case. `dateLine` comes from `DateCache`.
 */
export function errorResponse(
  codeOrStatus: number,
  dateLine: Uint8Array,
  options: ErrorResponseOptions = {},
): Uint8Array {
  const info = codeOrStatus < 0 ? httpError(codeOrStatus) : infoOfStatus(codeOrStatus)
  return errorAnswer(info, dateLine, { close: codeOrStatus < 0, ...options })
}

/** As {@link errorResponse}, for a failure with a name of its own. It keeps the connection unless told otherwise. */
export function errorAnswer(
  info: { readonly name: string; readonly status: number; readonly reason: string },
  dateLine: Uint8Array,
  options: ErrorResponseOptions = {},
): Uint8Array {
  const content = encoder.encode(
    JSON.stringify({ error: info.name, status: info.status, message: options.message ?? info.reason }),
  )
  const close = options.close ?? false
  const head = encoder.encode(
    `HTTP/1.1 ${info.status} ${reasonPhrase(info.status)}\r\n` +
      'content-type: application/json\r\n' +
      `content-length: ${content.length}\r\n` +
      (options.retryAfterS === undefined ? '' : `retry-after: ${Math.ceil(options.retryAfterS)}\r\n`) +
      (options.fields ?? '') +
      (close ? 'connection: close\r\n' : ''),
  )
  const parts = [head, dateLine, encoder.encode('\r\n')]
  if (options.isHead !== true) parts.push(content)
  return concatenate(parts)
}

function infoOfStatus(status: number): { name: string; status: number; reason: string } {
  const reason = reasonPhrase(status)
  if (status < 400 || reason === '') throw new RangeError(`not an error status: ${status}`)
  return { name: reason.toLowerCase().replaceAll(' ', '-'), status, reason }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
