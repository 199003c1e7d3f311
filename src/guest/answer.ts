import { host, toWire, words } from './bridge.ts'
import { feature } from './feature.ts'
import { CONTENT_TYPES, HEAD_KIND, OP, STATE as STATES, WORD } from './ops.ts'
import { stringIncludes } from './primordials.ts'
import { type Body, CONSUMED, consumedError, isContent, type LazyBody } from './web/body.ts'
import { CONTENT_TYPE, type FieldList, fieldBlock, type Headers, listOf, utf8Bytes } from './web/headers.ts'

// Read on every request: names of this module instead of properties of the tables.
const { STATE, STATUS, HEAD_KIND: KIND, HEAD_BYTES } = WORD
const { TEXT, BYTES, EMPTY, STREAM } = STATES
const { NONE, JSON: JSON_KIND, CUSTOM } = HEAD_KIND

export const KIND_BITS = 3
export const KIND_MASK = (1 << KIND_BITS) - 1

/** The parts of a response that differ from the usual. */
export interface Details {
  status: number
  statusText: string
  /** Or, until somebody touches them, their fields alone. */
  headers: Headers | undefined
  fields?: FieldList
  type: 'default' | 'error' | 'basic'
  /** Of a response that was fetched. */
  fetched?: { readonly url: string; readonly redirected: boolean }
}

/**
 * Status and Content-Type of a plain response as one number (status << 3 | HEAD_KIND), or Details. Most responses are
 * never looked at again by the handler, so no Headers object is made for them.
 */
export type Meta = number | Details

/** The field block of a BYTES or EMPTY answer until the host takes it. */
let head = ''

export function takeHead(): string {
  const block = head
  head = ''
  return block
}

/** Writes status, head kind and state for the host; returns the answer's value. See STATE in ops.ts. */
export function pack(body: Body, meta: Meta): string | ArrayBuffer | undefined {
  let block = ''
  if (typeof meta === 'number') {
    words[STATUS] = meta >> KIND_BITS
    words[KIND] = meta & KIND_MASK
    if ((meta & KIND_MASK) === JSON_KIND && typeof body === 'string') {
      // The usual answer. JSON text cannot hold a NUL, so there is nothing to look for.
      words[STATE] = TEXT
      return body
    }
  } else {
    block = packDetails(meta)
  }
  if (body === CONSUMED) throw consumedError()
  if (typeof body === 'string' && !stringIncludes(body, '\0')) {
    words[STATE] = TEXT
    return block === '' ? body : block + body
  }
  head = block
  if (!isContent(body)) return packLazy(body)
  if (body === undefined) {
    words[STATE] = EMPTY
    return undefined
  }
  return packContent(body)
}

/** A body that comes piece by piece: the host asks for it when it has the head. */
function packLazy(body: LazyBody): string | ArrayBuffer | undefined {
  const content = body.send()
  if (content !== undefined) return packContent(content)
  feature('async').dropUntaken()
  words[STATE] = STREAM
  return undefined
}

function packContent(content: string | ArrayBuffer): string | ArrayBuffer {
  words[STATE] = BYTES
  return typeof content === 'string' ? (host(OP.TEXT_ENCODE, toWire(content)) as ArrayBuffer) : content
}

function packDetails(details: Details): string {
  if (details.type === 'error') throw new TypeError('the handler returned Response.error()')
  words[STATUS] = details.status
  const { headers } = details
  const fields = headers === undefined ? details.fields! : listOf(headers)
  const kind = soleKind(fields)
  words[KIND] = kind < 0 ? CUSTOM : kind
  if (kind >= 0) return ''
  const block = fieldBlock(fields)
  words[HEAD_BYTES] = utf8Bytes(block)
  return block
}

const KINDS: Record<string, number | undefined> = { __proto__: null } as never
for (let kind = 0; kind < CONTENT_TYPES.length; kind++) KINDS[CONTENT_TYPES[kind]!] = kind

/** The HEAD_KIND of fields that are no more than one of its Content-Types, -1 for others. */
export function soleKind(fields: FieldList): number {
  if (fields.length === 2 && fields[0] === CONTENT_TYPE) return KINDS[fields[1]!] ?? -1
  return fields.length === 0 ? NONE : -1
}
