// Where a runtime keeps its tracker of rejected promises: the word is looked for, and believed only if a tracker that stands there
// is called as it should be.

import { ALL_INTRINSICS, evaluate } from './evaluate.ts'
import { type EngineCode, INITIAL_PAGES, openModule } from './module.ts'
import { BLOCK, BLOCK_BYTES, slotOf } from './tracker.ts'

/** The tracker and its `opaque` stand somewhere behind the interrupt handler and its own (quickjs.c, struct JSRuntime). */
const WORDS_BEHIND = 10
const RUNTIME_WORDS = 128

/** How a runtime gets its tracker. */
export interface TrackerLayout {
  /** `JSRuntime.host_promise_rejection_tracker`: byte offset of a word; its `opaque` is the next one. */
  readonly tracker: number
  /** The tracker's number in the table of functions. */
  readonly slot: number
}

const openProbe = (code: EngineCode) => openModule(code, INITIAL_PAGES, INITIAL_PAGES, () => {})

/** Pairs of zeros behind the interrupt handler, which shows when it is set; as word indexes. */
async function candidates(code: EngineCode): Promise<number[]> {
  const { em, ffi } = await openProbe(code)
  const rt = ffi.QTS_NewRuntime()
  const read = () => new Uint32Array(em.HEAPU8.buffer, rt, RUNTIME_WORDS).slice()
  const before = read()
  ffi.QTS_RuntimeEnableInterruptHandler(rt)
  const words = read()
  const handlers = [...words.keys()].filter((i) => words[i] !== before[i])
  const [handler] = handlers
  if (handler === undefined || handlers.length !== 1) return []
  return Array.from({ length: WORDS_BEHIND }, (_, i) => handler + 1 + i).filter(
    (i) => words[i] === 0 && words[i + 1] === 0,
  )
}

/** Whether a runtime with these two words has a promise's rejection, and then its handling, noted in the block. */
async function tracks(code: EngineCode, tracker: number, slot: number): Promise<boolean> {
  const { em, ffi } = await openProbe(code)
  const rt = ffi.QTS_NewRuntime()
  const block = em._malloc(BLOCK_BYTES)
  const word = (at: number) => new Uint32Array(em.HEAPU8.buffer)[at >> 2]!
  em.HEAPU8.fill(0, block, block + BLOCK_BYTES)
  new Uint32Array(em.HEAPU8.buffer).set([slot, block], (rt + tracker) >> 2)
  const ctx = ffi.QTS_NewContext(rt, ALL_INTRINSICS)
  const run = (source: string) => evaluate(em, ffi, ctx, source, 'probe.js')
  ffi.QTS_FreeValuePointer(ctx, run('Promise.reject(1).then(null, () => {}); Promise.resolve(1)'))
  if (word(block + BLOCK.COUNT) !== 0) return false
  const promise = run('globalThis.probe = Promise.reject(1)')
  const object = word(promise)
  const references = word(object)
  const copy = ffi.QTS_DupValuePointer(ctx, promise)
  const isCounted = word(object) === references + 1
  ffi.QTS_FreeValuePointer(ctx, copy)
  const isKept =
    word(block + BLOCK.COUNT) === 1 &&
    word(block + BLOCK.LIST) === object &&
    word(block + BLOCK.TAG) === word(promise + 4)
  ffi.QTS_FreeValuePointer(ctx, run('probe.then(null, () => {}); 1'))
  return isCounted && isKept && word(block + BLOCK.COUNT) === 0 && word(object) === references - 1
}

/** Null when it is not found in exactly one place: another one would have the engine call what is no function. */
export async function probeTracker(code: EngineCode): Promise<TrackerLayout | null> {
  const slot = slotOf(code.wasm)
  if (slot === null) return null
  const found: number[] = []
  for (const index of await candidates(code)) {
    // What a wrong word does to a runtime ends with the instance: it traps, or nothing is noted.
    const isIt = await tracks(code, index * 4, slot).catch(() => false)
    if (isIt) found.push(index * 4)
  }
  return found.length === 1 ? { tracker: found[0]!, slot } : null
}
