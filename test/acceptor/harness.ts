import { createSharedMemory, recordBytes } from '@shared/ringbuffer'
import { ACCEPTOR_MEMORY_BYTES } from '../../src/acceptor/acceptor.ts'
import { Connection } from '../../src/acceptor/connection.ts'
import { HeldBytes } from '../../src/acceptor/held.ts'
import { type LinkLimits, ShardLink } from '../../src/acceptor/link.ts'
import { REQUEST } from '../../src/protocol.ts'
import { createShard, type ShardHandle } from '../../src/shard.ts'
import { FakeActor, type FakeRecord } from '../support/fake-actor.ts'
import { FakeSocket } from '../support/fake-socket.ts'

/** Long enough that it never comes in a test. */
const WRITE_TIMEOUT_MS = 3_600_000

/** No test sends it for its own sake. */
const FILLER = REQUEST.STOP

export interface Client {
  readonly connection: Connection
  readonly socket: FakeSocket
  /** Sends text as the acceptor does: from a buffer that is used for something else at once. */
  send(text: string | Uint8Array): void
}

export interface Setup {
  readonly requestBytes?: number
  readonly responseBytes?: number
  readonly highWatermark?: number
  readonly lowWatermark?: number
  readonly heldBytes?: number
  readonly limits?: Partial<LinkLimits>
}

/** A link over a real shard, with fake sockets at one side and a fake actor at the other. */
export class Harness {
  readonly handle: ShardHandle
  readonly link: ShardLink
  readonly held: HeldBytes
  actor: FakeActor
  readonly #clients: Client[] = []
  readonly #readBuffer = Buffer.alloc(65536)

  constructor({
    requestBytes = 1024,
    responseBytes = 4096,
    highWatermark = 1,
    lowWatermark = 0.5,
    heldBytes = 1 << 20,
    limits,
  }: Setup = {}) {
    this.held = new HeldBytes(heldBytes)
    const sizes = { requestBytes, responseBytes, scratchBytes: 0, highWatermark, lowWatermark }
    this.handle = createShard(0, sizes, createSharedMemory(ACCEPTOR_MEMORY_BYTES))
    this.link = new ShardLink(this.handle, {
      receiveWindowBytes: 65536,
      sendWindowBytes: 65536,
      batchRecords: 64,
      ...limits,
    })
    this.actor = new FakeActor(this.handle)
    this.link.restart()
  }

  /** A new actor on fresh rings, as the supervisor starts one. */
  restart(): void {
    this.actor = new FakeActor(this.handle)
    this.link.restart()
  }

  connect(): Client {
    const socket = new FakeSocket()
    const { slot, generation } = this.link.takeSlot()
    const connection = new Connection(
      socket.asSocket,
      this.link,
      slot,
      generation,
      WRITE_TIMEOUT_MS,
      this.held,
      (flushed) => flushed.link.flushed(flushed),
    )
    socket.once('close', () => connection.link.detach(connection))
    const send = (text: string | Uint8Array) => {
      const bytes = Buffer.from(text as string)
      bytes.copy(this.#readBuffer)
      this.link.deliver(connection, this.#readBuffer, bytes.length)
      this.#readBuffer.fill(0x21, 0, bytes.length)
    }
    const client = { connection, socket, send }
    this.#clients.push(client)
    this.link.attach(connection)
    return client
  }

  /** A connected client of which the actor knows. */
  connectKnown(): Client {
    const client = this.connect()
    this.actor.take()
    return client
  }

  /** Fills the request ring to its last byte, with records that `inShort` leaves out; `takes`: when the actor has taken what is in it. */
  fill(takes = true): void {
    if (takes) this.actor.take()
    const records = this.handle.layout.sizes.requestBytes / recordBytes(0)
    for (let i = 0; i < records; i++) this.link.tell(FILLER)
  }

  /** Has the actor take and the link deliver until there is nothing left. */
  settle(): FakeRecord[] {
    const records: FakeRecord[] = []
    for (;;) {
      const taken = this.actor.take()
      records.push(...taken)
      this.link.drain()
      if (taken.length === 0 && this.actor.isEmpty()) return records
    }
  }

  /** Closes all that is open, so that no timer is left. */
  end(): void {
    for (const { socket } of this.#clients) {
      socket.flush()
      socket.closed()
    }
  }
}

/** Records in short: `OPEN 0.1`, `DATA 0.1 text`. */
export function inShort(records: readonly FakeRecord[]): string[] {
  return records
    .filter(({ type }) => type !== 'STOP')
    .map(({ type, slot, generation, payload }) => {
      const text =
        type === 'SENT'
          ? ` ${payload.readInt32LE()}`
          : payload.length > 0
            ? ` ${payload.toString('latin1')}`
            : ''
      return `${type} ${slot}.${generation}${text}`
    })
}
