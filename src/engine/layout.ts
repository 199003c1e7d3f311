// Where the engine keeps what its C interface does not export, found by probing a throw-away instance.
//
// quickjs-emscripten 0.32 exports neither JS_RunGC nor JS_SetGCThreshold, nor the seed of Math.random, nor the
// allocator's top. All of them are words of linear memory. A wrong guess would corrupt guests in silence, so a word that is
// not found in exactly one place, or does not behave as it should, counts as unknown (null): then something slower stands
// in for it (`doubtsOf`), and every start says so.

import { walkHeap } from './blocks.ts'
import { ALL_INTRINSICS, evaluate } from './evaluate.ts'
import {
  C_STACK_BYTES,
  type EmModule,
  type EngineCode,
  type EngineFfi,
  INITIAL_PAGES,
  openModule,
  STATIC_DATA_BYTES,
} from './module.ts'
import { probeTracker, type TrackerLayout } from './tracker-probe.ts'

/** Absolute byte offsets. */
interface HeapLayout {
  /** dlmalloc's `top`, uint32: one past the last block in use. It falls when blocks below it are freed. */
  readonly top: number
  /** emscripten's sbrk pointer, uint32: one past the last byte that the allocator has ever taken. It never falls. */
  readonly break: number
  /** Where the C stack ends and the heap's first block begins. */
  readonly start: number
}

/** Byte offsets, relative to the runtime's and the context's pointers; null for what was not recognised. */
export interface EngineLayout {
  /** `JSRuntime.malloc_gc_threshold`, uint32: the collector runs when the allocation count passes it. */
  readonly gcThreshold: number | null
  /** `JSRuntime.malloc_state.malloc_count`, uint32: how many allocations are alive. */
  readonly allocations: number | null
  /** `JSContext.random_state`, uint64: the xorshift64* state of Math.random. */
  readonly randomState: number | null
  readonly heap: HeapLayout | null
  readonly rejections: TrackerLayout | null
}

/** What a build of the engine does not let us find, and what is done instead. */
export interface Doubt {
  readonly unknown: string
  readonly instead: string
}

/** Every one costs speed, memory or an event, none of them safety: for the log of each start. */
export function doubtsOf({ gcThreshold, allocations, randomState, heap, rejections }: EngineLayout): Doubt[] {
  const doubts: Doubt[] = []
  if (heap === null) {
    const instead = 'images are of the whole memory, garbage is collected by the engine’s own policy'
    doubts.push({ unknown: 'where the heap is', instead })
  } else if (gcThreshold === null) {
    const instead = 'garbage is collected by the engine’s own policy'
    doubts.push({ unknown: 'the threshold of the garbage collector', instead })
  } else if (allocations === null) {
    doubts.push({ unknown: 'the count of allocations', instead: 'garbage is counted in bytes only' })
  }
  if (randomState === null) {
    doubts.push({ unknown: 'the state of Math.random', instead: 'its numbers come from the host' })
  }
  if (rejections === null) {
    const instead = 'a promise that nobody handles fires no event, and the log has no line of it'
    doubts.push({ unknown: 'the tracker of rejected promises', instead })
  }
  return doubts
}

const RUNTIME_WORDS = 128
const CONTEXT_WORDS = 64
/** JS_NewRuntime sets the threshold to this. */
const INITIAL_GC_THRESHOLD = 256 * 1024

/** The only candidate; null when there is none, or a choice. */
export function onlyOne(candidates: readonly number[]): number | null {
  return candidates.length === 1 ? candidates[0]! : null
}

function probeGcThreshold(em: EmModule, ffi: EngineFfi, rt: number): number | null {
  // The stack size has the same default, so it is moved away first.
  ffi.QTS_RuntimeSetMaxStackSize(rt, 123456)
  const words = new Uint32Array(em.HEAPU8.buffer, rt, RUNTIME_WORDS)
  const hits: number[] = []
  for (let i = 0; i < RUNTIME_WORDS; i++) if (words[i] === INITIAL_GC_THRESHOLD) hits.push(i * 4)
  return onlyOne(hits)
}

/** Whether a threshold of zero makes the next object collect garbage first: the collector sets it anew when it has run. */
function obeysThreshold(em: EmModule, ffi: EngineFfi, word: number, ctx: number): boolean {
  const read = () => new Uint32Array(em.HEAPU8.buffer, word, 1)
  read()[0] = 0
  ffi.QTS_FreeValuePointer(ctx, ffi.QTS_NewObject(ctx))
  return read()[0]! > 0
}

/** Objects made to see the count of allocations rise. */
const PROBE_OBJECTS = 64
/** What the engine adds to its size for an allocation whose real size its allocator does not tell (MALLOC_OVERHEAD). */
const SIZE_PER_ALLOCATION = 8

