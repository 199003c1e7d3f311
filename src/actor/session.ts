// A connection as its actor sees it: the bytes not yet consumed, where in a message it is, and what it owes the client.
// It turns bytes into requests; what becomes of a request is its sink's matter.

import type { ChunkedDecoder } from '../http/chunked.ts'
import { HTTP_ERRORS } from '../http/errors.ts'
import { readFraming } from '../http/framing.ts'
import { HEAD, METHOD } from '../http/table.ts'
import { ByteStore } from './bytes.ts'
import type { Exchange } from './exchange.ts'
import { BodyPieces } from './pieces.ts'
import type { BodyReader, RequestBody, RequestHead, RequestSink, SessionLimits } from './request.ts'
import type { ParserScratch } from './scratch.ts'

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
  /** A request runs, or has been answered, and its body is still arriving. */
  STREAM: 4,
  /** The connection is for another shard: what comes is handed on. */
  MOVED: 5,
} as const

/** What a deadline of a session is for. */
export const DEADLINE = { NONE: 0, IDLE: 1, HEAD: 2, BODY: 3 } as const

const NOTHING = new Uint8Array(0)
/** How long a pipelining client's requests are answered before others have their turn. */
const SLICE_MS = 2

export class Session {
  readonly slot: number
  readonly generation: number
  at: number = AT.HEAD
  /** Bytes received and not consumed. */
  readonly #rest: ByteStore
  /** Bytes of a head that a parser call has seen already. */
  #scanned = 0
  /** Head and body of a request that has not come whole. */
  readonly #gatheredHead: ByteStore
  readonly #gathered: ByteStore
  #bodyLeft = 0
  #chunked: ChunkedDecoder | undefined
  readonly head: RequestHead = {
    bytes: NOTHING,
    start: 0,
    end: 0,
    functionIndex: -1,
    methodEnd: 0,
    targetStart: 0,
    targetEnd: 0,
    isHead: false,
    keepAlive: true,
    saysKeepAlive: false,
    allowsChunks: true,
  }
  readonly #body: RequestBody = { bytes: null, start: 0, end: 0, streams: false }
  readonly #limits: SessionLimits
  readonly #scratch: ParserScratch
  readonly #sink: RequestSink

  /** Bodies that stream; undefined until there is the first. */
  #pieces: BodyPieces | undefined
  /** Who takes the body of an unanswered request that runs; undefined while it waits for a runtime, and after its answer. */
  reader: BodyReader | undefined
  /** Who sends an answer whose body comes piece by piece. */
  writer: Exchange | undefined
  /** What is left of the body is read and dropped: the request needs it no more. */
  #dropsBody = false
  /** The answer was complete before the body. */
  #isAnswered = false
  /** The client waits for 100 (Continue) before it sends a body that nobody has asked for yet. */
  owesContinue = false

