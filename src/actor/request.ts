// What a session hands on: requests, their heads and bodies, and who takes them.

import type { BufferBudget } from './bytes.ts'
import type { Session } from './session.ts'
import type { TimerQueue } from './timers.ts'

/** Takes what sessions read. One for all sessions of a shard. */
export interface RequestSink {
  /** Index of the function that serves the path in [start, end), -1 for none. */
  route(bytes: Uint8Array, start: number, end: number): number
  /** The `LANE` that this session's connection is to move to before its next request, which is for this function; -1: it stays. */
  laneFor(session: Session, functionIndex: number): number
  /** One whole request; everything is to be read before this returns. Leaves the session HEAD, BUSY or CLOSED. */
  request(session: Session, head: RequestHead, body: RequestBody): void
  /** An HTTP error of the client's: it is to be answered, and the connection closed. */
  refuse(session: Session, error: number): void
  /** The client waits for permission to send its body. */
  sendContinue(session: Session): void
  /** What is to happen at a time on this shard. */
  readonly timers: TimerQueue
  /** Milliseconds of `performance.now` at which this record's turn began. */
  readonly nowMs: number
  /** What all sessions may keep together. */
  readonly buffers: BufferBudget
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
  /** Its client is not one of HTTP/1.0, which knows no chunks. */
  allowsChunks: boolean
}

/** A request's body, or what has come of it; `bytes` null for none. */
export interface RequestBody {
  bytes: Uint8Array | null
  start: number
  end: number
  /** More follows: it goes to the session's `reader`. */
  streams: boolean
}

/** Takes a body that arrives while its request runs. */
export interface BodyReader {
  /** Whether it asks for a piece; until then the client is held back. */
  readonly wantsBody: boolean
  /** Whether its answer is on its way while it reads. */
  readonly isAnswering: boolean
  /** A piece, to be read before this returns; it may be empty when `isLast`. */
  piece(bytes: Uint8Array, from: number, to: number, isLast: boolean): void
  /** The same, for one that has waited for its time: nobody is reading the session. */
  latePiece(bytes: Uint8Array, from: number, to: number): void
}

export interface SessionLimits {
  readonly bodyBytes: number
  /** A request with a longer body runs while its body arrives. */
  readonly inlineBodyBytes: number
  readonly sendWindowBytes: number
  readonly headMs: number
  readonly bodyMs: number
  readonly idleMs: number
}
