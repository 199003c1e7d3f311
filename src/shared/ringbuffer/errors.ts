/**
 * A word read back from shared memory breaks an invariant of `design/ring.md`: the other side, or whoever else can write to
 * that memory, is broken. The ring is of no further use until both sides have stopped and it was reset.
 */
export class RingCorruptError extends Error {
  readonly code = 'ERR_RING_CORRUPT'
  override readonly name = 'RingCorruptError'
}

/** The calls of one side came in an order that has no meaning (a claim while one is open, a commit without a claim). */
export class RingMisuseError extends Error {
  readonly code = 'ERR_RING_MISUSE'
  override readonly name = 'RingMisuseError'
}

/** Throws the RangeError for a number out of its bounds, naming both. */
export function outOfRange(what: string, value: unknown, bound: string): never {
  throw new RangeError(`${what} is ${String(value)}, but must be ${bound}`)
}
