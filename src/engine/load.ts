// Putting an image into an instance, which may have been used: the base first, what differs over it, zeros everywhere else. Where
// the engine marks what it writes to (cards.ts), an image that is in the instance already is restored there only.
//
// The shared bytes of a base are copied once more in each thread that loads it: V8 copies from shared memory word by word,
// 2.5 times slower than from memory of the thread's own, and the base is most of what a load copies.

import { CARDS_AT, CARDS_END, type CardTable } from './cards.ts'
import { forEachRun, type Image, imageExtents, runsAt } from './image.ts'
import { C_STACK_BYTES } from './module.ts'

/** Runs from here on are copied by the runtime's own copy; shorter ones in a loop, which needs no object for each. */
const LONG_RUN_BYTES = 256
/** The part of the C stack that is cleared at each load: deeper than a request of a plain handler goes. */
const STACK_CLEARED_BYTES = 32 << 10
/** A deeper stack is found by looking at so much below. */
const STACK_STEP_BYTES = 16 << 10

interface BaseCopy {
  /** Own bytes of each extent, zeros included, and where they go. */
  readonly extents: readonly Piece[]
  /** Those parts of the extents that are runs. */
  readonly pieces: readonly Piece[]
  /** [from, to) of zeros between them. */
  readonly gaps: readonly (readonly [number, number])[]
}

interface Piece {
  readonly address: number
  readonly bytes: Uint8Array
}

/** What is made of an image once in each thread. */
function once<Made>(make: (image: Image) => Made): (image: Image) => Made {
  const made = new WeakMap<Image, Made>()
  return (image) => {
    let known = made.get(image)
    if (known === undefined) {
      known = make(image)
      made.set(image, known)
    }
    return known
  }
}

const copyOf = once((base): BaseCopy => {
  const extents = imageExtents(base).map(([from, to]) => ({
    address: from,
    bytes: new Uint8Array(to - from),
  }))
  const pieces: Piece[] = []
  forEachRun(base, (address, length, at) => {
    const extent = extents.findLast((each) => address >= each.address)!
    const bytes = extent.bytes.subarray(address - extent.address, address - extent.address + length)
    bytes.set(new Uint8Array(base.bytes, at, length))
    pieces.push({ address, bytes })
  })
  const gaps: [number, number][] = []
  for (const [from, to] of imageExtents(base)) {
    let end = from
    for (const { address, bytes } of pieces) {
      if (address < from || address >= to) continue
      if (address > end) gaps.push([end, address])
      end = address + bytes.length
    }
    if (end < to) gaps.push([end, to])
  }
  return { extents, pieces, gaps }
})

/**
 * Gives the memory the image's state. `usedBytes`: one past the last byte that what ran here before may have written. The memory
 * has at least `image.pages`; `cards` is its card table, if it has one.
 */
export function loadImage(image: Image, memory: Uint8Array, usedBytes: number, cards?: CardTable): void {
  const base = image.base ?? image
  const { pieces, gaps } = copyOf(base)
  for (const { address, bytes } of pieces) memory.set(bytes, address)
  for (const [from, to] of gaps) memory.fill(0, from, to)
  const end = image.base === null ? base.extentBytes : loadDelta(image, base.extentBytes, memory)
  if (usedBytes > end) memory.fill(0, end, usedBytes)
  if (image.heapStart > 0) clearStack(memory, image.heapStart, stackLimit(image.heapStart, cards))
  cards?.clear(Math.max(usedBytes, image.extentBytes))
}

/**
 * Gives the memory the image's state again, which it had before: what was written to since, and no more. False when that cannot
 * be known: then nothing is as it should be, and the image must be loaded.
 */
export function restoreImage(image: Image, memory: Uint8Array, usedBytes: number, cards: CardTable): boolean {
  const { heapStart, extentBytes } = image
  if (heapStart === 0) return false
  // A stack that has reached the table may have written into it.
  if (!clearStack(memory, heapStart, CARDS_END)) {
    memory.fill(0, CARDS_AT, heapStart)
    return false
  }
  const delta = deltaOf(image)
  for (const { address, bytes } of copyOf(image.base ?? image).extents) {
    // The heap's extent reaches as far as anything was ever used.
    const to = address > 0 ? Math.max(extentBytes, usedBytes) : address + bytes.length
    const count = cards.take(address, to)
    for (let i = 0; i < count; i++) {
      restoreRange(memory, address, bytes, cards.ranges[i * 2]!, cards.ranges[i * 2 + 1]!)
    }
    restoreRuns(image, delta, memory, cards.memoryWords, cards.ranges, count)
  }
  return true
}

/** Of a base's extent, and zeros above it. */
function restoreRange(
  memory: Uint8Array,
  address: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  const end = address + bytes.length
  if (from < end) memory.set(bytes.subarray(from - address, Math.min(to, end) - address), from)
  if (to > end) memory.fill(0, Math.max(from, end), to)
}

