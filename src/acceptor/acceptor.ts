// The acceptor: the one thread that owns sockets. A turn of its loop is: sockets deliver bytes into request rings, response
// rings are drained into sockets in passing, and at the turn's end it says that it sleeps, looks once more, and sleeps.

import { createServer, type Server, Socket } from 'node:net'
import { type Doorbell, doorbellBytes } from '@shared/ringbuffer'
import { LANE, REQUEST } from '../protocol.ts'
import { acceptorBell } from '../shard.ts'
import { Balance, type BalanceOptions } from './balance.ts'
import { Connection } from './connection.ts'
import { type FileEvents, FileSender } from './files.ts'
import { HeldBytes } from './held.ts'
import type { ShardLink } from './link.ts'

export interface AcceptorOptions {
  readonly host: string
  readonly port: number
  readonly backlog: number
  /** Whether others may listen on the same port (SO_REUSEPORT); Node.js before 23.1 does not know it. */
  readonly reusePort: 'off' | 'on'
  readonly maxConnections: number
  readonly readBufferBytes: number
  readonly writeTimeoutMs: number
  /** What is kept for all clients together outside of the rings. */
  readonly heldBytes: number
  /** How shards that are busy give connections to those that are not. */
  readonly balance: BalanceOptions
  /** How long a turn's end looks again for answers before the acceptor sleeps. */
  readonly spinMicros: number
}

/** Bytes of the memory that holds the acceptor's doorbell. */
export const ACCEPTOR_MEMORY_BYTES = doorbellBytes

/** How long the answers that the server stops may take to be written and read, and how often guests are looked for meanwhile. */
const ABORT_MS = 400
const ABORT_LOOK_MS = 5

export class Acceptor {
  readonly #options: AcceptorOptions
  readonly #links: readonly ShardLink[]
  /** Those that serve everybody. */
  readonly #normal: readonly ShardLink[]
  readonly #penalty: ShardLink | undefined
  readonly #balance: Balance
  readonly #bell: Doorbell
  readonly #server: Server
  /** One buffer for all sockets: a read is over, copied into a ring, before the next one starts. */
  readonly #readBuffer: Buffer
  readonly #open = new Set<Connection>()
  readonly #held: HeldBytes
  readonly #spinMs: number
  /** Until when a turn's end looks again instead of sleeping. */
  #spinUntilMs = 0
  #turnScheduled = false
  #onEmpty: (() => void) | undefined
  #aborting: NodeJS.Timeout | undefined
  #stopped = false

