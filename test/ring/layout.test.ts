import { describe, expect, it } from 'vitest'
import {
  Consumer,
  Counters,
  countersBytes,
  createSharedMemory,
  Doorbell,
  doorbellBytes,
  HEADER_BYTES,
  maxPayloadBytes,
  Producer,
  recordBytes,
  resetRing,
  ringBytes,
} from '../../src/shared/ringbuffer/index.ts'
import { ringAt } from './fixtures.ts'

describe('shared memory', () => {
  it.each([
    [1, 65_536],
    [65_536, 65_536],
    [65_537, 131_072],
  ])('%i bytes become %i, shared and of fixed size', (bytes, size) => {
    const memory = createSharedMemory(bytes)
    expect(memory.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(memory.buffer.byteLength).toBe(size)
    expect(() => memory.grow(1)).toThrow(RangeError)
  })

  it.each([0, -1, 1.5, Number.NaN, 2 ** 32 + 1])('refuses %d bytes by name', (bytes) => {
    expect(() => createSharedMemory(bytes)).toThrow(new RegExp(`memory size.* is ${bytes}, .*4294967296`))
  })
})

describe('sizes', () => {
  it('gives each control word a line of 128 bytes', () => {
    expect(ringBytes(1024)).toBe(1024 + 256)
    expect(doorbellBytes).toBe(128)
    expect(countersBytes(3)).toBe(384)
  })

  it('rounds records up to 8 bytes and lets half the capacity be one record', () => {
    expect([0, 1, 8, 9].map(recordBytes)).toEqual([16, 24, 24, 32])
    expect(recordBytes(maxPayloadBytes(1024))).toBe(512)
    expect(HEADER_BYTES).toBe(16)
  })

  it.each([0, 512, 1000, 1025, 2 ** 31, 1024.5, Number.NaN])(
    'refuses a capacity of %d by name',
    (capacity) => {
      expect(() => ringBytes(capacity)).toThrow(
        new RegExp(`ring capacity is ${capacity}, .*1024 to 1073741824`),
      )
    },
  )

  it.each([0, -1, 65_537, 2.5])('refuses %d counters by name', (count) => {
    expect(() => countersBytes(count)).toThrow(new RegExp(`counters is ${count}, .*65536`))
  })
})

describe('places', () => {
  const { buffer } = createSharedMemory(65_536)

  it.each([-128, 64, 4, 65_536 - 1280 + 128, 1.5, Number.NaN])(
    'refuses a ring at offset %d by name',
    (offset) => {
      const place = { buffer, offset, capacity: 1024 }
      const message = new RegExp(`ring offset is ${offset}, .*128 from 0 to 64256`)
      expect(() => new Producer(place)).toThrow(message)
      expect(() => new Consumer(place)).toThrow(message)
    },
  )

  it('takes the last place that fits, and refuses a doorbell or counters past theirs', () => {
    expect(new Producer({ buffer, offset: 65_536 - 1280, capacity: 1024 }).maxPayload).toBe(496)
    expect(() => new Doorbell({ buffer, offset: 65_536 })).toThrow('doorbell offset is 65536')
    expect(() => new Counters({ buffer, offset: 65_408 }, 2)).toThrow('counters offset is 65408')
  })

  it.each([
    [0, 0],
    [1025, 256],
    [512, 512],
    [512, -1],
    [512.5, 256],
  ])('refuses watermarks %d and %d', (high, low) => {
    expect(() => new Producer(ringAt(0, { high, low }))).toThrow(/(high|low)Watermark is .*, but must be/)
  })
})

describe('resetRing', () => {
  it('empties the ring for sides made anew', () => {
    const place = ringAt(96)
    new Producer(place).tryWrite(1, 2, 3, new Uint8Array(5))
    expect(new Consumer(place).isEmpty()).toBe(false)
    resetRing(place)
    expect(new Consumer(place).isEmpty()).toBe(true)
    expect(new Producer(place).usedBytes()).toBe(0)
    expect(Array.from(new Int32Array(place.buffer, 0, 33)).every((word) => word === 0)).toBe(true)
  })
})
