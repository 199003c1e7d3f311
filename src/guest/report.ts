import { describeFailure } from './describe.ts'
import { loadedFeature } from './feature.ts'
import { logError } from './log.ts'

/**
 * HTML, "report an exception": what a callback of user code threw, which nobody is there to catch. The global object's `error`
 * event comes first, if anything can listen to it; what nobody has handled goes to the log, with `where` it came from.
 */
export function reportException(where: string, thrown: unknown): void {
  try {
    if (loadedFeature('events')?.handleError(thrown) === true) return
  } catch {
    // User code has broken its own realm.
  }
  logError(where, describeFailure(thrown))
}

/**
 * HTML, "notify about rejected promises": nobody has handled a promise's rejection, or (`isLate` is 1) somebody has after all. What
 * the log is to say of it; '' when a listener of the global object's event has taken it on.
 */
export function rejected(promise: object, reason: unknown, isLate: number): string {
  try {
    if (loadedFeature('events')?.handleRejection(promise, reason, isLate) === true) return ''
  } catch {
    // As above.
  }
  return isLate === 0 ? describeFailure(reason) : ''
}
