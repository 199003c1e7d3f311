/**
 * The built-ins the answer protocol rests on, captured before any user code runs: a function that overwrites
 * `String.prototype.includes` or `JSON.stringify` changes its own realm, not how its answer is handed over.
 */
const { call } = Function.prototype

/** `f` as a function whose first argument is its receiver. */
export function uncurry<This, Args extends unknown[], Result>(
  f: (this: This, ...args: Args) => Result,
): (self: This, ...args: Args) => Result {
  return call.bind(f) as (self: This, ...args: Args) => Result
}

export const jsonStringify: (value: unknown) => string | undefined = JSON.stringify
export const jsonParse: (text: string) => unknown = JSON.parse
export const stringFrom = String
export const fromCharCode = String.fromCharCode
/** For answers instead of template literals, which the engine compiles to a call of whatever `String.prototype.concat` is. */
export const concat = uncurry(String.prototype.concat)
export const stringIncludes = uncurry(String.prototype.includes as (this: string, part: string) => boolean)
export const stringIndexOf = uncurry(
  String.prototype.indexOf as (this: string, part: string, from?: number) => number,
)
export const stringSlice = uncurry(String.prototype.slice)
export const stringSplit = uncurry(String.prototype.split as (this: string, separator: string) => string[])
export const charCodeAt = uncurry(String.prototype.charCodeAt)
export const toLowerCase = uncurry(String.prototype.toLowerCase)
export const toUpperCase = uncurry(String.prototype.toUpperCase)
export const isWellFormed = uncurry((String.prototype as unknown as WellFormed).isWellFormed)
export const toWellFormed = uncurry((String.prototype as unknown as WellFormed).toWellFormed)
export const regExpTest = uncurry(RegExp.prototype.test)
export const bufferSlice = uncurry(ArrayBuffer.prototype.slice)
export const bufferLengthOf = uncurry(
  Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')!.get as (this: ArrayBuffer) => number,
)
export const isEnumerable = uncurry(
  Object.prototype.propertyIsEnumerable as (this: object, key: PropertyKey) => boolean,
)
export const setBytes = uncurry(
  Uint8Array.prototype.set as (this: Uint8Array, source: Uint8Array, at: number) => void,
)
export const isView = ArrayBuffer.isView
const TypedArrayPrototype: object = Object.getPrototypeOf(Uint8Array.prototype)
function viewGetter<Value>(name: PropertyKey): (view: unknown) => Value {
  const { get } = Object.getOwnPropertyDescriptor(TypedArrayPrototype, name)!
  return uncurry(get as (this: unknown) => Value)
}
/** The class of a typed array by its name, undefined for everything else. */
export const viewKind = viewGetter<string | undefined>(Symbol.toStringTag)
export const viewBuffer = viewGetter<ArrayBufferLike>('buffer')
export const viewOffset = viewGetter<number>('byteOffset')
export const viewLength = viewGetter<number>('byteLength')
export const promiseThen = uncurry(Promise.prototype.then<unknown, unknown>)
const PromiseOfRealm = Promise
/** A promise of this realm, whatever user code has put in the constructor's place. */
export function newPromise<T>(
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
  return new PromiseOfRealm<T>(start)
}
export const promiseResolve: (value: unknown) => Promise<unknown> = Promise.resolve.bind(Promise)
export const promiseReject: (reason: unknown) => Promise<never> = Promise.reject.bind(Promise)
export const ownKeys = Reflect.ownKeys
export const deleteProperty = Reflect.deleteProperty
export const defineProperty = Object.defineProperty
export const getOwnDescriptor = Object.getOwnPropertyDescriptor

/** ES2024, present in both engines, not yet in the ES2023 library typings. */
interface WellFormed {
  isWellFormed(this: string): boolean
  toWellFormed(this: string): string
}
