// A connection as the acceptor sees it: a socket, its place in a shard, and how many bytes are under way each way.

import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { HeldBytes } from './held.ts'
import type { ShardLink } from './link.ts'

/** How long a client may take to close its side after the answer's end. */
const LINGER_MS = 500

const NOTHING = new Uint8Array(0)
/** No count of records. */
const NEVER = -1

/** What is used of node's stream handle, where the platform has it. */
interface StreamHandle {
  readonly fd?: number
  /** Bytes that the kernel has not taken. */
  readonly writeQueueSize?: number
}

/** A connection's way to another shard. */
export interface Move {
  readonly lane: number
  /** Bytes that the old actor has given back. */
  readonly bytes: Uint8Array[]
  /** The old actor has been told that it is gone. */
  isGoneSent: boolean
  /** And nothing more will come of it. */
  isLetGo: boolean
}

export class Connection {
  readonly socket: Socket
  /** The shard it belongs to now; its slot and generation are places in that one's table. */
  link: ShardLink
  slot: number
  generation: number
  /** How often it was made another shard's, or another actor's: what an earlier one is owed is none of its successor's. */
  epoch = 0
  /** Bytes handed to the actor that it has not given back. */
  unconsumed = 0
  /** Bytes that the kernel has taken and the actor has not been told of. */
  unreported = 0
  /** Bytes of answers copied out of the ring because the client was slow; bounded by the send window. */
  queued = 0
  #stash: Uint8Array | undefined
  /** Whether the actor owes an answer for bytes it was given. */
  awaiting = false
  /** DATA records given to the actor, modulo the protocol's IDLE_COUNTS. */
  delivered = 0
  /** How many of them it had when it last said that it was idle. */
  idleAt = 0
  /** The client has sent its FIN. */
  ended = false
  /** Whether part of an answer has been written and its end has not. */
  midAnswer = false
  /** Whether reading is stopped, for whatever reason. */
  paused = false
  /** The actor has not been told of the connection: nothing else of it may go into the ring before. */
  openOwed = false
  /** The client's FIN has come and the actor has not been told. */
  endOwed = false
  /** On its way to another shard: the lane it goes to, and the bytes to go with it; undefined otherwise. */
  moving: Move | undefined
  /** It has come from another shard, and the actor is to know that. */
  isMoved = false
  /** The actor has closed the answer side: the socket ends when the queue is empty. */
  closing = false
  gone = false
  /** A file is on its way to the client: nothing else is written before its end. */
  sendsFile = false
  /** The client has all of a file and the actor has not been told. */
  fileSentOwed = false
  /** When a request of it was last seen to run, and until when it stays with its shard; for the balance among them. */
  seenRunningMs = Number.NEGATIVE_INFINITY
  staysUntilMs = 0

  readonly #handle: StreamHandle
  readonly #fd: number
  readonly #writeTimeoutMs: number
  readonly #held: HeldBytes
  readonly #onFlushed: (connection: Connection) => void
  #isReleased = false
  #stall: NodeJS.Timeout | undefined

