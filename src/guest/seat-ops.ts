/**
 * What ops.ts has besides where several requests share a runtime: apart, so that the core of those that do not is without it.
 */
import type { STATE, WORD } from './ops.ts'

/** The word with the seat of a request for which `take` has something, 0 for none. */
export const READY_WORD = 5
/** A state, of `take`: what the request's `waitUntil` holds has come to be, or to be nothing. */
export const WAITED_STATE = 7

/** As in ops.ts. */
export const STATE_WORD: typeof WORD.STATE = 0
export const WAITING_WORD: typeof WORD.WAITING = 4
export const PENDING_STATE: typeof STATE.PENDING = 0
