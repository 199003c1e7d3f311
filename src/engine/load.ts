// Putting an image into an instance, which may have been used: the base first, what differs over it, zeros everywhere else.
//
// The shared bytes of a base are copied once more in each thread that loads it: V8 copies from shared memory word by word,
// 2.5 times slower than from memory of the thread's own, and the base is most of what a load copies.

import { forEachRun, type Image, imageExtents, runsAt } from './image.ts'
import { C_STACK_BYTES } from './module.ts'

/** Runs from here on are copied by the runtime's own copy; shorter ones in a loop, which needs no object for each. */
const LONG_RUN_BYTES = 256
/** The part of the C stack that is cleared at each load: deeper than a request of a plain handler goes. */
const STACK_CLEARED_BYTES = 32 << 10
/** A deeper stack is found by looking at so much below. */
const STACK_STEP_BYTES = 16 << 10

interface BaseCopy {
  /** Own bytes, and where they go. */
  readonly pieces: readonly { readonly address: number; readonly bytes: Uint8Array }[]
  /** [from, to) of zeros between them. */
  readonly gaps: readonly (readonly [number, number])[]
}

const copies = new WeakMap<Image, BaseCopy>()

function copyOf(base: Image): BaseCopy {
  let copy = copies.get(base)
  if (copy === undefined) {
    const pieces: { address: number; bytes: Uint8Array }[] = []
    forEachRun(base, (address, length, at) => {
      pieces.push({ address, bytes: new Uint8Array(base.bytes, at, length).slice() })
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
    copy = { pieces, gaps }
    copies.set(base, copy)
  }
  return copy
}

/**
 * Gives the memory the image's state. `usedBytes`: one past the last byte that what ran here before may have written. The memory
 * has at least `image.pages`.
 */
export function loadImage(image: Image, memory: Uint8Array, usedBytes: number): void {
  const base = image.base ?? image
  const { pieces, gaps } = copyOf(base)
  for (const { address, bytes } of pieces) memory.set(bytes, address)
  for (const [from, to] of gaps) memory.fill(0, from, to)
  const end = image.base === null ? base.extentBytes : loadDelta(image, base.extentBytes, memory)
  if (usedBytes > end) memory.fill(0, end, usedBytes)
  if (image.heapStart > 0) clearStack(memory, image.heapStart)
}

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
 * is all zeros, nothing below it has been written, but for frames larger than a step.
 */
function clearStack(memory: Uint8Array, stackEnd: number): void {
  let from = stackEnd - STACK_CLEARED_BYTES
  memory.fill(0, from, stackEnd)
  const lowest = stackEnd - C_STACK_BYTES
  while (from - STACK_STEP_BYTES >= lowest && ZEROS.compare(memory, from - STACK_STEP_BYTES, from) !== 0) {
    memory.fill(0, from - STACK_STEP_BYTES, from)
    from -= STACK_STEP_BYTES
  }
}

/** A stretch of untouched stack that is recognised by one comparison. */
const STRETCH_BYTES = 64 << 10
const STRETCH_OF_ZEROS = Buffer.alloc(STRETCH_BYTES)

/**
 * Zeroes all that has ever been touched of the C stack, whatever lies between: for a change of tenant. It is looked through from
 * its far end, because to zero all of its 5 MiB would commit them: 0.1 ms, an instance's first time 1 ms.
 */
export function scrubStack(memory: Uint8Array, stackEnd: number): void {
  const bytes = Buffer.from(memory.buffer, memory.byteOffset, stackEnd)
  let at = stackEnd - C_STACK_BYTES
  while (at < stackEnd) {
    const end = Math.min(at + STRETCH_BYTES, stackEnd)
    if (STRETCH_OF_ZEROS.compare(bytes, at, end, 0, end - at) !== 0) break
    at = end
  }
  bytes.fill(0, at, stackEnd)
}
