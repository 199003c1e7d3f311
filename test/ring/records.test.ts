import { describe, expect, it } from 'vitest'
import { Consumer, Producer, REFUSED, type RingPlace, resetRing } from '../../src/shared/ringbuffer/index.ts'
import { DATA_OFFSET, DATA_WORD, READ_WORD, ringAt, STARTS, TAKEN_WORD, WRITE_WORD } from './fixtures.ts'

const pair = (place: RingPlace) => ({
  producer: new Producer(place),
  consumer: new Consumer(place),
  bytes: new Uint8Array(place.buffer),
  words: new Int32Array(place.buffer),
})

describe.each(STARTS)('records from position %d on', (start) => {
  it('carry their header and payload across', () => {
    const { producer, consumer, bytes } = pair(ringAt(start))
    expect(producer.tryWrite(7, -3, 2 ** 31 - 1, Uint8Array.of(1, 2, 3))).toBe(true)
    expect(consumer.next()).toBe(true)
    const { type, slot, generation, length, offset } = consumer
    expect({ type, slot, generation, length }).toEqual({
      type: 7,
      slot: -3,
      generation: 2 ** 31 - 1,
      length: 3,
    })
    expect(Array.from(bytes.subarray(offset, offset + length))).toEqual([1, 2, 3])
    expect(consumer.next()).toBe(false)
  })

  it('lie 8-byte aligned and whole, whatever came before', () => {
    const { producer, consumer } = pair(ringAt(start))
    for (let length = 0; length <= producer.maxPayload; length += 31) {
      const offset = producer.tryClaim(length)
      expect(offset % 8).toBe(0)
      expect(offset).toBeGreaterThanOrEqual(DATA_OFFSET + 16)
      expect(offset + length).toBeLessThanOrEqual(DATA_OFFSET + 1024)
      producer.commit(1, 0, length)
      expect(consumer.next() && consumer.offset === offset && consumer.length === length).toBe(true)
      consumer.release()
    }
  })

  it('of the largest size always fit an empty ring, and two fill it where they are aligned', () => {
    const { producer, consumer } = pair(ringAt(start))
    const largest = new Uint8Array(producer.maxPayload)
    for (let filler = 0; filler < 200; filler += 8) {
      expect(producer.tryWrite(1, 0, 0, largest)).toBe(true)
      expect(consumer.next() && consumer.length).toBe(496)
      consumer.release()
      expect(producer.tryWrite(1, 0, 0, new Uint8Array(filler))).toBe(true)
      expect(consumer.next() && consumer.length).toBe(filler)
      consumer.release()
    }
  })
})

describe('a full ring', () => {
  it('refuses, and takes the same claim after a release', () => {
    const { producer, consumer } = pair(ringAt())
    const largest = new Uint8Array(496)
    expect(producer.tryWrite(1, 0, 0, largest) && producer.tryWrite(2, 0, 0, largest)).toBe(true)
    expect(producer.usedBytes()).toBe(1024)
    expect(producer.tryClaim(0)).toBe(REFUSED)
    expect(producer.tryWrite(3, 0, 0, largest)).toBe(false)
    expect(consumer.next()).toBe(true)
    expect(producer.tryClaim(0)).toBe(REFUSED)
    consumer.release()
    expect(producer.tryClaim(0)).toBe(DATA_OFFSET + 16)
  })

  it('counts the padding: a record that would wrap is refused while only the end is free', () => {
    const { producer, consumer } = pair(ringAt())
    producer.tryWrite(1, 0, 0, new Uint8Array(496))
    producer.tryWrite(2, 0, 0, new Uint8Array(240))
    consumer.next()
    expect(producer.tryClaim(300)).toBe(REFUSED)
    consumer.release()
    expect(producer.tryClaim(300)).toBe(DATA_OFFSET + 16)
    producer.commit(3, 0, 0)
    expect([consumer.next(), consumer.type as number]).toEqual([true, 2])
    expect([consumer.next(), consumer.type as number]).toEqual([true, 3])
    consumer.release()
    expect(producer.usedBytes()).toBe(0)
  })

  it('holds padding of 8 bytes, which is less than a header', () => {
    const { producer, consumer, words } = pair(ringAt())
    producer.tryWrite(1, 0, 0, new Uint8Array(496))
    consumer.next()
    consumer.release()
    producer.tryWrite(2, 0, 0, new Uint8Array(488))
    expect(producer.tryWrite(3, 9, 9, new Uint8Array(1))).toBe(true)
    expect([words[DATA_WORD + 254], words[DATA_WORD + 255]]).toEqual([8, -1])
    expect(consumer.next() && consumer.type === 2 && consumer.next()).toBe(true)
    expect([consumer.type, consumer.offset]).toEqual([3, DATA_OFFSET + 16])
  })
})

