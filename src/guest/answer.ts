import { host, toWire, words } from './bridge.ts'
import { CONTENT_TYPES, HEAD_KIND, OP, STATE, WORD } from './ops.ts'
import { stringIncludes } from './primordials.ts'
import { type Body, CONSUMED, consumedError } from './web/body.ts'
import { fieldBlock, type Headers, soleContentType, utf8Bytes } from './web/headers.ts'

export const KIND_BITS = 3
export const KIND_MASK = (1 << KIND_BITS) - 1

/** The parts of a response that differ from the usual. */
export interface Details {
  status: number
  statusText: string
  headers: Headers
  type: 'default' | 'error'
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
    words[WORD.STATUS] = meta >> KIND_BITS
    words[WORD.HEAD_KIND] = meta & KIND_MASK
    if ((meta & KIND_MASK) === HEAD_KIND.JSON && typeof body === 'string') {
      // The usual answer. JSON text cannot hold a NUL, so there is nothing to look for.
      words[WORD.STATE] = STATE.TEXT
      return body
    }
  } else {
    block = packDetails(meta)
  }
  if (body === CONSUMED) throw consumedError()
  if (typeof body === 'string' && !stringIncludes(body, '\0')) {
    words[WORD.STATE] = STATE.TEXT
    return block === '' ? body : block + body
  }
  head = block
  if (body === null) {
    words[WORD.STATE] = STATE.EMPTY
    return undefined
  }
  words[WORD.STATE] = STATE.BYTES
  return typeof body === 'string' ? (host(OP.TEXT_ENCODE, toWire(body)) as ArrayBuffer) : body
}

function packDetails(details: Details): string {
  if (details.type === 'error') throw new TypeError('the handler returned Response.error()')
  words[WORD.STATUS] = details.status
  const type = soleContentType(details.headers)
  const kind = type === undefined ? -1 : CONTENT_TYPES.indexOf(type as '')
  words[WORD.HEAD_KIND] = kind < 0 ? HEAD_KIND.CUSTOM : kind
  if (kind >= 0) return ''
  const block = fieldBlock(details.headers)
  words[WORD.HEAD_BYTES] = utf8Bytes(block)
  return block
}
