// What has become of the promise that an async handler returned. The engine can be asked, so the guest need not: to wait for a
// promise costs the guest a dozen objects and a job, and most are settled by the time the handler's own jobs have run.

import type { GuestHeap } from './heap.ts'
import type { ImagePointers } from './image.ts'
import type { EngineFfi } from './module.ts'
import type { Rejections } from './rejections.ts'

/** JSPromiseStateEnum; -1 for what is no promise. */
const FULFILLED = 1
const REJECTED = 2

/**
 * Takes the place of a promise (which is freed): the answer's value if it is settled after its jobs have run, else what the guest
 * says that waits for it from now on. The guest's state word tells which. `runJobs`: false when they have ended the request.
 */
export function followPromise(
  ffi: EngineFfi,
  heap: GuestHeap,
  pointers: ImagePointers,
  promise: number,
  rejections: Rejections,
  runJobs: () => boolean,
): number {
  const { ctx, follow, scratch, undefined: none } = pointers
  let value = answerOf(ffi, heap, pointers, promise, rejections)
  if (value === 0) {
    if (!runJobs()) value = ffi.QTS_NewFloat64(ctx, 0)
    else value = answerOf(ffi, heap, pointers, promise, rejections)
  }
  if (value === 0) {
    heap.words()[scratch >> 2] = promise
    value = ffi.QTS_Call(ctx, follow, none, 1, scratch)
  }
  ffi.QTS_FreeValuePointer(ctx, promise)
  return value
}

/** 0 while it has not settled, and for what is no promise. */
function answerOf(
  ffi: EngineFfi,
  heap: GuestHeap,
  pointers: ImagePointers,
  promise: number,
  rejections: Rejections,
): number {
  const { ctx, conclude, flags, scratch, undefined: none } = pointers
  const state = ffi.QTS_PromiseState(ctx, promise)
  if (state !== FULFILLED && state !== REJECTED) return 0
  if (state === REJECTED) rejections.forget(pointers, promise)
  const result = ffi.QTS_PromiseResult(ctx, promise)
  const words = heap.words()
  words[scratch >> 2] = result
  words[(scratch >> 2) + 1] = flags[state === REJECTED ? 1 : 0]!
  const answer = ffi.QTS_Call(ctx, conclude, none, 2, scratch)
  ffi.QTS_FreeValuePointer(ctx, result)
  return answer
}
