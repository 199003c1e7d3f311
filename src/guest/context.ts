import { words } from './bridge.ts'
import { describeFailure } from './describe.ts'
import { logError } from './log.ts'
import { WORD } from './ops.ts'
import { promiseResolve, promiseThen } from './primordials.ts'
import { finishInterface } from './web/webidl.ts'

/** The third argument of a handler. */
class ExecutionContext {
  /** Here so that code written for Cloudflare Workers runs; there is no origin to pass through to. */
  passThroughOnException(): void {}

  /** Keeps the runtime with this request until `promise` has settled. A rejection goes to the log. */
  waitUntil(promise: unknown): void {
    promiseThen(promiseResolve(promise), settled, rejected)
    // After what may throw; a reaction runs in a job, never before.
    words[WORD.WAITING]!++
  }
}
finishInterface(ExecutionContext, 'ExecutionContext')

/** A context is made for each request by a literal on this prototype: that takes half the time of a constructor. */
export const contextPrototype = ExecutionContext.prototype

function settled(): void {
  words[WORD.WAITING]!--
}

function rejected(reason: unknown): void {
  words[WORD.WAITING]!--
  logError('waitUntil', describeFailure(reason))
}
