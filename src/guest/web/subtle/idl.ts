// Web IDL's conversions for what `crypto.subtle` is given. Dictionaries are read member by member in the order of the standard.
import { bufferSlice, isView } from '../../primordials.ts'

/** Converts a member's value; `what` names it in errors. */
export type Convert = (value: unknown, what: string) => unknown

/** A dictionary's members, in the order in which they are read; a name with `!` is required. */
export type Dictionary = readonly (readonly [name: string, convert: Convert])[]

/** A dictionary that has been read. */
export type Params = Record<string, unknown>

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
const getter = (owner: object, name: string) =>
  Function.prototype.call.bind(Object.getOwnPropertyDescriptor(owner, name)!.get!) as (of: object) => unknown
const viewOf = {
  buffer: getter(typedArray, 'buffer'),
  offset: getter(typedArray, 'byteOffset'),
  length: getter(typedArray, 'byteLength'),
  tag: getter(typedArray, Symbol.toStringTag as unknown as string),
}
const dataViewOf = {
  buffer: getter(DataView.prototype, 'buffer'),
  offset: getter(DataView.prototype, 'byteOffset'),
  length: getter(DataView.prototype, 'byteLength'),
}

export function isBufferSource(value: unknown): value is ArrayBuffer | ArrayBufferView {
  if (isView(value)) return true
  if (typeof value !== 'object' || value === null) return false
  try {
    bufferSlice(value as ArrayBuffer, 0, 0)
    return true
  } catch {
    return false
  }
}

/** BufferSource: a copy of its bytes. */
export function toBytes(value: unknown, what: string): ArrayBuffer {
  if (isView(value)) {
    const of = viewOf.tag(value) === undefined ? dataViewOf : viewOf
    const offset = of.offset(value) as number
    return bufferSlice(of.buffer(value) as ArrayBuffer, offset, offset + (of.length(value) as number))
  }
  try {
    return bufferSlice(value as ArrayBuffer, 0)
  } catch {
    throw new TypeError(`${what} must be an ArrayBuffer or a view of one`)
  }
}

/** BigInteger: a Uint8Array, of which the value is kept. */
export function toBigInteger(value: unknown, what: string): Uint8Array {
  if (!isView(value) || viewOf.tag(value) !== 'Uint8Array')
    throw new TypeError(`${what} must be a Uint8Array`)
  return new Uint8Array(toBytes(value, what))
}

/** An integer with [EnforceRange]. */
const integer =
  (max: number): Convert =>
  (value, what) => {
    const number = Number(value)
    const whole = Math.trunc(number)
    if (!Number.isFinite(number) || whole < 0 || whole > max) {
      throw new TypeError(`${what} must be a number from 0 to ${max}`)
    }
    return whole
  }

export const octet: Convert = integer(0xff)
export const unsignedShort: Convert = integer(0xffff)
export const unsignedLong: Convert = integer(0xffff_ffff)

export const toText: Convert = (value) => `${value}`

/** sequence<T>. */
export function toSequence<T>(value: unknown, what: string, convert: (item: unknown) => T): T[] {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
    throw new TypeError(`${what} must be a sequence`)
  }
  if (typeof (value as Iterable<unknown>)[Symbol.iterator] !== 'function') {
    throw new TypeError(`${what} must be a sequence`)
  }
  const items: T[] = []
  for (const item of value as Iterable<unknown>) items.push(convert(item))
  return items
}

export function toEnum<T extends string>(value: unknown, names: readonly T[], what: string): T {
  const text = `${value}` as T
  if (!names.includes(text)) throw new TypeError(`${text} is no ${what}`)
  return text
}

/** Reads a dictionary's members into an object without a prototype; absent ones stay absent. */
export function readDictionary(value: object, dictionary: Dictionary, what: string): Params {
  const params = { __proto__: null } as unknown as Params
  for (const [mark, convert] of dictionary) {
    const isRequired = mark.endsWith('!')
    const name = isRequired ? mark.slice(0, -1) : mark
    const given = (value as Record<string, unknown>)[name]
    if (given !== undefined) params[name] = convert(given, `${what}: ${name}`)
    else if (isRequired) throw new TypeError(`${what}: ${name} is missing`)
  }
  return params
}

/** The arguments that a method must have. */
export function needArguments(given: number, needed: number, method: string): void {
  if (given < needed) throw new TypeError(`${method} needs ${needed} arguments`)
}
