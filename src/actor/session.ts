// A connection as its actor sees it: the bytes not yet consumed, where in a message it is, and what it owes the client.
// It turns bytes into requests; what becomes of a request is its sink's matter.

import { ChunkedDecoder, type ChunkedLimits } from '../http/chunked.ts'
import { HTTP_ERRORS } from '../http/errors.ts'
import { Framing, readFraming } from '../http/framing.ts'
import type { HeadParser } from '../http/parser.ts'
import { HEAD, METHOD } from '../http/table.ts'
import { ByteStore } from './bytes.ts'

/** Where a session is. */
export const AT = {
  /** Between messages, or within a head. */
  HEAD: 0,
  /** Within a body that is being gathered. */
  BODY: 1,
  /** A request is being answered: what comes meanwhile waits. */
  BUSY: 2,
  /** Nothing more is read from this client. */
  CLOSED: 3,
} as const

/** What a deadline of a session is for. */
export const DEADLINE = { NONE: 0, IDLE: 1, HEAD: 2, BODY: 3 } as const

/** How long a pipelining client's requests are answered before others have their turn. */
const SLICE_MS = 2

export interface SessionLimits {
  readonly chunked: ChunkedLimits
  readonly bodyBytes: number
  readonly sendWindowBytes: number
  readonly headMs: number
  readonly bodyMs: number
  readonly idleMs: number
}

/** Takes what sessions read. One for all sessions of a shard. */
export interface RequestSink {
  /** Index of the function that serves the path in [start, end), -1 for none. */
  route(bytes: Uint8Array, start: number, end: number): number
  /** One whole request; everything is to be read before this returns. Leaves the session HEAD, BUSY or CLOSED. */
  request(session: Session, head: RequestHead, body: RequestBody): void
  /** An HTTP error of the client's: it is to be answered, and the connection closed. */
  refuse(session: Session, error: number): void
  /** The client waits for permission to send its body. */
  sendContinue(session: Session): void
  /** Milliseconds of `performance.now` at which this record's turn began. */
  readonly nowMs: number
}

/** A request's head: its text, and what the server must know of it. One object a session. */
export interface RequestHead {
  bytes: Uint8Array
  start: number
  end: number
  functionIndex: number
  methodEnd: number
  targetStart: number
  targetEnd: number
  isHead: boolean
  keepAlive: boolean
  /** An HTTP/1.0 client is told that its connection is kept. */
  saysKeepAlive: boolean
}

/** A request's body; `bytes` null for none. */
export interface RequestBody {
  bytes: Uint8Array | null
  start: number
  end: number
}

/** The parser's scratch: no request outlives one call. */
export class ParserScratch {
  readonly parser: HeadParser
  readonly framing = new Framing()
  constructor(parser: HeadParser) {
    this.parser = parser
  }
}

export class Session {
  readonly slot: number
  readonly generation: number
  at: number = AT.HEAD
  /** Bytes received and not consumed. */
  readonly #rest = new ByteStore()
  /** Bytes of a head that a parser call has seen already. */
  #scanned = 0
  readonly #gathered = new ByteStore()
  #bodyLeft = 0
  #chunked: ChunkedDecoder | undefined
  readonly head: RequestHead = {
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    functionIndex: -1,
    methodEnd: 0,
    targetStart: 0,
    targetEnd: 0,
    isHead: false,
    keepAlive: true,
    saysKeepAlive: false,
  }
  readonly #body: RequestBody = { bytes: null, start: 0, end: 0 }
  readonly #limits: SessionLimits
  readonly #scratch: ParserScratch
  readonly #sink: RequestSink

  /** The client has sent its FIN: when all is answered, the connection closes. */
  ended = false
  /** Consumed bytes that the acceptor has not been told of. */
  unreported = 0
  /** Answer bytes that the acceptor has not given back. */
  unsent = 0
  /** The rest of an answer that was larger than the send window. */
  readonly out = new ByteStore()
  /** Whole requests may wait because the session had its share of the shard's time. */
  hasYielded = false
  /** It is in the shard's list of such sessions. */
  isQueued = false
  /** DATA records received, modulo the protocol's IDLE_COUNTS. */
  received = 0
  /** The acceptor has been told to close. */
  isClosedOut = false
  /** What becomes of the connection when the rest of a large answer is out. */
  closesAfterAnswer = false
  /** Requests begun on this connection. */
  requests = 0
  deadlineMs: number
  deadline: number = DEADLINE.IDLE