describe('claims', () => {
  it('are invisible until committed, and leave no trace when aborted', () => {
    const { producer, consumer } = pair(ringAt(1000))
    const offset = producer.tryClaim(100)
    expect(consumer.isEmpty()).toBe(true)
    producer.abort()
    expect(producer.usedBytes()).toBe(0)
    expect(producer.tryClaim(100)).toBe(offset)
    producer.commit(1, 0, 0)
    expect(consumer.isEmpty()).toBe(false)
  })

  it('shrink at commit and give the rest back', () => {
    const { producer, consumer } = pair(ringAt())
    producer.tryClaim(400)
    producer.commit(1, 0, 0, 3)
    expect(producer.usedBytes()).toBe(24)
    expect(consumer.next() && consumer.length).toBe(3)
  })

  it('grow in place while the room behind them lasts', () => {
    const { producer, consumer, bytes } = pair(ringAt(512))
    const offset = producer.tryClaim(8)
    bytes[offset] = 42
    expect(producer.tryExtend(4)).toBe(true)
    expect(producer.tryExtend(300)).toBe(true)
    expect(producer.tryExtend(497)).toBe(false)
    producer.commit(1, 0, 0, 300)
    expect(consumer.next() && [consumer.length, consumer.offset, bytes[consumer.offset]]).toEqual([
      300,
      offset,
      42,
    ])
    expect(producer.tryClaim(8)).toBe(DATA_OFFSET + 320 + 512 + 16)
    expect(producer.tryExtend(180)).toBe(false) // the end of the data area is 192 bytes from the record's start
    expect(producer.tryExtend(176)).toBe(true)
    producer.commit(2, 0, 0)
    expect(consumer.next() && consumer.length).toBe(176)
  })

  it('do not grow into what is not released', () => {
    const { producer, consumer } = pair(ringAt())
    producer.tryWrite(1, 0, 0, new Uint8Array(496))
    producer.tryWrite(1, 0, 0, new Uint8Array(240))
    consumer.next()
    consumer.release()
    expect(producer.tryClaim(496)).toBe(DATA_OFFSET + 16)
    producer.abort()
    producer.tryClaim(240)
    producer.commit(1, 0, 0)
    producer.tryClaim(400)
    expect(producer.tryExtend(496)).toBe(true)
    producer.commit(1, 0, 0, 100)
    producer.tryClaim(100)
    expect(producer.tryExtend(400)).toBe(false)
    consumer.next()
    consumer.release()
    expect(producer.tryExtend(376)).toBe(true)
    producer.commit(1, 0, 0)
    expect(producer.usedBytes()).toBe(256 + 120 + 392)
  })

  it('answer misuse with named errors', () => {
    const { producer } = pair(ringAt())
    const misuse = { code: 'ERR_RING_MISUSE' }
    expect(() => producer.commit(1, 0, 0)).toThrow(expect.objectContaining(misuse))
    expect(() => producer.abort()).toThrow(expect.objectContaining(misuse))
    expect(() => producer.tryExtend(1)).toThrow(expect.objectContaining(misuse))
    for (const length of [-1, 497, 0.5, Number.NaN]) {
      expect(() => producer.tryClaim(length)).toThrow(
        `payload length is ${length}, but must be an integer from 0 to 496`,
      )
    }
    producer.tryClaim(16)
    expect(() => producer.tryClaim(1)).toThrow(expect.objectContaining(misuse))
    for (const length of [-1, 0.5, Number.NaN]) expect(() => producer.tryExtend(length)).toThrow(RangeError)
    for (const length of [-1, 17, 0.5]) expect(() => producer.commit(1, 0, 0, length)).toThrow(RangeError)
    for (const type of [0, -1, 2 ** 31, 1.5])
      expect(() => producer.commit(type, 0, 0)).toThrow(`record type is ${type}`)
    producer.commit(1, 0, 0) // the claim is still open after all of these
  })
})

