// What is to be answered, before anything of it is written: a refusal, bytes from memory, or parts of a file.

import type { AnswerErrorCode } from '../errors.ts'
import type { FileIdentity, FileSegment } from '../file-record.ts'

const NOTHING = new Uint8Array(0)

/** A public error. */
export interface ErrorAnswer {
  readonly kind: 'error'
  readonly code: AnswerErrorCode
  /** Field lines that belong to it. */
  readonly fields: string
}

export interface BytesAnswer {
  readonly kind: 'bytes'
  readonly status: number
  /** Field lines, without Content-Length. */
  readonly fields: Uint8Array
  /** Content-Length, -1 for none. */
  readonly length: number
  /** The content is [start, end) of these. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

export interface FileAnswer {
  readonly kind: 'file'
  readonly status: number
  readonly fields: Uint8Array
  readonly length: number
  readonly path: string
  readonly identity: FileIdentity
  /** The content: parts of the file, and what stands between them. */
  readonly segments: readonly FileSegment[]
}

export type StaticAnswer = ErrorAnswer | BytesAnswer | FileAnswer

export const errorAnswer = (code: AnswerErrorCode, fields = ''): ErrorAnswer => ({
  kind: 'error',
  code,
  fields,
})

/** An answer without content; `length` is what a GET would have, or -1. */
export const emptyAnswer = (status: number, fields: Uint8Array, length = -1): BytesAnswer => ({
  kind: 'bytes',
  status,
  fields,
  length,
  bytes: NOTHING,
  start: 0,
  end: 0,
})

export const bytesAnswer = (
  status: number,
  fields: Uint8Array,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): BytesAnswer => ({ kind: 'bytes', status, fields, length: end - start, bytes, start, end })