  /** `penalty`: the shard of functions that keep burning processor time, if there is to be one. */
  constructor(
    options: AcceptorOptions,
    links: readonly ShardLink[],
    penalty?: ShardLink,
    fileEvents: FileEvents = { unavailable: () => {} },
  ) {
    this.#options = options
    this.#normal = links
    this.#penalty = penalty
    this.#links = penalty === undefined ? links : [...links, penalty]
    this.#balance = new Balance(links, options.balance)
    this.#held = new HeldBytes(options.heldBytes)
    this.#spinMs = options.spinMicros / 1000
    const files = new FileSender(options.writeTimeoutMs, fileEvents)
    for (const link of this.#links) {
      link.onFile = (connection, payload) => files.send(connection, payload)
      link.onOwing = () => this.touch()
      link.onMoved = (connection, lane, bytes) => this.#move(link, connection, lane, bytes)
    }
    this.#bell = acceptorBell(links[0]!.handle)
    this.#readBuffer = Buffer.allocUnsafeSlow(options.readBufferBytes)
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    )
  }

  /** Starts listening; the port that it got. Rejects with the system's error (EADDRINUSE, EACCES, ...). */
  listen(): Promise<number> {
    const { host, port, backlog } = this.#options
    const options = { host, port, backlog, reusePort: this.#options.reusePort === 'on' }
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(options, () => {
        this.#server.off('error', reject)
        // A failed accept (too many open files) is the kernel's refusal of one client, not the server's end.
        this.#server.on('error', () => {})
        this.#sleep()
        this.#balance.start()
        const address = this.#server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  get connections(): number {
    return this.#open.size
  }

  /**
   * Stops accepting; resolves when no connection is left, which the actors see to. After `timeoutMs` they answer what is in flight
   * that the server stops, and guests that run are stopped; what is left a little later is destroyed.
   */
  async drain(timeoutMs: number): Promise<void> {
    this.#server.close()
    this.#balance.stop()
    if (this.#open.size === 0) return
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    for (const link of this.#links) link.tell(REQUEST.DRAIN)
    const timer = setTimeout(() => this.#abort(), timeoutMs)
    await empty
    clearTimeout(timer)
    clearInterval(this.#aborting)
  }

  /** Looks at the guests again and again: each shard may come to further ones before it comes to the record that says so. */
  #abort(): void {
    for (const link of this.#links) link.tell(REQUEST.ABORT)
    const endMs = performance.now() + ABORT_MS
    const look = () => {
      if (performance.now() < endMs) for (const link of this.#links) link.runs.stop()
      else for (const connection of this.#open) connection.socket.destroy()
    }
    this.#aborting = setInterval(look, ABORT_LOOK_MS)
    look()
  }

  /** Drops every connection and stops; for the end of the process. */
  stop(): void {
    this.#stopped = true
    this.#server.close()
    this.#balance.stop()
    for (const connection of this.#open) connection.socket.destroy()
    this.#bell.cancel()
    // The outstanding wait, if any, ends with the process.
  }

  /** Makes sure that this turn of the event loop ends with a look at the rings. */
  touch(): void {
    if (this.#turnScheduled) return
    this.#turnScheduled = true
    this.#bell.cancel()
    setImmediate(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#turnScheduled = false
    if (this.#drainAll()) {
      this.touch()
      return
    }
    // To fall asleep and be woken costs more than a short handler: while an answer is due soon, the loop goes round
    // instead, looking at its sockets and rings in turn.
    if (this.#spinMs > 0 && performance.now() < this.#spinUntilMs && this.#links.some((link) => link.awaits))
      this.touch()
    else this.#sleep()
  }

  /** Says that it sleeps, looks once more, and lets the event loop wait (WAKE). */
  #sleep(): void {
    if (this.#stopped) return
    this.#bell.prepare()
    for (const link of this.#links) {
      link.beforeSleep()
      if (link.hasAnswers()) {
        this.touch()
        return
      }
    }
    if (this.#bell.armed) return
    const rung = this.#bell.waitAsync()
    if (rung === undefined) this.touch()
    else rung.then(this.#rung)
  }

  readonly #rung = (): void => {
    if (this.#stopped) return
    this.touch()
    this.#drainAll()
  }

  #drainAll(): boolean {
    let more = false
    for (const link of this.#links) if (link.drain()) more = true
    return more
  }

  #accept(accepted: Socket): void {
    // The accepted socket's handle moves to one that reads into our buffer: `onread` exists only as a constructor option.
    const holder = accepted as unknown as { _handle: unknown }
    const handle = holder._handle
    if (this.#open.size >= this.#options.maxConnections || handle === null) {
      accepted.destroy()
      return
    }
    holder._handle = null
    accepted.destroy()
    const link = this.#balance.choose()
    const { slot, generation } = link.takeSlot()
    let connection: Connection | undefined
    const options = {
      handle,
      allowHalfOpen: true,
      onread: {
        buffer: this.#readBuffer,
        callback: (length: number, buffer: Uint8Array): boolean => {
          this.#deliver(connection!, buffer, length)
          return true
        },
      },
    }
    const socket = new Socket(options as ConstructorParameters<typeof Socket>[0])
    const onFlushed = (flushed: Connection) => {
      flushed.link.flushed(flushed)
      this.touch()
    }
    const { writeTimeoutMs } = this.#options
    connection = new Connection(socket, link, slot, generation, writeTimeoutMs, this.#held, onFlushed)
    this.#open.add(connection)
    link.attach(connection)
    this.#listenTo(connection)
    socket.resume()
  }

  #listenTo(connection: Connection): void {
    const { socket } = connection
    socket.on('end', () => {
      connection.dropIfReset()
      if (!socket.destroyed) connection.link.deliverEnd(connection)
      this.touch()
    })
    // The reason does not matter to anyone: 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      connection.link.detach(connection)
      this.#open.delete(connection)
      this.touch()
      if (this.#open.size === 0) this.#onEmpty?.()
    })
  }

  #deliver(connection: Connection, buffer: Uint8Array, length: number): void {
    if (connection.closing) return
    const { link } = connection
    link.deliver(connection, buffer, length)
    link.ring()
    if (this.#spinMs > 0) this.#spinUntilMs = performance.now() + this.#spinMs
    if (link.hasAnswers()) link.drain()
    this.touch()
  }

  /** A connection that a shard has handed on; its bytes were not consumed. */
  #move(from: ShardLink, connection: Connection, lane: number, bytes: readonly Uint8Array[]): void {
    const others = this.#normal.filter((link) => link !== from && link.up)
    const normal = others.reduce(
      (best, link) => (link.size < best.size ? link : best),
      others[0] ?? this.#normal[0]!,
    )
    const to = lane === LANE.PENALTY ? (this.#penalty ?? normal) : normal
    to.adopt(connection, bytes)
    this.touch()
  }
}
