import { expect, it } from 'vitest'
import { AtomicWords, Consumer, Producer, type Words } from '../../src/shared/ringbuffer/index.ts'
import { DATA_WORD, READ_WORD, ringAt, WRITE_WORD } from './fixtures.ts'

type Access = [kind: 'get' | 'set' | 'load' | 'store', word: number, value: number]

/** Real words that note each access. */
class RecordingWords extends AtomicWords implements Words {
  readonly log: Access[] = []

  override get(index: number): number {
    return this.#note('get', index, super.get(index))
  }

  override set(index: number, value: number): void {
    super.set(index, this.#note('set', index, value))
  }

  override load(index: number): number {
    return this.#note('load', index, super.load(index))
  }

  override store(index: number, value: number): void {
    super.store(index, this.#note('store', index, value))
  }

  #note(kind: Access[0], index: number, value: number): number {
    this.log.push([kind, index, value])
    return value
  }

  take(): Access[] {
    return this.log.splice(0)
  }
}

it('PUBLISH: the header is written after the claim and before one store of the write position, which is last', () => {
  const place = ringAt()
  const words = new RecordingWords(place.buffer)
  const producer = new Producer(place, words)
  words.take()
  producer.tryClaim(8)
  expect(words.take()).toEqual([])
  producer.commit(5, 6, 7)
  expect(words.take()).toEqual([
    ['set', DATA_WORD, 8],
    ['set', DATA_WORD + 1, 5],
    ['set', DATA_WORD + 2, 6],
    ['set', DATA_WORD + 3, 7],
    ['store', WRITE_WORD, 24],
  ])
})

it('PUBLISH: the padding is written before, and published by, the store of the record behind it', () => {
  const place = ringAt(1000)
  const words = new RecordingWords(place.buffer)
  const producer = new Producer(place, words)
  words.take()
  producer.tryClaim(9)
  producer.commit(5, 6, 7)
  expect(words.take()).toEqual([
    ['set', DATA_WORD + 250, 24],
    ['set', DATA_WORD + 251, -1],
    ['set', DATA_WORD, 9],
    ['set', DATA_WORD + 1, 5],
    ['set', DATA_WORD + 2, 6],
    ['set', DATA_WORD + 3, 7],
    ['store', WRITE_WORD, 1000 + 24 + 32],
  ])
})

it('PUBLISH: tryWrite copies the payload before that store', () => {
  const place = ringAt()
  let payloadAtStore = -1
  const words = new (class extends AtomicWords {
    override store(index: number, value: number): void {
      payloadAtStore = this.get(DATA_WORD + 4)
      super.store(index, value)
    }
  })(place.buffer)
  new Producer(place, words).tryWrite(1, 0, 0, Uint8Array.of(9, 0, 0, 0))
  expect(payloadAtStore).toBe(9)
})

it('PUBLISH: a cork leaves one store for the batch, after the last record', () => {
  const place = ringAt()
  const words = new RecordingWords(place.buffer)
  const producer = new Producer(place, words)
  words.take()
  producer.cork()
  for (let i = 1; i <= 3; i++) producer.tryWrite(i, 0, 0, new Uint8Array(8))
  expect(words.take().every(([kind]) => kind === 'set')).toBe(true)
  producer.uncork()
  producer.uncork()
  expect(words.take()).toEqual([['store', WRITE_WORD, 72]])
  producer.tryWrite(4, 0, 0, new Uint8Array(8))
  expect(words.take().at(-1)).toEqual(['store', WRITE_WORD, 96])
})

it('RELEASE: nothing is given back before release, and a batch by one store; PUBLISH: one load covers the batch', () => {
  const place = ringAt()
  const producer = new Producer(place)
  for (let i = 1; i <= 3; i++) producer.tryWrite(i, 0, 0, new Uint8Array(8))
  const words = new RecordingWords(place.buffer)
  const consumer = new Consumer(place, words)
  while (consumer.next());
  const reads = words.take()
  expect(reads.filter(([kind]) => kind === 'store')).toEqual([])
  expect(reads.map(([kind, word]) => `${kind} ${word}`)).toEqual([
    ...[`load ${READ_WORD}`, `load ${WRITE_WORD}`],
    ...Array.from(
      { length: 12 },
      (_, i) => `get ${DATA_WORD + Math.floor(i / 4) * 6 + [0, 1, 2, 3][i % 4]!}`,
    ),
    `load ${WRITE_WORD}`,
  ])
  consumer.release()
  consumer.release()
  expect(words.take()).toEqual([['store', READ_WORD, 72]])
})

it("BOUND: claims look at the consumer's line only when the position known does not suffice", () => {
  const place = ringAt()
  const words = new RecordingWords(place.buffer)
  const producer = new Producer(place, words)
  words.take()
  producer.tryWrite(1, 0, 0, new Uint8Array(496))
  producer.tryWrite(1, 0, 0, new Uint8Array(496))
  expect(words.take().filter(([kind]) => kind === 'load')).toEqual([])
  expect(producer.tryClaim(0)).toBe(-1)
  expect(words.take()).toEqual([['load', READ_WORD, 0]])
})
