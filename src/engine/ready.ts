// What is done to a runtime before it is captured, so that the requests in its copies write to few cards of it (cards.ts) and
// nothing dead is part of them.

import { clearFreeBlocks, fillHoles } from './blocks.ts'
import { evaluate, GuestError } from './evaluate.ts'
import { GC_OFF } from './heap.ts'
import type { Captured, ImagePointers } from './image.ts'
import type { EngineLayout } from './layout.ts'
import type { EmModule, EngineFfi } from './module.ts'

/** As `GuestHeap.setGcThreshold`, for a runtime that no image is in. */
export function setGcThreshold(em: EmModule, layout: EngineLayout, rt: number, threshold: number): void {
  if (layout.gcThreshold === null || layout.heap === null) return
  new Int32Array(em.HEAPU8.buffer)[(rt + layout.gcThreshold) >> 2] = threshold
}

/**
 * Makes room in a runtime for so many new shapes of objects, and collects cyclic garbage, which would otherwise be part of every
 * copy.
 *
 * The engine's table of shapes never shrinks: objects that are gone at once make it as large as needed. In a table that is nearly
 * full, each request's first new shape would make it larger again, and that writes to every shape there is. It is only looked at
 * for a new prototype (quickjs.c, js_new_shape2): each object has one.
 */
export function tidy(
  em: EmModule,
  ffi: EngineFfi,
  layout: EngineLayout,
  { rt, ctx }: Pick<ImagePointers, 'rt' | 'ctx'>,
  shapes: number,
): void {
  const objects = new Array(shapes).fill('new function () {}').join()
  ffi.QTS_FreeValuePointer(ctx, evaluate(em, ffi, ctx, `[${objects}].length`, 'ringlet:room'))
  setGcThreshold(em, layout, rt, 0)
  ffi.QTS_FreeValuePointer(ctx, ffi.QTS_NewObject(ctx))
  setGcThreshold(em, layout, rt, GC_OFF)
}

/**
 * What an image is of: of the whole memory, if nobody knows where its heap is. Throws GuestError for a heap whose blocks do not
 * join: top-level code has found a way to damage it.
 */
export function readyToCapture(em: EmModule, { heap }: EngineLayout): Captured {
  if (heap === null) {
    const memory = em.HEAPU8
    return { memory, heapStart: 0, top: memory.byteLength, end: memory.byteLength }
  }
  const word = (at: number) => new Uint32Array(em.HEAPU8.buffer)[at >> 2]!
  const heapStart = heap.start
  fillHoles(
    () => em.HEAPU8,
    (bytes) => em._malloc(bytes),
    heapStart,
    word(heap.top),
  )
  const [memory, top, end] = [em.HEAPU8, word(heap.top), word(heap.break)]
  if (!clearFreeBlocks(memory, heapStart, top, end)) {
    throw new GuestError('InternalError', 'the heap is damaged', '')
  }
  return { memory, heapStart, top, end }
}
