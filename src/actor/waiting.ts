// Requests that found no runtime ready: they wait for one, oldest first, bounded in number and time.

import type { RequestBody, RequestHead } from './request.ts'
import type { Session } from './session.ts'

/** A request outside of the ring, with the number it has on its connection: a later one voids it. */
export interface Waiting {
  readonly session: Session
  readonly number: number
  /** Number of the request on its shard. */
  readonly id: number
  readonly sinceMs: number
  readonly head: RequestHead
  readonly body: RequestBody
  readonly untilMs: number
}

export class WaitingRoom {
  readonly #queues: Waiting[][]
  readonly #limit: number
  /** Of several functions none may fill the room alone. */
  readonly #share: number
  #size = 0

  /** `limit`: requests that may wait, over all functions of the shard. */
  constructor(limit: number, functions: number) {
    this.#limit = limit
    this.#share = functions > 1 ? Math.ceil(limit / 2) : limit
    this.#queues = Array.from({ length: functions }, () => [])
  }

  get size(): number {
    return this.#size
  }

  isEmpty(functionIndex: number): boolean {
    return this.#size === 0 || this.#queues[functionIndex]!.length === 0
  }

  /** Whether a further request of this function would be taken in. */
  hasRoom(functionIndex: number): boolean {
    return this.#size < this.#limit && this.#queues[functionIndex]!.length < this.#share
  }

  /** Copies a request and takes it in; false when the room is full. */
  add(
    session: Session,
    head: RequestHead,
    body: RequestBody,
    id: number,
    sinceMs: number,
    waitMs: number,
  ): boolean {
    const queue = this.#queues[head.functionIndex]!
    if (!this.hasRoom(head.functionIndex)) return false
    const shift = head.start
    const copy: RequestHead = {
      ...head,
      bytes: head.bytes.slice(head.start, head.end),
      start: 0,
      end: head.end - shift,
      methodEnd: head.methodEnd - shift,
      targetStart: head.targetStart - shift,
      targetEnd: head.targetEnd - shift,
    }
    const bytes = body.bytes === null ? null : body.bytes.slice(body.start, body.end)
    const bodyCopy = { bytes, start: 0, end: bytes === null ? 0 : bytes.length, streams: body.streams }
    queue.push({
      session,
      number: session.requests,
      id,
      sinceMs,
      head: copy,
      body: bodyCopy,
      untilMs: sinceMs + waitMs,
    })
    this.#size++
    return true
  }

  /** The oldest that waits for this function. */
  peek(functionIndex: number): Waiting | undefined {
    return this.#queues[functionIndex]![0]
  }

  /** Lets the oldest go. */
  shift(functionIndex: number): void {
    if (this.#queues[functionIndex]!.shift() !== undefined) this.#size--
  }

  /** Lets go of all that have waited too long. They all wait equally long, so the oldest are in front. */
  expired(nowMs: number): Waiting[] {
    const gone: Waiting[] = []
    if (this.#size === 0) return gone
    for (const queue of this.#queues) {
      while (queue.length > 0 && queue[0]!.untilMs <= nowMs) gone.push(queue.shift()!)
    }
    this.#size -= gone.length
    return gone
  }
}
