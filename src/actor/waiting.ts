// Requests that found no runtime ready, or that were put aside because their function has had its turn (shares.ts): they wait,
// each function's oldest first, bounded in number and time.

import type { BufferBudget } from './bytes.ts'
import type { RequestBody, RequestHead } from './request.ts'
import type { Session } from './session.ts'
import type { Shares } from './shares.ts'

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
  /** What it takes of the shard's buffers. */
  readonly keptBytes: number
}

/** Whether the request that waited is still the one its connection waits for. */
export function isCurrent({ session, number }: Waiting): boolean {
  return session.isServing && session.requests === number
}

export class WaitingRoom {
  /** Of functions that have some waiting: there may be thousands that have none. */
  readonly #queues = new Map<number, Waiting[]>()
  readonly #limit: number
  /** Of several functions none may fill the room alone. */
  readonly #share: number
  readonly #buffers: BufferBudget
  #size = 0
  /** Functions that have some waiting and no runtime for them now. */
  readonly #blocked = new Set<number>()
  readonly #isBlocked = (functionIndex: number): boolean => this.#blocked.has(functionIndex)

  /** `limit`: requests that may wait, over all functions of the shard. */
  constructor(limit: number, functions: number, buffers: BufferBudget) {
    this.#buffers = buffers
    this.#limit = limit
    this.#share = functions > 1 ? Math.ceil(limit / 2) : limit
  }

  get size(): number {
    return this.#size
  }

  isEmpty(functionIndex: number): boolean {
    return this.#size === 0 || !this.#queues.has(functionIndex)
  }

  /** Whether a further request of this function would be taken in, if the shard's buffers have room for it. */
  hasRoom(functionIndex: number): boolean {
    return this.#size < this.#limit && (this.#queues.get(functionIndex)?.length ?? 0) < this.#share
  }

  /** Functions that have some waiting, in the order in which they began to. */
  functions(): Iterable<number> {
    return this.#queues.keys()
  }

  /** Copies a request and takes it in; false when the room, or the shard's buffer budget, is full. */
  add(
    session: Session,
    head: RequestHead,
    body: RequestBody,
    id: number,
    sinceMs: number,
    waitMs: number,
  ): boolean {
    if (!this.hasRoom(head.functionIndex)) return false
    const queue = this.#queues.get(head.functionIndex) ?? []
    const keptBytes = head.end - head.start + (body.bytes === null ? 0 : body.end - body.start)
    if (!this.#buffers.tryTake(keptBytes, keptBytes)) return false
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
      keptBytes,
    })
    if (queue.length === 1) this.#queues.set(head.functionIndex, queue)
    this.#size++
    return true
  }

  /**
   * Serves those that wait for a slice of time, at least one of them, in the order of the functions' shares. `run` is to
   * say whether there was a runtime. True when some has run.
   */
  serve(
    shares: Shares,
    run: (waiting: Waiting) => boolean,
    clock: () => number = () => performance.now(),
  ): boolean {
    const startedMs = clock()
    let hasServed = false
    this.#blocked.clear()
    while (this.#size > 0) {
      const index = shares.next(this.functions(), this.#isBlocked)
      if (index < 0 || (hasServed && shares.isSliceOver(index, clock() - startedMs))) break
      const waiting = this.peek(index)!
      if (!isCurrent(waiting)) this.shift(index)
      else {
        shares.serve(index)
        if (run(waiting)) {
          this.shift(index)
          hasServed = true
        } else this.#blocked.add(index)
      }
    }
    if (this.#size === 0) shares.settle()
    return hasServed
  }

  /** The oldest that waits for this function. */
  peek(functionIndex: number): Waiting | undefined {
    return this.#queues.get(functionIndex)?.[0]
  }

  /** Lets the oldest go. */
  shift(functionIndex: number): void {
    const queue = this.#queues.get(functionIndex)
    const first = queue?.shift()
    if (queue === undefined || first === undefined) return
    this.#size--
    this.#buffers.give(first.keptBytes)
    if (queue.length === 0) this.#queues.delete(functionIndex)
  }

  /** Lets go of all that have waited too long. They all wait equally long, so the oldest are in front. */
  expired(nowMs: number): Waiting[] {
    const gone: Waiting[] = []
    if (this.#size === 0) return gone
    for (const [functionIndex, queue] of this.#queues) {
      while (queue.length > 0 && queue[0]!.untilMs <= nowMs) gone.push(queue.shift()!)
      if (queue.length === 0) this.#queues.delete(functionIndex)
    }
    this.#size -= gone.length
    for (const { keptBytes } of gone) this.#buffers.give(keptBytes)
    return gone
  }
}