  constructor(
    slot: number,
    generation: number,
    limits: SessionLimits,
    scratch: ParserScratch,
    sink: RequestSink,
  ) {
    this.slot = slot
    this.generation = generation
    this.#limits = limits
    this.#scratch = scratch
    this.#sink = sink
    this.deadlineMs = sink.nowMs + limits.idleMs
  }

  /** Whether every request that has come is answered, and nothing of a next one has. */
  get isIdle(): boolean {
    return this.at === AT.HEAD && this.#rest.length === 0 && this.out.length === 0
  }

  /** Whether whole requests may wait for the client to take earlier answers. */
  get isBlocked(): boolean {
    return this.#rest.length > 0 && this.unsent >= this.#limits.sendWindowBytes
  }

  /** Bytes from the socket. What is no whole request is kept; the window bounds it. */
  receive(bytes: Uint8Array, from: number, to: number): void {
    if (this.at === AT.CLOSED) {
      this.unreported += to - from
      return
    }
    if (this.#rest.length > 0 || this.at === AT.BUSY) {
      this.#rest.append(bytes, from, to)
      this.resume()
      return
    }
    const consumed = this.#read(bytes, from, to)
    this.unreported += consumed - from
    if (consumed < to) this.#rest.append(bytes, consumed, to)
  }

  /** Goes on with what was kept, after an answer or a credit. */
  resume(): void {
    const rest = this.#rest
    if (this.at === AT.BUSY || rest.length === 0) return
    const from = rest.start
    const consumed = this.#read(rest.bytes, from, rest.end)
    // A refusal has dropped the rest, and counted it.
    if (rest.length === 0) return
    this.unreported += consumed - from
    rest.consumeTo(consumed)
  }

  /** The request that made the session BUSY is answered, and its connection goes on. */
  answered(): void {
    this.at = AT.HEAD
    this.#startWaiting()
  }

  /** Nothing more is read; what was kept is dropped. */
  close(): void {
    this.at = AT.CLOSED
    this.unreported += this.#rest.length
    this.#rest.clear()
    this.#gathered.clear()
    this.#chunked = undefined
    this.deadline = DEADLINE.NONE
    this.deadlineMs = Number.POSITIVE_INFINITY
  }

  /** Reads whole requests from [from, to); the position up to which it consumed. */
  #read(bytes: Uint8Array, from: number, to: number): number {
    let position = from
    const sliceEndMs = this.#sink.nowMs + SLICE_MS
    this.hasYielded = false
    while (position < to) {
      if (this.at === AT.HEAD) {
        if (position > from && performance.now() > sliceEndMs) {
          this.hasYielded = true
          break
        }
        if (this.unsent >= this.#limits.sendWindowBytes) break
        const next = this.#readHead(bytes, position, to)
        if (next === position) break
        position = next
      } else if (this.at === AT.BODY) {
        position =
          this.#chunked === undefined
            ? this.#readBody(bytes, position, to)
            : this.#readChunks(bytes, position, to)
      } else break
    }
    return this.at === AT.CLOSED ? to : position
  }