interface Delta {
  /** As in {@link Image.bytes}; empty for a base. */
  readonly table: Uint32Array
  readonly words: BigInt64Array
}

const deltaOf = once(
  ({ base, bytes, runs }): Delta => ({
    table: new Uint32Array(bytes, 0, base === null ? 0 : runs * 2),
    words: new BigInt64Array(bytes),
  }),
)

/** Copies what an image's runs have of the ranges, which ascend as the runs do; all are multiples of eight. */
function restoreRuns(
  { bytes, runs }: Image,
  { table, words }: Delta,
  memory: Uint8Array,
  target: BigInt64Array,
  ranges: Uint32Array,
  count: number,
): void {
  let at = runsAt(runs)
  let run = 0
  for (let i = 0; i < count * 2 && run < table.length; i += 2) {
    const from = ranges[i]!
    const to = ranges[i + 1]!
    for (; run < table.length && table[run]! + table[run + 1]! <= from; run += 2) at += table[run + 1]!
    // The last run of one range may reach into the next.
    let source = at
    for (let next = run; next < table.length && table[next]! < to; next += 2) {
      const start = Math.max(from, table[next]!)
      const length = Math.min(to, table[next]! + table[next + 1]!) - start
      const first = source + start - table[next]!
      if (length < LONG_RUN_BYTES) copyWords(words, first >> 3, target, start >> 3, length >> 3)
      else memory.set(new Uint8Array(bytes, first, length), start)
      source += table[next + 1]!
    }
  }
}

/** Where the C stack's far end is, or the card table's. */
const stackLimit = (stackEnd: number, cards: CardTable | undefined): number =>
  cards === undefined ? stackEnd - C_STACK_BYTES : CARDS_END

/** Returns where the last run ends, at least `baseEnd`; above that, what lies between runs is zeroed. */
function loadDelta({ bytes, runs }: Image, baseEnd: number, memory: Uint8Array): number {
  const table = new Uint32Array(bytes, 0, runs * 2)
  const source = new BigInt64Array(bytes)
  const target = new BigInt64Array(memory.buffer)
  let at = runsAt(runs)
  let end = baseEnd
  for (let i = 0; i < runs * 2; i += 2) {
    const address = table[i]!
    const length = table[i + 1]!
    if (length < LONG_RUN_BYTES) copyWords(source, at >> 3, target, address >> 3, length >> 3)
    else memory.set(new Uint8Array(bytes, at, length), address)
    if (address >= baseEnd) {
      if (address > end) memory.fill(0, end, address)
      end = address + length
    }
    at += length
  }
  return end
}

function copyWords(
  source: BigInt64Array,
  from: number,
  target: BigInt64Array,
  to: number,
  words: number,
): void {
  for (let i = 0; i < words; i++) target[to + i] = source[from + i]!
}

const ZEROS = Buffer.alloc(STACK_STEP_BYTES)

/**
 * Nothing live refers to the C stack's old bytes, and they are cleared all the same, as deep as they go: where a step of the stack
 * is all zeros, nothing below it has been written, but for frames larger than a step. False when it has reached `lowest`.
 */
function clearStack(memory: Uint8Array, stackEnd: number, lowest: number): boolean {
  let from = stackEnd - STACK_CLEARED_BYTES
  memory.fill(0, from, stackEnd)
  while (from - STACK_STEP_BYTES >= lowest && ZEROS.compare(memory, from - STACK_STEP_BYTES, from) !== 0) {
    memory.fill(0, from - STACK_STEP_BYTES, from)
    from -= STACK_STEP_BYTES
  }
  return from - STACK_STEP_BYTES >= lowest
}

/** A stretch of untouched stack that is recognised by one comparison. */
const STRETCH_BYTES = 64 << 10
const STRETCH_OF_ZEROS = Buffer.alloc(STRETCH_BYTES)

/**
 * Zeroes all that has ever been touched of the C stack, whatever lies between, down to the card table if there is one: for a
 * change of tenant. It is looked through from
 * its far end, because to zero all of its 5 MiB would commit them: 0.1 ms, an instance's first time 1 ms.
 */
export function scrubStack(memory: Uint8Array, stackEnd: number, cards?: CardTable): void {
  const bytes = Buffer.from(memory.buffer, memory.byteOffset, stackEnd)
  let at = stackLimit(stackEnd, cards)
  while (at < stackEnd) {
    const end = Math.min(at + STRETCH_BYTES, stackEnd)
    if (STRETCH_OF_ZEROS.compare(bytes, at, end, 0, end - at) !== 0) break
    at = end
  }
  bytes.fill(0, at, stackEnd)
}
