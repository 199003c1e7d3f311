// Writing answers: head and body go once from the guest's memory into claimed ring space. What is larger than the
// client's send window waits in the session, outside of the guest, so that the runtime is free.

import { CONTENT_TYPES, HEAD_KIND } from '../guest/ops.ts'
import { asciiBytes } from '../http/chars.ts'
import { copyFields, ResponseFields } from '../http/copy-fields.ts'
import type { DateCache } from '../http/date.ts'
import { HTTP_ERRORS } from '../http/errors.ts'
import {
  beginHead,
  bodyAllowed,
  CHUNK_OVERHEAD_BYTES,
  CHUNKED,
  CONNECTION,
  endHead,
  HEAD_OVERHEAD_BYTES,
  LAST_CHUNK,
  lengthAllowed,
  NO_LENGTH,
  writeBytes,
  writeChunkSize,
  writeLineEnd,
} from '../http/response.ts'
import { RESPONSE } from '../protocol.ts'
import type { BytesAnswer } from '../static/answer.ts'
import type { Outbox } from './outbox.ts'
import type { Session } from './session.ts'

/** Largest piece of a body put into one record: the acceptor can write the first while the next is copied. */
const PIECE_BYTES = 65536
/** What a piece of a streamed answer needs beside its bytes, the last chunk included. */
const STREAM_OVERHEAD_BYTES = CHUNK_OVERHEAD_BYTES + LAST_CHUNK.length
/** A streamed answer waits until the client's window has room for so much, or for a quarter of the window if that is less. */
const ROOM_BYTES_MIN = 16_384
const EMPTY = new Uint8Array(0)

const CONTENT_TYPE_LINES = CONTENT_TYPES.map((type) =>
  type === '' ? EMPTY : asciiBytes(`content-type: ${type}\r\n`),
)

/** Where an answer's parts lie. One object, filled again for each. */
export interface AnswerParts {
  bytes: Uint8Array
  status: number
  headKind: number
  headStart: number
  headEnd: number
  bodyStart: number
  bodyEnd: number
}

/** How a streamed answer's body is framed. */
export interface StreamFraming {
  readonly hasBody: boolean
  readonly isChunked: boolean
  /** What is still to come, where the guest has said a length; else Infinity. */
  leftBytes: number
}

/** How the connection goes on after an answer. */
export interface Delivery {
  isHead: boolean
  close: boolean
  saysKeepAlive: boolean
}

/** What the answer says of its connection. */
export function connectionOf({ close, saysKeepAlive }: Delivery): number {
  return close ? CONNECTION.close : saysKeepAlive ? CONNECTION.keepAlive : CONNECTION.implicit
}

export class AnswerWriter {
  readonly #outbox: Outbox
  readonly #date: DateCache
  readonly #sendWindowBytes: number
  readonly #pieceBytes: number
  readonly #pieceBytesMin: number
  readonly #fields = new ResponseFields()

  constructor(outbox: Outbox, date: DateCache, sendWindowBytes: number) {
    this.#outbox = outbox
    this.#date = date
    this.#sendWindowBytes = sendWindowBytes
    this.#pieceBytes = Math.min(PIECE_BYTES, outbox.maxBytes)
    this.#pieceBytesMin = Math.min(ROOM_BYTES_MIN, sendWindowBytes >> 2)
  }

