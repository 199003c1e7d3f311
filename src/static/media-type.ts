// Content types by the file's name.

import { lookup } from 'mrmime'

const UNKNOWN = 'application/octet-stream'
/** Text without a charset is whatever the client guesses. JSON and XML have rules of their own, and need none. */
const HAS_CHARSET = /^text\//
const COMPRESSIBLE =
  /^(?:text\/|application\/(?:json|javascript|xml|wasm|manifest\+json|ld\+json|rtf|toml|yaml|x-sh|vnd\.ms-fontobject)|font\/(?:ttf|otf|collection)|image\/(?:svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)|model\/|[^;]+\+(?:json|xml|text)$)/

/** Value of Content-Type. */
export function contentType(name: string): string {
  const type = lookup(name) ?? UNKNOWN
  return HAS_CHARSET.test(type) ? `${type}; charset=utf-8` : type
}

/** Whether a coding makes content of this type smaller; images, audio, video and archives are compressed already. */
export function isCompressible(type: string): boolean {
  return COMPRESSIBLE.test(type)
}
