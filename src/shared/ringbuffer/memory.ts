import { outOfRange } from './errors.ts'

const PAGE_BYTES = 65_536
const MAX_PAGES = 65_536

/** A shared `WebAssembly.Memory`, in the two members used here; declared because Node's own types leave the class out. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer
  grow(pages: number): number
}

interface MemoryConstructor {
  new (descriptor: { initial: number; maximum: number; shared: true }): SharedMemory
}

const { WebAssembly } = globalThis as unknown as { WebAssembly: { Memory: MemoryConstructor } }

/**
 * A shared `WebAssembly.Memory` of at least `bytes` bytes (rounded up to pages of 64 KiB) that never grows: its `buffer` stays
 * the same object for good, so views over it and byte offsets into it stay valid. Throws RangeError outside 1 byte..4 GiB.
 */
export function createSharedMemory(bytes: number): SharedMemory {
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > MAX_PAGES * PAGE_BYTES) {
    outOfRange('memory size in bytes', bytes, `an integer from 1 to ${MAX_PAGES * PAGE_BYTES}`)
  }
  const pages = Math.ceil(bytes / PAGE_BYTES)
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
}
