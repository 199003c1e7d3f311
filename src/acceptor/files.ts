// Sends files that are too large for the rings: the actor has said which file, which parts of it and what around them, and the
// bytes go from the file to the socket here, as fast as the client takes them. The file is opened, read and looked at in
// libuv's threads. Whatever is sent is of the one file, in the one state, that the actor's head speaks of.

import { close, constants, fstatSync, open, read } from 'node:fs'
import { decodeFileRecord, type FileIdentity, type FilePart, isSameFile } from '../file-record.ts'
import { ChunkPool } from './chunks.ts'
import type { Connection } from './connection.ts'
import { FILE_UNAVAILABLE } from './own-answers.ts'

/** Copied out for a client that takes less than it is sent, when no chunk may be kept for it. */
const TAIL_BYTES = 16 << 10
/** The same, when the acceptor's buffers are full: part of what a connection costs anyway. */
const TAIL_BYTES_MIN = 1 << 10
const NOTHING = new Uint8Array(0)
/** Whatever the path has become since the actor looked: no link is followed, no device or FIFO makes this wait. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

export interface FileEvents {
  /** A file could not be opened, or is not the one that the actor has looked at. */
  unavailable(path: string, reason: string): void
}

export class FileSender {
  readonly #events: FileEvents
  readonly #stallMs: number
  readonly #pool = new ChunkPool()

  /** `stallMs`: a client that takes nothing for so long is closed. */
  constructor(stallMs: number, events: FileEvents) {
    this.#stallMs = stallMs
    this.#events = events
  }

  /** Sends what a FILE record asks for. `payload` must stay as it is. */
  send(connection: Connection, payload: Uint8Array): void {
    connection.sendsFile = true
    void this.#send(connection, payload)
  }

  async #send(connection: Connection, payload: Uint8Array): Promise<void> {
    const { path, identity, segments } = decodeFileRecord(payload)
    let fd = -1
    let trouble: string | undefined
    try {
      fd = await openFile(path)
      if (!isUnchanged(fd, identity)) trouble = 'it has changed'
    } catch (error) {
      trouble = (error as NodeJS.ErrnoException).code ?? String(error)
    }
    if (trouble !== undefined) {
      if (fd >= 0) closeFile(fd)
      this.#refuse(connection, path, trouble)
      return
    }
    const isSent = await new Sending(connection, fd, identity, this.#pool, this.#stallMs).run(segments)
    closeFile(fd)
    if (isSent) {
      connection.sendsFile = false
      connection.link.fileSent(connection)
    }
    // A part must not pass for the whole.
    else connection.socket.destroy()
  }

  /** Nothing has been sent yet: there is an answer to give. */
  #refuse(connection: Connection, path: string, reason: string): void {
    connection.sendsFile = false
    this.#events.unavailable(path, reason)
    connection.write(FILE_UNAVAILABLE, 0, FILE_UNAVAILABLE.length)
    connection.close()
  }
}

/** One file on its way to one client. */
class Sending {
  readonly #connection: Connection
  readonly #fd: number
  readonly #identity: FileIdentity
  readonly #pool: ChunkPool
  readonly #stallMs: number
  /** Bytes that the kernel or the socket's queue have. */
  #given = 0
  #waitsForClient = false
  #tail: Uint8Array = NOTHING

  constructor(connection: Connection, fd: number, identity: FileIdentity, pool: ChunkPool, stallMs: number) {
    this.#connection = connection
    this.#fd = fd
    this.#identity = identity
    this.#pool = pool
    this.#stallMs = stallMs
  }

  /** True when the kernel has all of it; false when the client has gone or the file has changed. */
  async run(segments: readonly (Uint8Array | FilePart)[]): Promise<boolean> {
    const watch = this.#watch()
    try {
      for (const segment of segments) {
        const isDone = segment instanceof Uint8Array ? await this.#bytes(segment) : await this.#part(segment)
        if (!isDone) return false
      }
      return true
    } catch {
      // Of a read (EIO): what was announced cannot be sent.
      return false
    } finally {
      clearInterval(watch)
    }
  }

  /** A client that takes nothing is closed; one that waits for the disk is not. */
  #watch(): NodeJS.Timeout {
    const { socket } = this.#connection
    let last = -1
    return setInterval(() => {
      const taken = this.#given - this.#connection.queueBytes
      if (this.#waitsForClient && taken === last) socket.destroy()
      last = taken
    }, this.#stallMs)
  }

  async #bytes(bytes: Uint8Array): Promise<boolean> {
    const taken = this.#writeNow(bytes, bytes.length)
    return taken === bytes.length || (taken >= 0 && (await this.#queue(bytes.subarray(taken))))
  }

  async #part({ offset, length }: FilePart): Promise<boolean> {
    const end = offset + length
    let at = offset
    while (at < end) {
      const taken = this.#pool.take()
      const chunk = taken instanceof Buffer ? taken : await taken
      let sent = -1
      try {
        const got = await readFile(this.#fd, chunk, Math.min(chunk.length, end - at), at)
        // After the read: what was read before a change is of the old state, and is sent; what may be of the new one is not.
        if (got > 0 && isUnchanged(this.#fd, this.#identity)) sent = this.#writeNow(chunk, got)
        if (sent >= 0 && sent < got) {
          if (this.#pool.tryKeep()) {
            const isTaken = await this.#queue(chunk.subarray(sent, got))
            this.#pool.endKeep()
            sent = isTaken ? got : -1
          } else this.#tail = this.#copyTail(chunk, sent, got)
        }
      } finally {
        this.#pool.give(chunk)
      }
      if (sent < 0 || !(await this.#sendTail())) return false
      at += sent + this.#tail.length
      this.#tail = NOTHING
    }
    return true
  }

  /** What the kernel takes at once; -1 when the client has gone. */
  #writeNow(bytes: Uint8Array, length: number): number {
    const taken = this.#connection.writeNow(bytes, 0, length)
    this.#given += Math.max(0, taken)
    return taken
  }

  /**
   * The client is slow, and enough chunks wait for such: a little is copied out, and what follows is read again when the client
   * has taken that.
   */
  #copyTail(chunk: Buffer, from: number, to: number): Uint8Array {
    const most = this.#connection.hasRoomFor(TAIL_BYTES) ? TAIL_BYTES : TAIL_BYTES_MIN
    return Uint8Array.prototype.slice.call(chunk, from, Math.min(to, from + most))
  }

  async #sendTail(): Promise<boolean> {
    const { length } = this.#tail
    return length === 0 || (await this.#queue(this.#tail, length > TAIL_BYTES_MIN ? length : 0))
  }

  async #queue(bytes: Uint8Array, heldBytes = 0): Promise<boolean> {
    this.#given += bytes.length
    this.#waitsForClient = true
    const isTaken = await this.#connection.queueAll(bytes, heldBytes)
    this.#waitsForClient = false
    return isTaken
  }
}

function openFile(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, OPEN_FLAGS, (error, fd) => (error === null ? resolve(fd) : reject(error)))
  })
}

/** Nothing was written to it: there is nobody to tell of a failure (EIO of a network's file system). */
function closeFile(fd: number): void {
  close(fd, () => {})
}

function readFile(fd: number, buffer: Buffer, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, length, position, (error, bytes) => (error === null ? resolve(bytes) : reject(error)))
  })
}

/** Of an open file the kernel knows it without the disk. */
function isUnchanged(fd: number, identity: FileIdentity): boolean {
  return isSameFile(fstatSync(fd, { bigint: true }), identity)
}
