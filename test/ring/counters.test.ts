import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Counters, countersBytes, createSharedMemory } from '../../src/shared/ringbuffer/index.ts'

const counters = (count = 2) => {
  const place = { buffer: createSharedMemory(countersBytes(count)).buffer, offset: 0 }
  return { place, writer: new Counters(place, count), reader: new Counters(place, count) }
}

describe('counters', () => {
  it('start at zero and are apart', () => {
    const { writer, reader } = counters()
    writer.add(1, 5)
    expect([reader.get(0), reader.get(1)]).toEqual([0, 5])
  })

  it.each([2 ** 31, 2 ** 32, 5 * 2 ** 32, 2 ** 52])('count across %d in both directions', (border) => {
    const { writer, reader } = counters()
    writer.set(0, border - 2)
    for (let i = 0; i < 4; i++) {
      expect(reader.get(0)).toBe(border - 2 + i)
      writer.add(0, 1)
    }
    writer.add(0, -4)
    expect(reader.get(0)).toBe(border - 2)
  })

  it('are, after any writes, what a plain number would be', () => {
    const value = fc.oneof(
      fc.nat(),
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      fc.constantFrom(2 ** 32, 2 ** 32 - 1),
    )
    const write = fc.record({ set: fc.boolean(), value })
    fc.assert(
      fc.property(fc.array(write, { maxLength: 50 }), (writes) => {
        const { place, writer, reader } = counters()
        let expected = 0
        for (const { set, value } of writes) {
          if (!set && expected + value > Number.MAX_SAFE_INTEGER) continue
          expected = set ? value : expected + value
          if (set) writer.set(1, value)
          else writer.add(1, value)
          expect(reader.get(1)).toBe(expected)
        }
        const heir = new Counters(place, 2)
        heir.set(1, Math.max(0, expected - 1))
        expect(reader.get(1)).toBe(Math.max(0, expected - 1))
      }),
    )
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuse %d as a value, and stay what they were', (value) => {
    const { writer, reader } = counters()
    writer.set(0, 7)
    expect(() => writer.set(0, value)).toThrow(
      `counter 0 is ${value}, but must be an integer from 0 to 2^53-1`,
    )
    expect(reader.get(0)).toBe(7)
  })

  it.each([-1, 2, 0.5])('refuse %d as an index', (i) => {
    const { writer } = counters()
    expect(() => writer.add(i, 1)).toThrow(`counter is ${i}, but must be an integer from 0 to 1`)
    expect(() => writer.set(i, 1)).toThrow(RangeError)
    expect(() => writer.get(i)).toThrow(RangeError)
  })
})
