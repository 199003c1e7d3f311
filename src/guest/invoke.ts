import { asyncContext } from './async-context.ts'
import { host, startServing, words } from './bridge.ts'
import { contextPrototype } from './context.ts'
import { describeFailure } from './describe.ts'
import { feature, loadedFeature } from './feature.ts'
import { type Handler, resolveHandler } from './handler.ts'
import type { Joined } from './invocation.ts'
import { FLAG, OP, STATE as STATES, WORD } from './ops.ts'
import { defineProperty, jsonParse, promiseResolve, promiseThen } from './primordials.ts'
import { INCOMING, Request } from './web/request.ts'
import { isResponse, packResponse } from './web/response.ts'
import { plain } from './web/target-url.ts'
import { forgetTimers } from './web/timers.ts'

// Read on every request: names of this module instead of properties of the tables.
const { STATE } = WORD
const { PENDING, FAILED, PROMISE } = STATES
const { HAS_ENV, PLAIN_URL, STREAM, ASSETS } = FLAG

/** Or, with PROMISE, what the handler returned. */
export type Answer = string | ArrayBuffer | object | undefined

let owner: Handler['owner']
let call: Handler['call']
let env: unknown
/** An answer that came in a job, until the host takes it. */
let stored: Answer
let pending = false
/** The latest request of several that share the runtime. */
let joined: Joined | undefined

/**
 * Runs the user's bundle and finds its handler. Once a context, before the first `invoke`.
 * @throws whatever the top-level code throws; an Error if there is no handler.
 */
export function load(factory: (exports: object, module: object, require: unknown) => void): void {
  // The bundle's `var __ringlet` cannot be deleted where it ran as a global script, but need not be seen.
  if (!Reflect.deleteProperty(globalThis, '__ringlet')) Reflect.set(globalThis, '__ringlet', undefined)
  const module: { exports: unknown } = { exports: {} }
  factory(module.exports as object, module, requireOwn)
  const handler = resolveHandler(module.exports)
  owner = handler.owner
  call = handler.call
}

/** A bundle has all that it imports in itself, but for what the guest keeps on its behalf. */
function requireOwn(name: unknown): unknown {
  if (name === 'ringlet:async-context') return asyncContext
  throw new Error(`cannot load ${JSON.stringify(name)} at run time: a function is one bundle`)
}

/**
 * Answers one request. See STATE in ops.ts for what it returns and writes. With a seat it is one of several, see invocation.ts.
 * @throws if the only one before has not been answered: a host that gives up on that resets the runtime.
 */
export function invoke(
  head: string,
  body: string | ArrayBuffer | undefined,
  flags: number,
  seat?: number,
  isAlone?: number,
): Answer {
  const context = { __proto__: contextPrototype }
  if (seat !== undefined) joined = feature('async').join(seat, isAlone!, head, context, conclude)
  else {
    if (pending) throw new Error('the invocation before has not been answered')
    forgetTimers()
    loadedFeature('async')?.begin()
  }
  words[STATE] = PENDING
  asyncContext.frame = undefined
  try {
    if (env === undefined) start(flags)
    const content =
      (flags & STREAM) === 0 ? body : feature('async').expectBody(body as ArrayBuffer | undefined)
    if ((flags & PLAIN_URL) !== 0) plain.head = head
    const request = new Request(joined?.parts ?? head, content, INCOMING)
    const result = owner === undefined ? call!(request, env, context) : owner.fetch(request, env, context)
    if (typeof result === 'object' && result !== null) {
      if (isResponse(result)) return packResponse(result)
      words[STATE] = PROMISE
      pending = true
      return result
    }
    throw unexpected(result)
  } catch (thrown) {
    return fail(thrown)
  }
}

/** The answer's value, after the state changed from PENDING; of several requests that of the READY one. */
export function take(): Answer {
  if (joined) return joined.next()
  const answer = stored
  stored = undefined
  return answer
}

/** The first invocation after a load: only now may the runtime know secrets. */
function start(flags: number): void {
  startServing()
  env = (flags & HAS_ENV) === 0 ? {} : jsonParse(host(OP.ENV) as string)
  if ((flags & ASSETS) !== 0) defineProperty(env, 'ASSETS', ASSETS_PROPERTY)
}

/** Loads what answers from files when somebody asks for it: most bundles mention it, and have it from the start. */
const ASSETS_PROPERTY = {
  __proto__: null,
  get: () => feature('fetch').assets,
  enumerable: true,
  configurable: true,
} as PropertyDescriptor

/** Waits for what an async handler returned and has not settled: the answer is stored in a job. For what is no promise there is one at once. */
export function follow(result: object): Answer {
  words[STATE] = PENDING
  try {
    whenSettled(result)
    return undefined
  } catch (thrown) {
    return conclude(thrown, 1)
  }
}

function whenSettled(result: object): void {
  const to = joined ?? sole
  try {
    promiseThen(result as Promise<unknown>, to.settled, to.failed)
  } catch {
    // Not a native promise. A thenable may call back twice, a promise made of it cannot.
    if (typeof (result as PromiseLike<unknown>).then !== 'function') throw unexpected(result)
    promiseThen(promiseResolve(result), to.settled, to.failed)
  }
}

/** The answer's value for what an async handler's promise has settled to. */
export function conclude(result: unknown, isRejected: number): Answer {
  pending = false
  if (isRejected !== 0) return fail(result)
  try {
    if (typeof result !== 'object' || result === null || !isResponse(result)) throw unexpected(result)
    return packResponse(result)
  } catch (thrown) {
    return fail(thrown)
  }
}

/** Who hears of the handler's promise, but for a {@link Joined}. */
const sole = {
  settled(value: unknown): void {
    stored = conclude(value, 0)
  },
  failed(reason: unknown): void {
    stored = conclude(reason, 1)
  },
}

function fail(thrown: unknown): string {
  const text = describeFailure(thrown)
  words[STATE] = FAILED
  return text
}

function unexpected(value: unknown): TypeError {
  const what = value === null ? 'null' : typeof value === 'object' ? 'an object' : typeof value
  return new TypeError(`the handler returned ${what} instead of a Response`)
}
