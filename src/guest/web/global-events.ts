import { stringSplit } from '../primordials.ts'
import { reportException } from '../report.ts'
import { ErrorEvent, PromiseRejectionEvent } from './custom-event.ts'
import { TRUSTED } from './event.ts'
import { defineHandlers } from './event-handler.ts'
import { adoptTarget, dispatch, EventTarget, hasListeners } from './event-target.ts'
import { Performance, performance } from './performance.ts'
import { needs } from './webidl.ts'

/** An error's place in the source: the first line of its stack that has one, `at name (file:line:column)`. */
const PLACE = /\(?([^\s(]+):(\d+):(\d+)\)?$/

function placeOf(thrown: unknown): { filename: string; lineno: number; colno: number } {
  const stack = Object.getOwnPropertyDescriptor(Object(thrown), 'stack')?.value
  if (typeof stack === 'string') {
    for (const line of stringSplit(stack, '\n')) {
      const found = PLACE.exec(line)
      if (found !== null) return { filename: found[1]!, lineno: Number(found[2]), colno: Number(found[3]) }
    }
  }
  return { filename: '', lineno: 0, colno: 0 }
}

function messageOf(thrown: unknown): string {
  try {
    return `Uncaught ${thrown}`
  } catch {
    return 'Uncaught exception'
  }
}

let isReporting = false

/** HTML, "report an exception": true if a listener has handled it. An error of such a listener is not reported to it again. */
export function handleError(thrown: unknown): boolean {
  if (isReporting || !hasListeners(globalThis, 'error')) return false
  isReporting = true
  try {
    const init = { cancelable: true, message: messageOf(thrown), error: thrown, ...placeOf(thrown) }
    return !dispatch(globalThis, new ErrorEvent('error', init, TRUSTED))
  } finally {
    isReporting = false
  }
}

/** HTML, "outstanding rejected promises weak set": those that an event was fired for, or would have been with a listener. */
const outstanding = new WeakSet<object>()

/** HTML, section 8.1.4.7: true if a listener has taken it on, or (`isLate` is 1) there is nothing to be told. */
export function handleRejection(promise: object, reason: unknown, isLate: number): boolean {
  if (isLate === 0) outstanding.add(promise)
  else if (!outstanding.delete(promise)) return true
  const type = isLate === 0 ? 'unhandledrejection' : 'rejectionhandled'
  if (!hasListeners(globalThis, type)) return false
  const init = { cancelable: isLate === 0, promise, reason }
  return !dispatch(globalThis, new PromiseRejectionEvent(type, init, TRUSTED))
}

/** HTML, section 8.1.3.9. */
export function reportError(thrown: unknown): void {
  needs(arguments.length, 1, 'reportError')
  reportException('reportError', thrown)
}

/** The global object and `performance` are event targets. Their members are their own: nothing of theirs is made by EventTarget. */
export function adoptGlobals(): void {
  adoptTarget(globalThis)
  adoptTarget(performance)
  Object.setPrototypeOf(Performance, EventTarget)
  Object.setPrototypeOf(Performance.prototype, EventTarget.prototype)
  defineHandlers(globalThis, ['error', 'rejectionhandled', 'unhandledrejection'])
}
