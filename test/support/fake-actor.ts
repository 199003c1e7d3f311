import { Consumer, Producer, resetRing } from '@shared/ringbuffer'
import { CREDIT_BYTES, idleType, REQUEST, RESPONSE } from '../../src/protocol.ts'
import { requestRing, requestRoomBell, responseRing, type ShardHandle } from '../../src/shard.ts'

type RequestName = keyof typeof REQUEST

const REQUEST_NAMES = new Map<number, RequestName>(
  Object.entries(REQUEST).map(([name, type]) => [type, name as RequestName]),
)

/** A record of the request ring. */
export interface FakeRecord {
  readonly type: RequestName
  readonly slot: number
  readonly generation: number
  readonly payload: Buffer
}

/** The actor's end of a shard, on the test's own thread: reads records when asked, answers what it is told. */
export class FakeActor {
  readonly #handle: ShardHandle
  readonly #consumer: Consumer
  readonly #producer: Producer

  /** On fresh rings, as the supervisor starts one. */
  constructor(handle: ShardHandle) {
    resetRing(requestRing(handle))
    resetRing(responseRing(handle))
    this.#handle = handle
    this.#consumer = new Consumer(requestRing(handle))
    this.#producer = new Producer(responseRing(handle))
  }

  /** Reads and releases at most `most` records. */
  take(most = Number.POSITIVE_INFINITY): FakeRecord[] {
    const records: FakeRecord[] = []
    const consumer = this.#consumer
    while (records.length < most && consumer.next()) {
      consumer.taken()
      const { type, slot, generation, offset, length } = consumer
      const payload = Buffer.from(Buffer.from(this.#handle.memory.buffer, offset, length))
      records.push({ type: REQUEST_NAMES.get(type)!, slot, generation, payload })
    }
    if (records.length > 0) {
      consumer.release()
      requestRoomBell(this.#handle).ring()
    }
    return records
  }

  /** Whether nothing was written since the last record taken. */
  isEmpty(): boolean {
    return this.#consumer.isEmpty()
  }

  answer(type: number, place: { slot: number; generation: number }, text = ''): void {
    this.#write(type, place, Buffer.from(text, 'latin1'))
  }

  /** An answer's end, after so many DATA records of the connection. */
  idle(received: number, place: { slot: number; generation: number }, text = ''): void {
    this.answer(idleType(received), place, text)
  }

  consumed(place: { slot: number; generation: number }, bytes: number): void {
    const payload = Buffer.alloc(CREDIT_BYTES)
    payload.writeInt32LE(bytes)
    this.#write(RESPONSE.CONSUMED, place, payload)
  }

  #write(type: number, { slot, generation }: { slot: number; generation: number }, payload: Buffer): void {
    if (!this.#producer.tryWrite(type, slot, generation, payload))
      throw new Error('the response ring is full')
  }
}
