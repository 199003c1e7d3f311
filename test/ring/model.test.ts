import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Consumer, Producer, REFUSED, recordBytes } from '../../src/shared/ringbuffer/index.ts'
import { ringAt, STARTS } from './fixtures.ts'

/** What a record should be read as: the model is a queue of these. */
interface Message {
  type: number
  slot: number
  generation: number
  payload: number[]
}

/** The ring under test beside the queue that it should behave like. */
class Pair {
  readonly #place
  readonly #bytes
  producer
  consumer
  /** Committed and unread; read and unreleased. */
  readonly queue: Message[] = []
  readonly unreleased: number[] = []
  #serial = 0

  constructor(start: number, capacity: number) {
    this.#place = ringAt(start, { capacity })
    this.#bytes = new Uint8Array(this.#place.buffer)
    this.producer = new Producer(this.#place)
    this.consumer = new Consumer(this.#place)
  }

  message(length: number): Message {
    const serial = ++this.#serial
    const payload = Array.from({ length }, (_, i) => (serial * 31 + i) & 255)
    return { type: (serial % 100) + 1, slot: serial - 50, generation: -serial, payload }
  }

  fill(offset: number, payload: number[]): void {
    this.#bytes.set(payload, offset)
  }

  committed(message: Message): void {
    this.queue.push(message)
  }

  /** Bytes in use without padding: what is used can be more by at most one padding in flight for each lap. */
  records(): number {
    const unread = this.queue.reduce((sum, { payload }) => sum + recordBytes(payload.length), 0)
    return unread + this.unreleased.reduce((sum, length) => sum + recordBytes(length), 0)
  }

  read(): void {
    const { consumer } = this
    expect(consumer.isEmpty()).toBe(this.queue.length === 0)
    const expected = this.queue.shift()
    expect(consumer.next()).toBe(expected !== undefined)
    if (expected === undefined) return
    const { type, slot, generation, offset, length } = consumer
    const payload = Array.from(this.#bytes.subarray(offset, offset + length))
    expect({ type, slot, generation, payload }).toEqual(expected)
    this.unreleased.push(length)
  }

  release(): void {
    this.consumer.release()
    this.unreleased.length = 0
  }

  /** Both sides made anew, as after a restart: unreleased records come again, so the model gives them back first. */
  restart(): void {
    this.release()
    this.producer = new Producer(this.#place)
    this.consumer = new Consumer(this.#place)
  }
}

class Write implements fc.Command<object, Pair> {
  readonly #length: number

  constructor(share: number, maxPayload: number) {
    this.#length = Math.round(share * maxPayload)
  }

  check = () => true
  run(_: object, pair: Pair): void {
    const message = pair.message(this.#length)
    const { type, slot, generation, payload } = message
    const taken = pair.producer.tryWrite(type, slot, generation, Uint8Array.from(payload))
    if (pair.records() === 0) expect(taken).toBe(true)
    if (pair.records() + recordBytes(payload.length) > pair.producer.capacity) expect(taken).toBe(false)
    if (taken) pair.committed(message)
  }
  toString = () => `write(${this.#length})`
}

/** A claim that is extended, then aborted or committed at a share of its length. */
class Claim implements fc.Command<object, Pair> {
  readonly #claim: number
  readonly #extended: number
  readonly #keep: number | undefined

  constructor(claim: number, extended: number, keep: number | undefined, maxPayload: number) {
    this.#claim = Math.round(claim * maxPayload)
    this.#extended = Math.round(extended * maxPayload)
    this.#keep = keep
  }

  check = () => true
  run(_: object, pair: Pair): void {
    const { producer } = pair
    const used = producer.usedBytes()
    const offset = producer.tryClaim(this.#claim)
    if (offset === REFUSED) return
    const grown = producer.tryExtend(this.#extended)
    if (this.#extended <= this.#claim) expect(grown).toBe(true)
    const room = grown ? Math.max(this.#claim, this.#extended) : this.#claim
    expect(producer.usedBytes()).toBe(used)
    if (this.#keep === undefined) {
      producer.abort()
      return
    }
    const message = pair.message(Math.round(this.#keep * room))
    pair.fill(offset, pair.message(room).payload)
    pair.fill(offset, message.payload)
    producer.commit(message.type, message.slot, message.generation, message.payload.length)
    pair.committed(message)
  }
  toString = () =>
    `claim(${this.#claim}, extend ${this.#extended}, ${this.#keep === undefined ? 'abort' : this.#keep})`
}

class Call implements fc.Command<object, Pair> {
  readonly #verb: 'read' | 'release' | 'restart'

  constructor(verb: 'read' | 'release' | 'restart') {
    this.#verb = verb
  }

  check = () => true
  run(_: object, pair: Pair): void {
    pair[this.#verb]()
    const used = pair.producer.usedBytes()
    expect(used % 8).toBe(0)
    expect(used).toBeGreaterThanOrEqual(pair.records())
    expect(used).toBeLessThanOrEqual(pair.producer.capacity)
    if (pair.records() === 0) expect(used).toBe(0)
  }
  toString = () => this.#verb
}

const share = fc.oneof(
  fc.constantFrom(0, 1),
  fc.double({ min: 0, max: 0.2, noNaN: true }),
  fc.double({ min: 0, max: 1, noNaN: true }),
)

it.each([1024, 4096])(
  'BOUND, PUBLISH, LAP: a ring of %d bytes is a queue of messages, from every start position',
  (capacity) => {
    const maxPayload = capacity / 2 - 16
    const commands = [
      share.map((length) => new Write(length, maxPayload)),
      fc
        .tuple(share, share, fc.option(share, { nil: undefined }))
        .map(([a, b, keep]) => new Claim(a, b, keep, maxPayload)),
      fc
        .constantFrom('read', 'read', 'read', 'release', 'release', 'restart')
        .map((verb) => new Call(verb as 'read')),
    ]
    const start = fc.oneof(
      fc.constantFrom(...STARTS),
      fc.nat({ max: 2 ** 29 - 1 }).map((n) => n * 8),
    )
    fc.assert(
      fc.property(start, fc.commands(commands, { maxCommands: 200, size: 'max' }), (start, commands) => {
        fc.modelRun(() => ({ model: {}, real: new Pair(start, capacity) }), commands)
      }),
      { numRuns: 150 },
    )
  },
)
