// Our parts put together as a shard's session does it: heads, framing, bodies, one message after the other.

import { ChunkedDecoder } from '../../../src/http/chunked.ts'
import { HTTP_ERRORS } from '../../../src/http/errors.ts'
import { Framing, readFraming } from '../../../src/http/framing.ts'
import { HEAD, HeadTable, parseHead } from '../../../src/http/head.ts'
import { outcome } from '../../http/support/codes.ts'
import type { Message, Reading } from './message.ts'

export const LIMITS = { headBytes: 8192, targetBytes: 4096, fields: 100, leadingEmptyLines: 3 }
export const BODY_BYTES_MAX = 100_000
export const CHUNKED_LIMITS = {
  bodyBytes: BODY_BYTES_MAX,
  extensionBytes: 8192,
  overheadBytes: 16_384,
  trailerBytes: 8192,
  trailerFields: 100,
}

export interface OurReading extends Reading {
  /** Where each message starts, and behind the last complete one: what was not understood starts there. */
  readonly starts: readonly number[]
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const table = new HeadTable(LIMITS.fields)
const framing = new Framing()
const decoder = new ChunkedDecoder(CHUNKED_LIMITS)

/** Reads `bytes[start, end)`: every message that begins there. */
export function readOurs(bytes: Buffer, start: number, end: number): OurReading {
  const messages: Mutable<Message>[] = []
  const starts = [0]
  let at = start
  const result = (refusal: number): OurReading => ({
    messages,
    refusal: refusal < 0 ? String(outcome(refusal)) : undefined,
    starts,
  })
  while (at < end) {
    const headBytes = parseHead(bytes, at, end, 0, table, LIMITS)
    if (headBytes <= 0) return result(headBytes)
    const error = readFraming(bytes, table, framing)
    if (error !== 0) return result(error)
    const message = messageOf(bytes)
    messages.push(message)
    const bodyEnd = readBody(bytes, at + headBytes, end, message)
    if (bodyEnd < 0) return result(bodyEnd)
    if (!message.isComplete) return result(0)
    at = bodyEnd
    starts.push(at - start)
    if (!message.keepAlive) return result(0)
  }
  return result(0)
}

function messageOf(bytes: Buffer): Mutable<Message> {
  const { words } = table
  return {
    method: bytes.toString('latin1', words[HEAD.methodStart], words[HEAD.methodEnd]),
    target: bytes.toString('latin1', words[HEAD.targetStart], words[HEAD.targetEnd]),
    minor: words[HEAD.versionMinor]!,
    fields: Array.from({ length: table.fieldCount }, (_, i) => [
      bytes.toString('latin1', table.nameStart(i), table.nameEnd(i)),
      bytes.toString('latin1', table.valueStart(i), table.valueEnd(i)),
    ]),
    keepAlive: framing.keepAlive,
    body: '',
    isComplete: false,
  }
}

/** Reads what there is of the body: its end, or an error. */
function readBody(bytes: Buffer, start: number, end: number, message: Mutable<Message>): number {
  const { contentLength, chunked } = framing
  if (chunked) {
    decoder.reset()
    const room = Buffer.alloc(end - start)
    const result = decoder.decode(bytes, start, end, room, 0)
    message.body = room.toString('latin1', 0, decoder.written)
    message.isComplete = decoder.done
    return result < 0 ? result : start + result
  }
  if (contentLength > BODY_BYTES_MAX) return HTTP_ERRORS.bodyTooLarge
  const stop = Math.min(end, start + Math.max(0, contentLength))
  message.body = bytes.toString('latin1', start, stop)
  message.isComplete = stop - start === Math.max(0, contentLength)
  return stop
}