/** The count stands before the size, and both go back when everything is freed. */
function probeAllocations(em: EmModule, ffi: EngineFfi, rt: number, ctx: number): number | null {
  const read = () => new Uint32Array(em.HEAPU8.buffer, rt, RUNTIME_WORDS).slice()
  const make = () => Array.from({ length: PROBE_OBJECTS }, () => ffi.QTS_NewObject(ctx))
  const free = (objects: readonly number[]) => {
    for (const object of objects) ffi.QTS_FreeValuePointer(ctx, object)
  }
  // The first ones leave a shape behind.
  free(make())
  const before = read()
  const objects = make()
  const during = read()
  free(objects)
  const after = read()
  const hits: number[] = []
  for (let i = 0; i + 1 < RUNTIME_WORDS; i++) {
    const [count, size] = [during[i]! - before[i]!, during[i + 1]! - before[i + 1]!]
    const isFreed = after[i] === before[i] && after[i + 1] === before[i + 1]
    if (count >= PROBE_OBJECTS && size === count * SIZE_PER_ALLOCATION && isFreed) hits.push(i * 4)
  }
  return onlyOne(hits)
}

const MASK_64 = (1n << 64n) - 1n

/** One step of xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled"). */
function xorshift64(state: bigint): bigint {
  let x = state
  x ^= x >> 12n
  x ^= (x << 25n) & MASK_64
  x ^= x >> 27n
  return x & MASK_64
}

function probeRandomState(em: EmModule, ffi: EngineFfi, ctx: number): number | null {
  const read = () => new BigUint64Array(em.HEAPU8.buffer, ctx, CONTEXT_WORDS).slice()
  const before = read()
  ffi.QTS_FreeValuePointer(ctx, evaluate(em, ffi, ctx, 'Math.random()', 'probe.js'))
  const after = read()
  const hits: number[] = []
  for (let i = 0; i < CONTEXT_WORDS; i++) {
    if (before[i] !== after[i] && xorshift64(before[i]!) === after[i]) hits.push(i * 8)
  }
  return onlyOne(hits)
}

/** Both words follow three large blocks up; when the blocks are freed, one goes back and one stays. */
function probeHeap(em: EmModule): HeapLayout | null {
  const read = () => new Uint32Array(em.HEAPU8.buffer, 0, STATIC_DATA_BYTES >> 2).slice()
  const steps = [2 << 20, 2 << 20, 3 << 20].map((bytes) => {
    const start = em._malloc(bytes)
    return { start, end: start + bytes, words: read() }
  })
  for (const { start } of steps.toReversed()) em._free(start)
  const freed = read()
  const slack = 128 << 10
  const tops: number[] = []
  const breaks: number[] = []
  for (let i = 0; i < freed.length; i++) {
    if (!steps.every(({ end, words }) => words[i]! >= end - 64 && words[i]! < end + slack)) continue
    if (freed[i] === steps[2]!.words[i]) breaks.push(i * 4)
    else if (freed[i]! < steps[0]!.start + 64) tops.push(i * 4)
  }
  const [topAt, breakAt] = [onlyOne(tops), onlyOne(breaks)]
  if (topAt === null || breakAt === null) return null
  const start = probeHeapStart(em, freed, steps[0]!.start, freed[topAt >> 2]!)
  return start === null ? null : { top: topAt, break: breakAt, start }
}

/** How far below the first large block the heap may have begun: the loader and the runtime have taken some before. */
const HEAP_START_BYTES = 1024 * 1024

/**
 * The lowest address from which block follows block up to the top, and which the allocator itself notes as one: dead bytes of the
 * C stack, just below, may look like a block.
 */
function probeHeapStart(em: EmModule, words: Uint32Array, block: number, top: number): number | null {
  const known = new Set(words)
  let start = 0
  for (let at = block - 8; at > block - HEAP_START_BYTES; at -= 8) {
    if (known.has(at) && walkHeap(em.HEAPU8, at, top)) start = at
  }
  const staticEnd = start - C_STACK_BYTES
  return staticEnd > 0 && staticEnd <= STATIC_DATA_BYTES ? start : null
}

/** Finds the layout on an instance made for it. */
export async function probeLayout(code: EngineCode): Promise<EngineLayout> {
  const { em, ffi } = await openModule(code, INITIAL_PAGES, INITIAL_PAGES, () => {})
  const rt = ffi.QTS_NewRuntime()
  const threshold = probeGcThreshold(em, ffi, rt)
  const ctx = ffi.QTS_NewContext(rt, ALL_INTRINSICS)
  const randomState = probeRandomState(em, ffi, ctx)
  const allocations = probeAllocations(em, ffi, rt, ctx)
  const isThreshold = threshold !== null && obeysThreshold(em, ffi, rt + threshold, ctx)
  return {
    gcThreshold: isThreshold ? threshold : null,
    randomState,
    allocations,
    heap: probeHeap(em),
    rejections: await probeTracker(code),
  }
}