  /** One head, and its body if that is all there: the position behind, or `from` when the head is not complete. */
  #readHead(bytes: Uint8Array, from: number, to: number): number {
    const { parser, framing } = this.#scratch
    const length = parser.parse(bytes, from, to, this.#scanned)
    if (length <= 0) {
      if (length < 0) return this.#refuse(length, to)
      this.#scanned = to - from
      if (this.deadline !== DEADLINE.HEAD) this.#setDeadline(DEADLINE.HEAD, this.#limits.headMs)
      return from
    }
    this.#scanned = 0
    const error = readFraming(bytes, parser.table, framing)
    if (error !== 0) return this.#refuse(error, to)
    const headEnd = from + length
    this.requests++
    this.#describeHead(bytes, headEnd)
    const { contentLength, chunked } = framing
    if (!chunked && contentLength <= 0) {
      // "Content-Length: 0" is a body, though an empty one (RFC 9110 8.6): the guest cannot tell, nor need it.
      this.#dispatch(null, 0, 0)
      return headEnd
    }
    if (contentLength > this.#limits.bodyBytes) return this.#refuse(HTTP_ERRORS.bodyTooLarge, to)
    if (!chunked && to - headEnd >= contentLength) {
      this.#dispatch(bytes, headEnd, headEnd + contentLength)
      return headEnd + contentLength
    }
    this.#gather(bytes, headEnd === to && framing.expectContinue)
    return headEnd
  }

  #describeHead(bytes: Uint8Array, end: number): void {
    const { parser, framing } = this.#scratch
    const { words } = parser.table
    const { head } = this
    head.bytes = bytes
    head.start = words[HEAD.methodStart]!
    head.end = end
    head.methodEnd = words[HEAD.methodEnd]!
    head.targetStart = words[HEAD.targetStart]!
    head.targetEnd = words[HEAD.targetEnd]!
    head.isHead = words[HEAD.methodId] === METHOD.HEAD
    head.keepAlive = framing.keepAlive
    head.saysKeepAlive = framing.keepAlive && words[HEAD.versionMinor] === 0
    head.functionIndex = this.#sink.route(bytes, words[HEAD.pathStart]!, words[HEAD.queryStart]!)
  }

  /** The body is not all here: the head moves out of the ring, and the body is gathered. */
  #gather(bytes: Uint8Array, sendContinue: boolean): void {
    const { head } = this
    const { contentLength, chunked } = this.#scratch.framing
    const copy = bytes.slice(head.start, head.end)
    const moved = head.start
    head.bytes = copy
    head.start = 0
    head.end -= moved
    head.methodEnd -= moved
    head.targetStart -= moved
    head.targetEnd -= moved
    this.#bodyLeft = contentLength
    if (chunked) this.#chunked = new ChunkedDecoder(this.#limits.chunked)
    this.at = AT.BODY
    this.#setDeadline(DEADLINE.BODY, this.#limits.bodyMs)
    if (sendContinue) this.#sink.sendContinue(this)
  }

  #readBody(bytes: Uint8Array, from: number, to: number): number {
    const take = Math.min(this.#bodyLeft, to - from)
    this.#gathered.append(bytes, from, from + take)
    this.#bodyLeft -= take
    if (this.#bodyLeft === 0) this.#dispatchGathered()
    return from + take
  }

  #readChunks(bytes: Uint8Array, from: number, to: number): number {
    const decoder = this.#chunked!
    const gathered = this.#gathered
    gathered.reserve(to - from)
    const consumed = decoder.decode(bytes, from, to, gathered.bytes, gathered.end)
    if (consumed < 0) return this.#refuse(consumed, to)
    gathered.end += decoder.written
    if (decoder.done) this.#dispatchGathered()
    return from + consumed
  }

  #dispatchGathered(): void {
    const { bytes, start, end } = this.#gathered
    this.#chunked = undefined
    this.#dispatch(bytes, start, end)
    this.#gathered.clear()
  }

  #dispatch(bytes: Uint8Array | null, start: number, end: number): void {
    const body = this.#body
    body.bytes = bytes
    body.start = start
    body.end = end
    this.at = AT.BUSY
    this.deadline = DEADLINE.NONE
    this.deadlineMs = Number.POSITIVE_INFINITY
    this.#sink.request(this, this.head, body)
    body.bytes = null
  }

  /** After a refusal nobody knows where the next message starts: the rest is dropped, the connection closes. */
  #refuse(error: number, to: number): number {
    this.#sink.refuse(this, error)
    return to
  }

  #startWaiting(): void {
    this.#setDeadline(DEADLINE.IDLE, this.#limits.idleMs)
  }

  #setDeadline(kind: number, ms: number): void {
    this.deadline = kind
    this.deadlineMs = this.#sink.nowMs + ms
  }
}
