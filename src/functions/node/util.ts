/** Node's util: what prints is Node's own code, extracted; the rest is small. */

import { format, formatWithOptions, inspect, stripVTControlCharacters } from 'node-inspect-extracted'
import { inherits } from 'unenv/node/internal/util/inherits'
import { promisify } from 'unenv/node/internal/util/promisify'
import { added } from './util/atomics.ts'
import { isDeepStrictEqual } from './util/deep-equal.cjs'
import types from './util/types.ts'

if (added) Reflect.deleteProperty(globalThis, 'Atomics')

type Callback = (error: unknown, value?: unknown) => void

/** The last argument of what it returns is called with (error, value), never within the call itself. */
export function callbackify(asynchronous: (...args: unknown[]) => Promise<unknown>) {
  return function (this: unknown, ...args: unknown[]): void {
    const callback = args.pop() as Callback
    if (typeof callback !== 'function') throw new TypeError('The last argument must be of type function')
    const soon = (error: unknown, value?: unknown) => queueMicrotask(() => callback(error, value))
    Promise.resolve(Reflect.apply(asynchronous, this, args)).then(
      (value) => soon(null, value),
      (reason) => soon(reason || Object.assign(new Error('falsy value rejected'), { reason })),
    )
  }
}

/** Warns once, at the first call. */
export function deprecate<Old extends (...args: never[]) => unknown>(
  old: Old,
  message: string,
  code?: string,
): Old {
  let warned = false
  return function (this: unknown, ...args: never[]) {
    if (!warned) console.warn(`DeprecationWarning: ${code === undefined ? '' : `[${code}] `}${message}`)
    warned = true
    return new.target ? Reflect.construct(old, args, new.target) : Reflect.apply(old, this, args)
  } as unknown as Old
}

/** Off: NODE_DEBUG is not set in a function. */
export const debuglog = (): { (...args: unknown[]): void; enabled: boolean } =>
  Object.assign(() => {}, { enabled: false })
export const log = (...args: unknown[]): void => console.log(...args)
export const toUSVString = (text: unknown): string => (`${text}` as string & WellFormed).toWellFormed()
export const isArray = Array.isArray
export const { TextDecoder, TextEncoder } = globalThis

/** ES2024, present in the engine. */
interface WellFormed {
  toWellFormed(): string
}

export {
  format,
  formatWithOptions,
  inherits,
  inspect,
  isDeepStrictEqual,
  promisify,
  stripVTControlCharacters,
  types,
}
export default {
  callbackify,
  debug: debuglog,
  debuglog,
  deprecate,
  format,
  formatWithOptions,
  inherits,
  inspect,
  isArray,
  isDeepStrictEqual,
  log,
  promisify,
  stripVTControlCharacters,
  TextDecoder,
  TextEncoder,
  toUSVString,
  types,
}