describe('a cork', () => {
  it('keeps records back until it is drawn, or until a claim is refused', () => {
    const { producer, consumer } = pair(ringAt())
    producer.cork()
    producer.tryWrite(1, 0, 0, new Uint8Array(496))
    expect(consumer.isEmpty()).toBe(true)
    expect(producer.usedBytes()).toBe(512)
    producer.tryWrite(2, 0, 0, new Uint8Array(400))
    expect(producer.tryClaim(200)).toBe(REFUSED)
    expect(consumer.isEmpty()).toBe(false)
    while (consumer.next());
    consumer.release()
    expect(producer.tryClaim(200)).toBeGreaterThan(0)
    producer.commit(3, 0, 0)
    expect(consumer.isEmpty()).toBe(true)
    producer.uncork()
    expect([consumer.next(), consumer.type]).toEqual([true, 3])
  })
})

describe('releasing', () => {
  it('gives a batch back by one call, or its beginning by releaseTo', () => {
    const { producer, consumer } = pair(ringAt(2 ** 31 - 48))
    for (let i = 1; i <= 3; i++) producer.tryWrite(i, 0, 0, new Uint8Array(8))
    const ends: number[] = []
    while (consumer.next()) ends.push(consumer.end)
    expect(producer.usedBytes()).toBe(72)
    consumer.releaseTo(ends[1]!)
    expect(producer.usedBytes()).toBe(24)
    consumer.releaseTo(ends[1]!)
    expect(producer.usedBytes()).toBe(24)
    for (const end of [ends[0]!, ends[2]! + 8, ends[2]! - 1]) {
      expect(() => consumer.releaseTo(end)).toThrow('release position')
    }
    consumer.release()
    expect(producer.usedBytes()).toBe(0)
  })

  it('lets a new consumer start at what the last one did not release', () => {
    const place = ringAt()
    const { producer, consumer } = pair(place)
    for (let i = 1; i <= 3; i++) producer.tryWrite(i, 0, 0, new Uint8Array(8))
    consumer.next()
    consumer.release()
    consumer.next()
    const heir = new Consumer(place)
    expect(heir.next() && heir.type).toBe(2)
  })
})

describe.each(STARTS)('records noted as taken, from position %d on', (start) => {
  it('are behind whom comes after the consumer, released or not; the others are before', () => {
    const place = ringAt(start)
    const { producer, consumer } = pair(place)
    const left = () => {
      const heir = Consumer.behindTaken(place)
      const types: number[] = []
      while (heir.next()) types.push(heir.type)
      return types
    }
    expect(left()).toEqual([])
    // Around the end of the data area more than once, and with the note before, at and after what was released.
    for (let round = 0; round < 40; round++) {
      for (let type = 1; type <= 4; type++) producer.tryWrite(type, 0, 0, new Uint8Array(8 * type))
      expect(left()).toEqual([1, 2, 3, 4])
      consumer.next()
      consumer.taken()
      expect(left()).toEqual([2, 3, 4])
      consumer.release()
      expect(left()).toEqual([2, 3, 4])
      consumer.next()
      consumer.taken()
      // Read, and not acted upon.
      consumer.next()
      expect(left()).toEqual([3, 4])
      consumer.taken()
      consumer.next()
      consumer.taken()
      expect(left()).toEqual([])
      consumer.release()
      expect(left()).toEqual([])
    }
  })

  it('are not believed where they cannot be', () => {
    const place = ringAt(start)
    const { producer, words } = pair(place)
    producer.tryWrite(1, 0, 0, new Uint8Array(8))
    for (const taken of [start - 8, start + 4, start + 48]) {
      words[TAKEN_WORD] = taken
      expect(() => Consumer.behindTaken(place)).toThrow('taken position')
    }
  })

  it('are forgotten when the ring is reset', () => {
    const place = ringAt(start)
    const { producer, consumer } = pair(place)
    producer.tryWrite(1, 0, 0, new Uint8Array(8))
    consumer.next()
    consumer.taken()
    resetRing(place)
    new Producer(place).tryWrite(2, 0, 0, new Uint8Array(8))
    const heir = Consumer.behindTaken(place)
    expect(heir.next() && heir.type).toBe(2)
  })
})

