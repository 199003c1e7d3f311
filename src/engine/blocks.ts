// The blocks of the engine's heap, as its allocator (emscripten's dlmalloc) lays them out: one after the other from where the
// heap starts to its top. Each begins with eight bytes: the size of the block before if that is free, and its own size, whose
// lowest bits say whether it (2) and the block before (1) are in use. What a free block holds beyond its links is dead.

const HEADER_BYTES = 8
/** Of a block in use, which may use the next one's first four bytes. */
const OVERHEAD_BYTES = 4
/** A free block's links follow its header: two for a list; from 256 bytes on three more and an index, for a tree. */
const LIST_HEADER_BYTES = 16
const TREE_HEADER_BYTES = 32
const TREE_BLOCK_BYTES = 256
const IN_USE = 2
const SIZE_MASK = ~7
/** What the allocator keeps at the end of what it has taken (dlmalloc, TOP_FOOT_SIZE). */
const FOOT_BYTES = 40

/**
 * Visits every block from `start`; false if that does not end exactly at `top`: then the memory is no heap of this form, or a
 * damaged one.
 */
export function walkHeap(
  memory: Uint8Array,
  start: number,
  top: number,
  visit: (at: number, bytes: number, isFree: boolean) => void = () => {},
): boolean {
  const words = new Uint32Array(memory.buffer)
  let at = start
  while (at < top) {
    const head = words[(at + 4) >> 2]!
    const bytes = (head & SIZE_MASK) >>> 0
    if (bytes < HEADER_BYTES || bytes > top - at) return false
    visit(at, bytes, (head & IN_USE) === 0)
    at += bytes
  }
  return at === top
}

/** Zeroes what no block in use holds, so that neither dead bytes nor their size are part of an image. */
export function clearFreeBlocks(memory: Uint8Array, start: number, top: number, end: number): boolean {
  // First a look, then the change: a heap that is not understood stays as it is.
  if (!walkHeap(memory, start, top) || end < top + FOOT_BYTES) return false
  walkHeap(memory, start, top, (at, bytes, isFree) => {
    if (isFree)
      memory.fill(0, at + (bytes < TREE_BLOCK_BYTES ? LIST_HEADER_BYTES : TREE_HEADER_BYTES), at + bytes)
  })
  memory.fill(0, top + HEADER_BYTES, end - FOOT_BYTES)
  return true
}

/** Free blocks below this are holes: what a request allocates would lie scattered in them, over as many cards. */
const HOLE_BYTES = 1024
/** Of {@link fillHoles}: one is enough, unless the allocator cuts what was meant for a hole from a larger block. */
const PASSES = 4

/**
 * Takes every free block from `start` to `top` that is smaller than HOLE_BYTES, for good, and zeroes it: what is allocated from then
 * on lies together, in the few large ones and behind the top. A heap that is not understood stays as it is.
 */
export function fillHoles(
  memory: () => Uint8Array,
  malloc: (bytes: number) => number,
  start: number,
  top: number,
): void {
  for (let pass = 0; pass < PASSES; pass++) {
    const holes: number[] = []
    const visit = (_: number, bytes: number, isFree: boolean) => {
      if (isFree && bytes < HOLE_BYTES) holes.push(bytes - OVERHEAD_BYTES)
    }
    if (!walkHeap(memory(), start, top, visit)) return
    // The large ones first: a small one's request never finds a block of its size gone by being cut from a larger one.
    for (const bytes of holes.sort((a, b) => b - a)) {
      const at = malloc(bytes)
      if (at !== 0) memory().fill(0, at, at + bytes)
    }
    if (holes.length === 0) return
  }
}
