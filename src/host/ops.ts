// The operations of guests that take time, by their numbers in ASYNC_OP (src/guest/ops.ts).

import type { AsyncOp } from './call.ts'

/**
 * Each room of operations gives its own part of the table; a number may be in it once. To add one: its number, its arguments and its
 * result in ASYNC_OP; an {@link AsyncOp} in a file of this folder; its entry here; a caller by `hostAsync` (src/guest/async.ts).
 */
export function asyncOps(
  ...parts: readonly (readonly [what: number, op: AsyncOp])[][]
): Map<number, AsyncOp> {
  const ops = new Map<number, AsyncOp>()
  for (const [what, op] of parts.flat()) {
    if (ops.has(what)) throw new Error(`two operations have the number ${what}`)
    ops.set(what, op)
  }
  return ops
}
