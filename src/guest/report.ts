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