  /** The client has sent its FIN: when all is answered, the connection closes. */
  ended = false
  /** Where it moves to, when it is MOVED; one of `LANE`. */
  lane = 0
  /** It has come from another shard, and this is its first request here. */
  isMoved = false
  /** Consumed bytes that the acceptor has not been told of. */
  unreported = 0
  /** Answer bytes that the acceptor has not given back. */
  unsent = 0
  /** The rest of an answer that was larger than the send window. */
  readonly out: ByteStore
  /** Whole requests may wait because the session had its share of the shard's time. */
  hasYielded = false
  /** It is in the shard's list of such sessions. */
  isQueued = false
  /** DATA records received, modulo the protocol's IDLE_COUNTS. */
  received = 0
  /** The acceptor was last told that more is to come. */
  saidMore = false
  /** The acceptor has been told to close. */
  isClosedOut = false
  /** What becomes of the connection when the rest of a large answer is out. */
  closesAfterAnswer = false
  /** The acceptor sends it a file: until the end of that nothing else may be written. */
  sendsFile = false
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
    const { buffers } = sink
    this.#rest = new ByteStore(buffers)
    this.#gatheredHead = new ByteStore(buffers)
    this.#gathered = new ByteStore(buffers)
    this.out = new ByteStore(buffers)
    this.deadlineMs = sink.nowMs + limits.idleMs
  }

  /** Whether every request that has come is answered, and nothing of a next one has. */
  get isIdle(): boolean {
    return this.at === AT.HEAD && this.#rest.length === 0 && this.out.length === 0
  }

  /** Whether a request has been given to the sink and its answer is not complete, or its body not at its end. */
  get isServing(): boolean {
    return this.at === AT.BUSY || this.at === AT.STREAM
  }

  /** Whether the client left in the middle of a message. */
  get isCutShort(): boolean {
    return this.ended && this.at === AT.STREAM && this.#rest.length === 0
  }

  /** Whether the request has its answer and only the rest of its body is awaited. */
  get isDropping(): boolean {
    return this.at === AT.STREAM && this.#dropsBody
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
    if (this.#rest.length > 0 || this.at === AT.BUSY || this.at === AT.MOVED) {
      if (this.#keep(bytes, from, to)) this.resume()
      return
    }
    const consumed = this.#read(bytes, from, to)
    this.unreported += consumed - from
    if (consumed < to) this.#keep(bytes, consumed, to)
  }

  /** Keeps bytes for later; false when the shard's buffers are full: then this client is the one that goes. */
  #keep(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#rest.append(bytes, from, to)) return true
    this.unreported += to - from
    this.#sink.refuse(this, HTTP_ERRORS.buffersFull)
    return false
  }

  /** Goes on with what was kept, after an answer or a credit. */
  resume(): void {
    const rest = this.#rest
    if (this.at === AT.BUSY || this.at === AT.MOVED || rest.length === 0) return
    const from = rest.start
    const consumed = this.#read(rest.bytes, from, rest.end)
    // A refusal has dropped the rest, and counted it.
    if (rest.length === 0) return
    this.unreported += consumed - from
    rest.consumeTo(consumed)
  }

  /** Gives away what has come for a connection that moves. */
  handOn(take: (bytes: Uint8Array, from: number, to: number) => void): void {
    const rest = this.#rest
    take(rest.bytes, rest.start, rest.end)
    rest.clear()
  }

  /** The request is answered, and its connection goes on: with what is left of its body, if anything. */
  answered(): void {
    this.dropBody()
    if (this.at === AT.STREAM) {
      this.#isAnswered = true
      return
    }
    this.at = AT.HEAD
    this.#startWaiting()
  }

  /** The request needs no more of its body. */
  dropBody(): void {
    this.reader = undefined
    this.#dropsBody = true
    this.#pieces?.clear()
  }

  /** Nothing more is read; what was kept is dropped. */
  close(): void {
    this.at = AT.CLOSED
    this.unreported += this.#rest.length
    this.#rest.clear()
    this.#gatheredHead.clear()
    this.#gathered.clear()
    this.#chunked = undefined
    this.reader = undefined
    this.#pieces?.clear()
    this.#clearDeadline()
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
      } else if (this.at === AT.STREAM && (this.#dropsBody || this.reader?.wantsBody === true)) {
        position =
          this.#chunked === undefined
            ? this.#streamBody(bytes, position, to)
            : this.#streamChunks(bytes, position, to)
      } else break
    }
    return this.at === AT.CLOSED ? to : position
  }

  /** One head, and its body if that is all there: the position behind, or `from` when the head is not complete. */
  #readHead(bytes: Uint8Array, from: number, to: number): number {
    const { parser, framing } = this.#scratch
    const length = parser.parse(bytes, from, to, this.#scanned)
    // A refusal of HEAD has no content either (RFC 9110 9.3.2), as far as the method is known.
    this.head.isHead = length > 0 && parser.table.words[HEAD.methodId] === METHOD.HEAD
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
    this.#describeHead(bytes, headEnd)
    const lane = this.#sink.laneFor(this, this.head.functionIndex)
    if (lane >= 0) return this.#move(lane, from)
    this.isMoved = false
    this.requests++
    const { contentLength, chunked } = framing
    if (!chunked && contentLength <= 0) {
      // "Content-Length: 0" is a body, though an empty one (RFC 9110 8.6): the guest cannot tell, nor need it.
      this.#dispatch(null, 0, 0)
      return headEnd
    }
    if (contentLength > this.#limits.bodyBytes) return this.#refuse(HTTP_ERRORS.bodyTooLarge, to)
    if (chunked) return this.#beginChunks(bytes, headEnd, to)
    if (to - headEnd >= contentLength) {
      this.#dispatch(bytes, headEnd, headEnd + contentLength)
      return headEnd + contentLength
    }
    this.#bodyLeft = contentLength
    this.#setDeadline(DEADLINE.BODY, this.#limits.bodyMs)
    if (contentLength > this.#limits.inlineBodyBytes) {
      this.#bodyLeft -= to - headEnd
      this.#dispatchStream(bytes, headEnd, to, headEnd === to && framing.expectContinue)
      return to
    }
    return this.#gather(bytes, headEnd === to && framing.expectContinue)
      ? headEnd
      : this.#refuse(HTTP_ERRORS.buffersFull, to)
  }

  /** Nothing of the request is consumed: another shard reads it from its first byte. */
  #move(lane: number, from: number): number {
    this.at = AT.MOVED
    this.lane = lane
    this.#clearDeadline()
    return from
  }

  /** A chunked body is decoded where it lies, and handed on in place if it is all there. */
  #beginChunks(bytes: Uint8Array, from: number, to: number): number {
    const { inlineBodyBytes, bodyMs } = this.#limits
    const decoder = this.#scratch.takeDecoder()
    const consumed = decoder.decode(bytes, from, to, bytes, from)
    if (consumed < 0) return this.#refuse(consumed, to)
    const { written } = decoder
    if (decoder.done) {
      this.#scratch.giveDecoder(decoder)
      this.#dispatch(bytes, from, from + written)
      return from + consumed
    }
    this.#chunked = decoder
    this.#setDeadline(DEADLINE.BODY, bodyMs)
    const waits = from === to && this.#scratch.framing.expectContinue
    // Where no body is awaited, neither is its first byte: its handler may be the one to speak first.
    if (written > inlineBodyBytes || inlineBodyBytes === 0) {
      this.#dispatchStream(bytes, from, from + written, waits)
    } else if (!this.#gather(bytes, waits) || !this.#gathered.append(bytes, from, from + written)) {
      return this.#refuse(HTTP_ERRORS.buffersFull, to)
    }
    return from + consumed
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
    head.keepAlive = framing.keepAlive
    head.allowsChunks = words[HEAD.versionMinor]! > 0
    head.saysKeepAlive = framing.keepAlive && words[HEAD.versionMinor] === 0
    head.functionIndex = this.#sink.route(bytes, words[HEAD.pathStart]!, words[HEAD.queryStart]!)
  }

  /** The body is not all here: the head moves out of the ring, and the body is gathered. False when there is no room for that. */
  #gather(bytes: Uint8Array, sendContinue: boolean): boolean {
    const { head } = this
    const copy = this.#gatheredHead
    if (!copy.append(bytes, head.start, head.end)) return false
    const moved = head.start
    head.bytes = copy.bytes
    head.start = 0
    head.end -= moved
    head.methodEnd -= moved
    head.targetStart -= moved
    head.targetEnd -= moved
    this.at = AT.BODY
    if (sendContinue) this.#sink.sendContinue(this)
    return true
  }

  #readBody(bytes: Uint8Array, from: number, to: number): number {
    const take = Math.min(this.#bodyLeft, to - from)
    if (!this.#gathered.append(bytes, from, from + take)) return this.#refuse(HTTP_ERRORS.buffersFull, to)
    this.#bodyLeft -= take
    if (this.#bodyLeft === 0) this.#dispatchGathered()
    return from + take
  }

  #readChunks(bytes: Uint8Array, from: number, to: number): number {
    const decoder = this.#chunked!
    const gathered = this.#gathered
    if (!gathered.reserve(to - from)) return this.#refuse(HTTP_ERRORS.buffersFull, to)
    const consumed = decoder.decode(bytes, from, to, gathered.bytes, gathered.end)
    if (consumed < 0) return this.#refuse(consumed, to)
    gathered.end += decoder.written
    if (decoder.done) this.#dispatchGathered()
    else if (gathered.length > this.#limits.inlineBodyBytes) {
      const { bytes: first, start, end } = gathered
      this.#dispatchStream(first, start, end, false)
      this.#gatheredHead.clear()
      gathered.clear()
    }
    return from + consumed
  }

  #streamBody(bytes: Uint8Array, from: number, to: number): number {
    const take = Math.min(this.#bodyLeft, to - from)
    this.#bodyLeft -= take
    const isTaken = this.#handOn(bytes, from, from + take, this.#bodyLeft === 0)
    return isTaken ? from + take : this.#refuse(HTTP_ERRORS.buffersFull, to)
  }

  #streamChunks(bytes: Uint8Array, from: number, to: number): number {
    const decoder = this.#chunked!
    const consumed = decoder.decode(bytes, from, to, bytes, from)
    if (consumed < 0) return this.#refuse(consumed, to)
    const { written, done } = decoder
    if ((written > 0 || done) && !this.#handOn(bytes, from, from + written, done))
      return this.#refuse(HTTP_ERRORS.buffersFull, to)
    return from + consumed
  }

  /** A piece of a streamed body, to whoever takes it; false when there is no room to gather it. */
  #handOn(bytes: Uint8Array, from: number, to: number, isLast: boolean): boolean {
    const { reader } = this
    if (isLast) this.#endStream()
    return reader === undefined || this.#pieces!.take(reader, bytes, from, to, isLast)
  }

  #endStream(): void {
    if (this.#chunked !== undefined) this.#scratch.giveDecoder(this.#chunked)
    this.#chunked = undefined
    this.reader = undefined
    if (this.#isAnswered) {
      this.at = AT.HEAD
      this.#startWaiting()
      return
    }
    this.at = AT.BUSY
    this.#clearDeadline()
  }

  #dispatchGathered(): void {
    const { bytes, start, end } = this.#gathered
    if (this.#chunked !== undefined) this.#scratch.giveDecoder(this.#chunked)
    this.#chunked = undefined
    this.#dispatch(bytes, start, end)
    this.#gatheredHead.clear()
    this.#gathered.clear()
  }

  /** A request with its whole body. */
  #dispatch(bytes: Uint8Array | null, start: number, end: number): void {
    this.at = AT.BUSY
    this.#clearDeadline()
    this.#handOver(bytes, start, end, false)
  }

  /** A request with the beginning of its body. */
  #dispatchStream(bytes: Uint8Array, start: number, end: number, owesContinue: boolean): void {
    this.at = AT.STREAM
    this.#dropsBody = this.#isAnswered = false
    this.owesContinue = owesContinue
    this.#pieces ??= new BodyPieces(this.#sink)
    this.#pieces.begin()
    this.#handOver(start < end ? bytes : null, start, end, true)
  }

  #handOver(bytes: Uint8Array | null, start: number, end: number, streams: boolean): void {
    const body = this.#body
    body.bytes = bytes
    body.start = start
    body.end = end
    body.streams = streams
    this.#sink.request(this, this.head, body)
    body.bytes = null
    this.head.bytes = NOTHING
  }

  /** After a refusal nobody knows where the next message starts: the rest is dropped, the connection closes. */
  #refuse(error: number, to: number): number {
    this.#sink.refuse(this, error)
    return to
  }

  #startWaiting(): void {
    this.#setDeadline(DEADLINE.IDLE, this.#limits.idleMs)
  }

  #clearDeadline(): void {
    this.deadline = DEADLINE.NONE
    this.deadlineMs = Number.POSITIVE_INFINITY
  }

  #setDeadline(kind: number, ms: number): void {
    this.deadline = kind
    this.deadlineMs = this.#sink.nowMs + ms
  }
}