  constructor(
    socket: Socket,
    link: ShardLink,
    slot: number,
    generation: number,
    writeTimeoutMs: number,
    held: HeldBytes,
    onFlushed: (connection: Connection) => void,
  ) {
    this.socket = socket
    this.link = link
    this.slot = slot
    this.generation = generation
    this.#writeTimeoutMs = writeTimeoutMs
    this.#held = held
    this.#onFlushed = onFlushed
    socket.once('close', () => this.#release())
    this.#handle = (socket as unknown as { _handle?: StreamHandle })._handle ?? {}
    this.#fd = this.#handle.fd ?? -1
  }

  /** Whether nothing of it is under way, in either direction: between two messages, as far as anybody knows. */
  get isIdle(): boolean {
    const isOwing = this.openOwed || this.endOwed || this.fileSentOwed || this.#stash !== undefined
    const isEnding = this.ended || this.closing || this.gone || this.socket.destroyed
    const isBusy = this.awaiting || this.midAnswer || this.sendsFile || this.moving !== undefined
    return !isBusy && !isOwing && !isEnding && !this.paused && this.queued === 0
  }

  /** It does not go to another shard after all, and nobody knows what of it has been acted upon. */
  breakOff(): void {
    this.moving = undefined
    this.idleAt = NEVER
  }

  /** Nothing that an earlier actor was given or owed concerns the next one. */
  forget(): void {
    this.epoch++
    this.unconsumed = 0
    this.unreported = 0
    this.delivered = this.idleAt = 0
    this.midAnswer = false
  }

  /** Whether its actor had all that it was given when it last said that it is idle. */
  isUpToDate(): boolean {
    return this.stash === undefined && this.idleAt === this.delivered
  }

  /**
   * Writes bytes that lie in the ring. The kernel is asked directly, because it answers how much it took: libuv, asked
   * through the stream, would keep a pointer into the ring for the rest, and a slow client would hold its shard's space.
   * What the kernel did not take is copied out once; then this is true. Either way the ring space is free when it returns.
   */
  write(memory: Buffer, offset: number, length: number): boolean {
    // A destroyed socket's descriptor is closed at once, before its 'close' event, and may be another connection's by now.
    if (this.gone || this.socket.destroyed) return false
    let taken = 0
    if (this.queued === 0 && this.#fd >= 0) {
      try {
        taken = writeSync(this.#fd, memory, offset, length)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'EAGAIN' && code !== 'EWOULDBLOCK') {
          this.socket.destroy()
          return false
        }
      }
    }
    this.unreported += taken
    if (taken === length) return false
    this.#copyOut(memory, offset + taken, length - taken)
    return true
  }

  /**
   * Writes bytes of a file, which no window counts: how many the kernel took at once, -1 when the connection is lost. Where there
   * is no descriptor, or something is queued before, it takes none.
   */
  writeNow(bytes: Uint8Array, offset: number, length: number): number {
    if (this.gone || this.socket.destroyed) return -1
    if (this.#fd < 0 || this.queued > 0 || length === 0) return 0
    try {
      return writeSync(this.#fd, bytes, offset, length)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return code === 'EAGAIN' || code === 'EWOULDBLOCK' ? 0 : -1
    }
  }

  /**
   * Queues bytes of a file, which must not change meanwhile: true when the kernel has taken all, false when the connection is lost.
   * `heldBytes` of them are the acceptor's to account for.
   */
  queueAll(bytes: Uint8Array, heldBytes: number): Promise<boolean> {
    if (this.gone || this.socket.destroyed) return Promise.resolve(false)
    this.#held.usedBytes += heldBytes
    return new Promise((resolve) => {
      this.socket.write(bytes, (error) => {
        this.#held.usedBytes -= heldBytes
        resolve(error === undefined || error === null)
      })
    })
  }

  /** Whether so many bytes may be kept for this client. */
  hasRoomFor(length: number): boolean {
    return this.#held.fits(length)
  }

  /** Bytes in the socket's queue that the kernel has not taken. */
  get queueBytes(): number {
    return this.#handle.writeQueueSize ?? 0
  }

  /**
   * The client's side has ended: with a FIN, or with a reset that came together with its last bytes, which libuv reports as
   * an end too. A write of nothing tells them apart; nobody can take an answer on a connection that was reset.
   */
  dropIfReset(): void {
    if (this.gone || this.socket.destroyed || this.#fd < 0) return
    try {
      writeSync(this.#fd, NOTHING)
    } catch {
      this.socket.destroy()
    }
  }

  /** Answers in the place of an actor that has ended; what else has come is nobody's. */
  end(answer: Buffer): void {
    this.stash = undefined
    this.openOwed = this.endOwed = false
    this.write(answer, 0, answer.length)
    this.close()
  }

  /**
   * Ends the socket when all queued bytes are written. What the client still sends is read and dropped for a while, since
   * closing on unread bytes resets the connection, and the reset can overtake the answer (RFC 9112, section 9.6).
   */
  close(): void {
    if (this.closing || this.gone || this.socket.destroyed) return
    this.closing = true
    if (this.sendsFile) {
      // In the middle of it: the part must not pass for the whole.
      this.socket.destroy()
      return
    }
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

  /** A read that found no room in the ring; bounded by the read buffer, since reading stops until it is delivered. */
  get stash(): Uint8Array | undefined {
    return this.#stash
  }

  set stash(bytes: Uint8Array | undefined) {
    if (!this.#isReleased) this.#held.usedBytes += (bytes?.length ?? 0) - (this.#stash?.length ?? 0)
    this.#stash = bytes
  }

  /** Bytes that no actor has acted upon: for the next one, before anything more is read. */
  bring(bytes: Uint8Array): void {
    this.unconsumed = bytes.length
    this.stash = bytes
    this.pause()
  }

  /** Whether so many bytes may be kept for this client; if not, it is closed. */
  canHold(length: number): boolean {
    if (this.#held.fits(length)) return true
    this.socket.destroy()
    return false
  }

  #release(): void {
    this.#unwatch()
    this.#held.usedBytes -= this.queued + (this.#stash?.length ?? 0)
    this.#isReleased = true
  }

  #copyOut(memory: Buffer, offset: number, length: number): void {
    if (!this.canHold(length)) return
    const rest = Buffer.allocUnsafe(length)
    memory.copy(rest, 0, offset, offset + length)
    const { epoch } = this
    this.queued += length
    this.#held.usedBytes += length
    if (this.#stall === undefined) this.#watch()
    this.socket.write(rest, () => {
      this.queued -= length
      if (!this.#isReleased) this.#held.usedBytes -= length
      if (this.queued === 0) this.#unwatch()
      // What an actor wrote that has ended since is none of its successor's.
      if (this.gone || epoch !== this.epoch) return
      this.unreported += length
      this.#onFlushed(this)
    })
  }

  /** Ends the connection when its client has taken nothing for the write timeout. Reading from it does not count. */
  #watch(): void {
    let left = this.#handle.writeQueueSize ?? 0
    this.#stall = setInterval(() => {
      const now = this.#handle.writeQueueSize ?? left
      if (now >= left && left > 0) this.socket.destroy()
      left = now
    }, this.#writeTimeoutMs)
  }

  #unwatch(): void {
    clearInterval(this.#stall)
    this.#stall = undefined
  }
}
