// An image: one initialised runtime, captured as the non-zero pages of its linear memory. Loading it into any blank or
// used instance of the same engine gives a runtime in exactly the captured state: a function's start is a memcpy.
//
// What is in it: the guest API, the function's bundle after its top-level code, the two host hooks (dispatcher and
// interrupt flag), and the pointers below. What is not: env, secrets, request data, randomness (reseeded at each load).

import { PAGE_BYTES, STATIC_DATA_BYTES } from './module.ts'

/** Pages of the capture, not of WebAssembly: the grain at which zeros are left out. */
const GRAIN_BYTES = 4096

/** Cells of the image that the host calls or reads by address. All are JSValue* but for `rt`, `ctx` and `io`. */
export interface ImagePointers {
  readonly rt: number
  readonly ctx: number
  /** Address of the 64 bytes of the answer words (src/guest/protocol). */
  readonly io: number
  readonly invoke: number
  readonly take: number
  readonly takeHead: number
  readonly fire: number
  readonly push: number
  readonly where: number
  readonly undefined: number
  /** The numbers that `invoke` and `push` take as flags, by their value. */
  readonly flags: readonly number[]
  /** A block of `SCRATCH_BYTES` for arguments. */
  readonly scratch: number
}

/** Plain data over shared memory: cloned to every thread, the bytes exist once. */
export interface Image {
  /** [offset in the guest's memory, length] of each run, their bytes one after the other in `bytes`. */
  readonly runs: readonly (readonly [number, number])[]
  readonly bytes: SharedArrayBuffer
  /** WebAssembly pages that an instance must have before the load. */
  readonly pages: number
  /** One past the last byte that the image defines. */
  readonly endBytes: number
  readonly pointers: ImagePointers
}

const ZEROS = Buffer.alloc(GRAIN_BYTES)

/** The runs of a memory up to `top` that an image must hold: the static data whole, and what is not zero above it. */
function imageRuns(memory: Uint8Array, top: number): [number, number][] {
  const bytes = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength)
  const runs: [number, number][] = [[0, STATIC_DATA_BYTES]]
  for (let at = STATIC_DATA_BYTES; at < top; at += GRAIN_BYTES) {
    if (ZEROS.compare(bytes, at, at + GRAIN_BYTES) === 0) continue
    const last = runs.at(-1)
    if (last && last[0] + last[1] === at) last[1] += GRAIN_BYTES
    else runs.push([at, GRAIN_BYTES])
  }
  return runs
}

/** Captures a memory with no JavaScript of the guest on the stack; nothing at or above `top` has ever been used. */
export function captureImage(memory: Uint8Array, top: number, pointers: ImagePointers): Image {
  const runs = imageRuns(memory, top)
  const total = runs.reduce((sum, [, length]) => sum + length, 0)
  const bytes = new SharedArrayBuffer(total)
  const view = new Uint8Array(bytes)
  let at = 0
  for (const [offset, length] of runs) {
    view.set(memory.subarray(offset, offset + length), at)
    at += length
  }
  const last = runs.at(-1)
  return {
    runs,
    bytes,
    pages: memory.byteLength / PAGE_BYTES,
    endBytes: last ? last[0] + last[1] : 0,
    pointers,
  }
}

/** Copies an image over a memory that is large enough. What lies between the runs must be zero already. */
export function copyImage(image: Image, memory: Uint8Array): void {
  let at = 0
  for (const [offset, length] of image.runs) {
    memory.set(new Uint8Array(image.bytes, at, length), offset)
    at += length
  }
}

/**
 * Zeroes what a used heap holds outside of the image, up to `topBytes`: the image's own zero pages must read as zero, and
 * nothing of an earlier request stays, not even in bytes that no live object covers. The C stack lies below the heap
 * (the runtime is among the heap's first blocks); what is dead there is left, since to zero all of its 5 MiB would commit them.
 */
export function scrubHeap(image: Image, memory: Uint8Array, topBytes: number): void {
  let from = 0
  for (const [offset, length] of image.runs) {
    if (offset > image.pointers.rt) memory.fill(0, from, offset)
    from = offset + length
  }
  if (topBytes > from) memory.fill(0, from, topBytes)
}