  /**
   * Writes a guest's answer. Returns 0, or an HTTP error code when its fields are not fit to be sent: then nothing is
   * written. The same, with `buffers-full`, when its client has not taken enough of earlier answers, and there is no room to
   * keep the rest. The delivery's `close` becomes true when the guest asked for it.
   */
  write(session: Session, parts: AnswerParts, delivery: Delivery): number {
    const outbox = this.#outbox
    const custom = parts.headKind === HEAD_KIND.CUSTOM
    const fieldBytes = custom ? parts.headEnd - parts.headStart : 0
    const typeLine = custom ? EMPTY : (CONTENT_TYPE_LINES[parts.headKind] ?? EMPTY)
    const length = parts.bodyEnd - parts.bodyStart
    const sent = bodyAllowed(parts.status, delivery.isHead) ? length : 0
    const headRoom = HEAD_OVERHEAD_BYTES + fieldBytes + typeLine.length
    const whole =
      sent <= this.#pieceBytes - headRoom && session.unsent + headRoom + sent <= this.#sendWindowBytes
    const keptBytes = session.unsent + headRoom + sent - this.#sendWindowBytes
    if (!whole && keptBytes > 0 && !session.out.reserve(Math.min(keptBytes, sent)))
      return HTTP_ERRORS.buffersFull
    const from = outbox.room(whole ? headRoom + sent : headRoom)
    let at = this.#beginHead(from, parts, typeLine, delivery)
    if (at < 0) {
      session.out.clear()
      return at
    }
    const told = this.#toldLength(parts.status, delivery.isHead, length, sent, custom)
    at = this.#endHead(at, told, delivery)
    if (whole && sent > 0) {
      outbox.bytes.set(parts.bytes.subarray(parts.bodyStart, parts.bodyEnd), at)
      at += sent
    }
    outbox.used(at)
    session.unsent += at - from
    if (!whole) this.#writeBody(session, parts.bytes, parts.bodyStart, parts.bodyStart + sent)
    return 0
  }

  /** Status line and fields; the position behind, or an HTTP error code when they are not fit to be sent: then nothing counts. */
  #beginHead(from: number, parts: AnswerParts, typeLine: Uint8Array, delivery: Delivery): number {
    const outbox = this.#outbox
    const at = beginHead(outbox.bytes, from, parts.status)
    if (parts.headKind !== HEAD_KIND.CUSTOM) {
      this.#fields.hasDate = false
      return writeBytes(outbox.bytes, at, typeLine)
    }
    const end = copyFields(parts.bytes, parts.headStart, parts.headEnd, outbox.bytes, at, this.#fields)
    if (end < 0) outbox.rewind(from)
    else if (this.#fields.close) delivery.close = true
    return end
  }

  #endHead(at: number, length: number, delivery: Delivery): number {
    return endHead(
      this.#outbox.bytes,
      at,
      length,
      connectionOf(delivery),
      this.#fields.hasDate ? null : this.#date.line,
    )
  }

  /**
   * Writes the head of an answer whose body follows piece by piece. Returns its framing, or an HTTP error code when its fields
   * are not fit to be sent. A client that knows no chunks gets all until the connection closes (RFC 9112, section 6.3).
   */
  writeStreamHead(
    session: Session,
    parts: AnswerParts,
    delivery: Delivery,
    allowsChunks: boolean,
  ): StreamFraming | number {
    const outbox = this.#outbox
    const custom = parts.headKind === HEAD_KIND.CUSTOM
    const typeLine = custom ? EMPTY : (CONTENT_TYPE_LINES[parts.headKind] ?? EMPTY)
    const from = outbox.room(HEAD_OVERHEAD_BYTES + parts.headEnd - parts.headStart + typeLine.length)
    let at = this.#beginHead(from, parts, typeLine, delivery)
    if (at < 0) return at
    const given = custom ? this.#fields.contentLength : NO_LENGTH
    const hasBody = bodyAllowed(parts.status, delivery.isHead)
    const isChunked = hasBody && given < 0 && allowsChunks
    if (hasBody && given < 0 && !allowsChunks) delivery.close = true
    const told = !lengthAllowed(parts.status) ? NO_LENGTH : isChunked ? CHUNKED : given
    at = this.#endHead(at, told, delivery)
    outbox.used(at)
    session.unsent += at - from
    return { hasBody, isChunked, leftBytes: given < 0 ? Number.POSITIVE_INFINITY : given }
  }