describe('watermarks', () => {
  it('have hysteresis', () => {
    const { producer, consumer } = pair(ringAt(0, { high: 72, low: 24 }))
    const write = () => producer.tryWrite(1, 0, 0, new Uint8Array(8))
    const read = () => {
      consumer.next()
      consumer.release()
    }
    write()
    write()
    expect(producer.isCongested()).toBe(false) // 48 of 72
    write()
    expect(producer.isCongested()).toBe(true) // 72
    read()
    expect(producer.isCongested()).toBe(true) // 48, above 24
    read()
    expect(producer.isCongested()).toBe(false) // 24
    write()
    expect(producer.isCongested()).toBe(false) // 48
  })

  it('are three and one quarter of the capacity unless given', () => {
    const { producer, consumer } = pair(ringAt())
    producer.tryWrite(1, 0, 0, new Uint8Array(496))
    producer.tryWrite(1, 0, 0, new Uint8Array(232))
    expect(producer.isCongested()).toBe(false)
    producer.tryWrite(1, 0, 0, new Uint8Array(0))
    expect(producer.isCongested()).toBe(true) // 776
    consumer.next()
    consumer.release()
    expect(producer.isCongested()).toBe(true) // 264
    consumer.next()
    consumer.release()
    expect(producer.isCongested()).toBe(false)
  })
})

describe('a ring that somebody else wrote into', () => {
  const corrupt = expect.objectContaining({ code: 'ERR_RING_CORRUPT' })

  it.each([
    ['a length beyond the record area', [497, 1]],
    ['a length that is not all published', [12, 1]],
    ['a negative length', [-8, 1]],
    ['a length that overflows', [2 ** 31 - 1, 1]],
    ['type 0, which is what memory never written holds', [8, 0]],
    ['an unknown negative type', [8, -2]],
    ['padding that does not end where the data area ends', [24, -1]],
    ['padding without length', [0, -1]],
  ])('throws for %s', (_, [length, type]) => {
    const { producer, consumer, words } = pair(ringAt(64))
    producer.tryWrite(1, 0, 0, new Uint8Array(8))
    words[DATA_WORD + 16] = length!
    words[DATA_WORD + 17] = type!
    expect(() => consumer.next()).toThrow(corrupt)
  })

  it('throws for a record that straddles the end', () => {
    const { producer, consumer, words } = pair(ringAt(1000))
    producer.tryWrite(1, 0, 0, new Uint8Array(8))
    producer.tryWrite(1, 0, 0, new Uint8Array(8))
    words[DATA_WORD + 250] = 16
    expect(() => consumer.next()).toThrow(corrupt)
  })

  it.each([1032 + 64, 64 - 8, 64 + 4, 2 ** 31])('throws for a write position of %d', (position) => {
    const { consumer, words } = pair(ringAt(64))
    words[WRITE_WORD] = position
    expect(() => consumer.next()).toThrow(corrupt)
    expect(() => consumer.isEmpty()).toThrow(corrupt)
  })

  it.each([64 + 32, 64 - 8, 64 + 4, 2 ** 31])('throws for a read position of %d', (position) => {
    const { producer, words } = pair(ringAt(64))
    producer.tryWrite(1, 0, 0, new Uint8Array(8))
    words[READ_WORD] = position
    expect(() => producer.usedBytes()).toThrow(corrupt)
    expect(() => producer.isCongested()).toThrow(corrupt)
  })

  it('is refused by the constructors', () => {
    const place = ringAt(64)
    new Int32Array(place.buffer)[WRITE_WORD] = 64 + 1032
    expect(() => new Producer(place)).toThrow(corrupt)
    expect(() => new Consumer(place)).toThrow(corrupt)
  })
})
