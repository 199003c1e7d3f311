// Where the engine keeps what its C interface does not export, found by probing a throw-away instance.
//
// quickjs-emscripten 0.32 exports neither JS_RunGC nor JS_SetGCThreshold, nor the seed of Math.random, nor the
// allocator's top. All of them are words of linear memory. A probe that does not find exactly one place for a word
// throws: a wrong guess would corrupt guests in silence, so an unknown build of the engine must fail loudly.

import { RingletError } from '../errors.ts'
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

/** Byte offsets. The runtime's and context's are relative to their pointers, the allocator's is absolute. */
export interface EngineLayout {
  /** `JSRuntime.malloc_gc_threshold`, uint32: the collector runs when the allocation count passes it. */
  readonly gcThreshold: number
  /** `JSContext.random_state`, uint64: the xorshift64* state of Math.random. */
  readonly randomState: number
  /** `JSRuntime.malloc_state.malloc_count`, uint32: how many allocations are alive. */
  readonly allocations: number
  /** dlmalloc's `top`, uint32: one past the last block in use. It falls when blocks below it are freed. */
  readonly heapTop: number
  /** emscripten's sbrk pointer, uint32: one past the last byte that the allocator has ever taken. It never falls. */
  readonly heapBreak: number
  /** Where the C stack ends and the heap's first block begins. */
  readonly heapStart: number
}

const RUNTIME_WORDS = 128
const CONTEXT_WORDS = 64
/** JS_NewRuntime sets the threshold to this. */
const INITIAL_GC_THRESHOLD = 256 * 1024

function notRecognised(what: string, found: number): never {
  throw new RingletError('RINGLET_ENGINE_LAYOUT', {
    reason: `${found} candidates for ${what}, need exactly 1`,
  })
}

function probeGcThreshold(em: EmModule, ffi: EngineFfi, rt: number): number {
  // The stack size has the same default, so it is moved away first.
  ffi.QTS_RuntimeSetMaxStackSize(rt, 123456)
  const words = new Uint32Array(em.HEAPU8.buffer, rt, RUNTIME_WORDS)
  const hits: number[] = []
  for (let i = 0; i < RUNTIME_WORDS; i++) if (words[i] === INITIAL_GC_THRESHOLD) hits.push(i * 4)
  return hits.length === 1 ? hits[0]! : notRecognised('malloc_gc_threshold', hits.length)
}

/** Objects made to see the count of allocations rise. */
const PROBE_OBJECTS = 64
/** What the engine adds to its size for an allocation whose real size its allocator does not tell (MALLOC_OVERHEAD). */
const SIZE_PER_ALLOCATION = 8

/** The count stands before the size, and both go back when everything is freed. */
function probeAllocations(em: EmModule, ffi: EngineFfi, rt: number, ctx: number): number {
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
  return hits.length === 1 ? hits[0]! : notRecognised('malloc_count', hits.length)
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

function probeRandomState(em: EmModule, ffi: EngineFfi, ctx: number): number {
  const read = () => new BigUint64Array(em.HEAPU8.buffer, ctx, CONTEXT_WORDS).slice()
  const before = read()
  ffi.QTS_FreeValuePointer(ctx, evaluate(em, ffi, ctx, 'Math.random()', 'probe.js'))
  const after = read()
  const hits: number[] = []
  for (let i = 0; i < CONTEXT_WORDS; i++) {
    if (before[i] !== after[i] && xorshift64(before[i]!) === after[i]) hits.push(i * 8)
  }
  return hits.length === 1 ? hits[0]! : notRecognised('random_state', hits.length)
}

/** Both words follow three large blocks up; when the blocks are freed, one goes back and one stays. */
function probeHeap(em: EmModule): Pick<EngineLayout, 'heapTop' | 'heapBreak' | 'heapStart'> {
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
  const heapTop = tops.length === 1 ? tops[0]! : notRecognised('top', tops.length)
  const heapBreak = breaks.length === 1 ? breaks[0]! : notRecognised('sbrk', breaks.length)
  return { heapTop, heapBreak, heapStart: probeHeapStart(em, freed, steps[0]!.start, freed[heapTop >> 2]!) }
}

/** How far below the first large block the heap may have begun: the loader and the runtime have taken some before. */
const HEAP_START_BYTES = 1024 * 1024

/**
 * The lowest address from which block follows block up to the top, and which the allocator itself notes as one: dead bytes of the
 * C stack, just below, may look like a block.
 */
function probeHeapStart(em: EmModule, words: Uint32Array, block: number, top: number): number {
  const known = new Set(words)
  let start = 0
  for (let at = block - 8; at > block - HEAP_START_BYTES; at -= 8) {
    if (known.has(at) && walkHeap(em.HEAPU8, at, top)) start = at
  }
  const staticEnd = start - C_STACK_BYTES
  if (staticEnd > 0 && staticEnd <= STATIC_DATA_BYTES) return start
  throw new RingletError('RINGLET_ENGINE_LAYOUT', { reason: 'the heap does not begin after the C stack' })
}

/** Finds the layout on an instance made for it. Throws {@link RingletError} RINGLET_ENGINE_LAYOUT. */
export async function probeLayout(code: EngineCode): Promise<EngineLayout> {
  const { em, ffi } = await openModule(code, INITIAL_PAGES, INITIAL_PAGES, () => {})
  const rt = ffi.QTS_NewRuntime()
  const gcThreshold = probeGcThreshold(em, ffi, rt)
  const ctx = ffi.QTS_NewContext(rt, ALL_INTRINSICS)
  const randomState = probeRandomState(em, ffi, ctx)
  const allocations = probeAllocations(em, ffi, rt, ctx)
  return { gcThreshold, randomState, allocations, ...probeHeap(em) }
}
