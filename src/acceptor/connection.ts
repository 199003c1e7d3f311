// A connection as the acceptor sees it: a socket, its place in a shard, and how many bytes are under way each way.

import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'

/** What a write of ring memory came to. */
export type WriteOutcome = 'taken' | 'copied' | 'lost'

/** How long a client may take to close its side after the answer's end. */
const LINGER_MS = 500

/** Node's stream handle: only its file descriptor is used, where the platform has one. */
interface HandleWithFd {
  readonly fd?: number
}

export class Connection {
  readonly socket: Socket
  readonly slot: number
  generation: number
  /** Bytes handed to the actor that it has not given back. */
  unconsumed = 0
  /** Bytes that the kernel has taken and the actor has not been told of. */
  unreported = 0
  /** Bytes of answers copied out of the ring because the client was slow; bounded by the send window. */
  queued = 0
  /** A read that found no room in the ring; bounded by the read buffer, since reading stops until it is delivered. */
  stash: Uint8Array | undefined
  /** Whether the actor owes an answer for bytes it was given. */
  awaiting = false
  /** Whether part of an answer has been written and its end has not. */
  midAnswer = false
  /** Whether reading is stopped, for whatever reason. */
  paused = false
  /** The actor has not been told of the connection: nothing else of it may go into the ring before. */
  openOwed = false
  /** The client's FIN has come and the actor has not been told. */
  endOwed = false
  /** The actor has closed the answer side: the socket ends when the queue is empty. */
  closing = false
  gone = false

  readonly #fd: number
  readonly #writeTimeoutMs: number
  readonly #onFlushed: (connection: Connection, bytes: number) => void

  constructor(
    socket: Socket,
    slot: number,
    generation: number,
    writeTimeoutMs: number,
    onFlushed: (connection: Connection, bytes: number) => void,
  ) {
    this.socket = socket
    this.slot = slot
    this.generation = generation
    this.#writeTimeoutMs = writeTimeoutMs
    this.#onFlushed = onFlushed
    this.#fd = (socket as unknown as { _handle?: HandleWithFd })._handle?.fd ?? -1
  }

  /**
   * Writes bytes that lie in the ring. The kernel is asked directly, because it answers how much it took: libuv, asked
   * through the stream, would keep a pointer into the ring for the rest, and a slow client would hold its shard's space.
   * What the kernel did not take is copied out once. Either way the ring space is free when this returns.
   */
  write(memory: Buffer, offset: number, length: number): WriteOutcome {
    if (this.gone) return 'lost'
    let taken = 0
    if (this.queued === 0 && this.#fd >= 0) {
      try {
        taken = writeSync(this.#fd, memory, offset, length)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'EAGAIN' && code !== 'EWOULDBLOCK') {
          this.socket.destroy()
          return 'lost'
        }
      }
    }
    this.unreported += taken
    if (taken === length) return 'taken'
    this.#copyOut(memory, offset + taken, length - taken)
    return 'copied'
  }

  /**
   * Ends the socket when all queued bytes are written. What the client still sends is read and dropped for a while, since
   * closing on unread bytes resets the connection, and the reset can overtake the answer (RFC 9112, section 9.6).
   */
  close(): void {
    if (this.closing || this.gone) return
    this.closing = true
    this.socket.end(() => {
      const linger = setTimeout(() => this.socket.destroy(), LINGER_MS)
      this.socket.once('close', () => clearTimeout(linger))
    })
    this.resume()
  }

  pause(): void {
    if (this.paused || this.gone) return
    this.paused = true
    this.socket.pause()
  }

  resume(): void {
    if (!this.paused || this.gone) return
    this.paused = false
    this.socket.resume()
  }

  #copyOut(memory: Buffer, offset: number, length: number): void {
    const rest = Buffer.allocUnsafe(length)
    memory.copy(rest, 0, offset, offset + length)
    if (this.queued === 0) this.socket.setTimeout(this.#writeTimeoutMs)
    this.queued += length
    this.socket.write(rest, () => {
      this.queued -= length
      if (this.queued === 0) this.socket.setTimeout(0)
      if (this.gone) return
      this.unreported += length
      this.#onFlushed(this, length)
    })
  }
}