  /** Bytes that the next piece of a streamed answer may have, as far as the client's window allows; 0 for none yet. */
  pieceRoom(session: Session): number {
    const room = Math.min(this.#pieceBytes, this.#sendWindowBytes - session.unsent) - STREAM_OVERHEAD_BYTES
    return room >= this.#pieceBytesMin ? room : 0
  }

  /** Writes a piece that {@link pieceRoom} has allowed. */
  writePiece(session: Session, bytes: Uint8Array, from: number, to: number, isChunked: boolean): void {
    const outbox = this.#outbox
    const length = to - from
    const start = outbox.room(length + CHUNK_OVERHEAD_BYTES)
    let at = isChunked ? writeChunkSize(outbox.bytes, start, length) : start
    outbox.bytes.set(bytes.subarray(from, to), at)
    at += length
    if (isChunked) at = writeLineEnd(outbox.bytes, at)
    outbox.used(at)
    session.unsent += at - start
  }

  /** Writes the last chunk. */
  writeStreamEnd(session: Session): void {
    this.writeRaw(session, LAST_CHUNK)
  }

  /**
   * Content-Length. Where nothing is sent of what a GET would get (HEAD, 304), it is the length of that, as far as the
   * guest has said it (RFC 9110, section 8.6); everywhere else what is sent.
   */
  #toldLength(status: number, isHead: boolean, length: number, sent: number, custom: boolean): number {
    if (!lengthAllowed(status)) return NO_LENGTH
    if (status !== 304 && !isHead) return sent
    if (length > 0) return length
    return custom && this.#fields.contentLength >= 0 ? this.#fields.contentLength : NO_LENGTH
  }

  /** Writes bytes made on the host's side: an error's whole answer, a 100 (Continue). */
  writeRaw(session: Session, bytes: Uint8Array): void {
    const from = this.#outbox.room(bytes.length)
    this.#outbox.bytes.set(bytes, from)
    this.#outbox.used(from + bytes.length)
    session.unsent += bytes.length
  }

  /** Goes on with the rest of a large answer, as far as the client's window allows; true when nothing is left. */
  writeOn(session: Session): boolean {
    const { out } = session
    out.consumeTo(this.#writePieces(session, out.bytes, out.start, out.end))
    return out.length === 0
  }

  /** Of the present second. */
  get dateLine(): Uint8Array {
    return this.#date.line
  }

  /** As {@link write}, for fields that the host itself has made ready. */
  writePrepared(session: Session, answer: BytesAnswer, delivery: Delivery): number {
    const outbox = this.#outbox
    const { fields, bytes, start } = answer
    const sent = bodyAllowed(answer.status, delivery.isHead) ? answer.end - start : 0
    const headRoom = HEAD_OVERHEAD_BYTES + fields.length
    const keptBytes = session.unsent + headRoom + sent - this.#sendWindowBytes
    const whole = sent <= this.#pieceBytes - headRoom && keptBytes <= 0
    if (!whole && keptBytes > 0 && !session.out.reserve(Math.min(keptBytes, sent)))
      return HTTP_ERRORS.buffersFull
    const from = outbox.room(whole ? headRoom + sent : headRoom)
    let at = beginHead(outbox.bytes, from, answer.status)
    outbox.bytes.set(fields, at)
    at = endHead(outbox.bytes, at + fields.length, answer.length, connectionOf(delivery), this.#date.line)
    if (whole && sent > 0) {
      outbox.bytes.set(sent === bytes.length ? bytes : bytes.subarray(start, start + sent), at)
      at += sent
    }
    outbox.used(at)
    session.unsent += at - from
    if (!whole) this.#writeBody(session, bytes, start, start + sent)
    return 0
  }

  #writeBody(session: Session, bytes: Uint8Array, from: number, to: number): void {
    const written = this.#writePieces(session, bytes, from, to)
    // The room was reserved before the head was written.
    if (written < to) session.out.append(bytes, written, to)
    else session.out.clear()
  }

  #writePieces(session: Session, bytes: Uint8Array, from: number, to: number): number {
    const outbox = this.#outbox
    let at = from
    while (at < to) {
      const window = this.#sendWindowBytes - session.unsent
      if (window <= 0) break
      const length = Math.min(this.#pieceBytes, to - at, window)
      // The last piece stays open: whoever ends the answer says with it how the connection goes on.
      if (outbox.isOpen) {
        outbox.commit(RESPONSE.DATA)
        outbox.ring()
      }
      const room = outbox.room(length)
      outbox.bytes.set(bytes.subarray(at, at + length), room)
      outbox.used(room + length)
      session.unsent += length
      at += length
    }
    return at
  }
}
