import { charCodeAt, defineProperty, deleteProperty, stringSlice } from '../primordials.ts'

/** `exec` of a pattern that has no flags, whatever user code has put in its place. */
export const execute = Function.prototype.call.bind(RegExp.prototype.exec) as (
  pattern: RegExp,
  text: string,
) => RegExpExecArray | null
const BEYOND_LATIN1 = /[^\0-\xff]/

const prototypes = new WeakSet<object>()

/** Whether it is the prototype of an interface of ours. */
export function isPlatformPrototype(value: object): boolean {
  return prototypes.has(value)
}

/** WebIDL's shape of an interface: enumerable members and the class string. */
export function finishInterface(type: { prototype: object }, name: string): void {
  const { prototype } = type
  prototypes.add(prototype)
  for (const key of Object.getOwnPropertyNames(type)) {
    // Static members; what every function has is not enumerable.
    if (key !== 'length' && key !== 'name' && key !== 'prototype')
      defineProperty(type, key, { enumerable: true })
  }
  for (const key of Object.getOwnPropertyNames(prototype)) {
    if (key !== 'constructor') defineProperty(prototype, key, { enumerable: true })
  }
  // The bundler renames a class whose static block names it.
  defineProperty(type, 'name', { value: name, configurable: true })
  defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true })
}

/** WebIDL, "overload resolution": fewer arguments than the required ones are a TypeError. */
export function needs(given: number, wanted: number, what: string): void {
  if (given < wanted)
    throw new TypeError(`${what} needs ${wanted} argument${wanted === 1 ? '' : 's'}, not ${given}`)
}

/** Whether `pattern`, without flags, matches: `test` would ask whatever user code has put in the place of `exec`. */
export function matches(pattern: RegExp, text: string): boolean {
  return execute(pattern, text) !== null
}

/** WebIDL ByteString: one character a byte. */
export function toByteString(value: unknown, what: string): string {
  const text = `${value}`
  if (matches(BEYOND_LATIN1, text)) throw new TypeError(`${what} has a character beyond U+00FF`)
  return text
}

/** WebIDL's conversion of a dictionary member's owner: undefined and null are empty dictionaries. */
export function toDictionary(value: unknown, what: string): Record<string, unknown> {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' && typeof value !== 'function')
    throw new TypeError(`${what} must be an object`)
  return value as Record<string, unknown>
}

/** HTTP whitespace at both ends removed (Fetch, "normalize a byte sequence"). */
export function trimHttpSpace(text: string): string {
  if (charCodeAt(text, text.length - 1) > 0x20) {
    if (charCodeAt(text, 0) > 0x20) return text
    // A field's value as most write it.
    if (charCodeAt(text, 1) > 0x20 && charCodeAt(text, 0) === 0x20) return stringSlice(text, 1)
  }
  let start = 0
  let end = text.length
  while (start < end && isHttpSpace(charCodeAt(text, start))) start++
  while (end > start && isHttpSpace(charCodeAt(text, end - 1))) end--
  return stringSlice(text, start, end)
}

function isHttpSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x09 || unit === 0x0a || unit === 0x0d
}

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))

/**
 * WebIDL, "default iterator object" of an interface: live, each step looks at the pairs as they are then. The result makes an
 * iterator over an object's pairs; `place`: of which of the two a step gives, a new pair of both if undefined.
 */
export function defineIterator<Owner, Pair extends readonly [unknown, unknown]>(
  name: string,
  pairsOf: (owner: Owner) => readonly Pair[],
): <Item>(owner: Owner, place?: 0 | 1) => IterableIterator<Item> {
  class Iterator {
    #owner: Owner
    #place: 0 | 1 | undefined
    #index = 0

    constructor(owner: Owner, place: 0 | 1 | undefined) {
      this.#owner = owner
      this.#place = place
    }

    next(): IteratorResult<unknown, undefined> {
      const pair = pairsOf(this.#owner)[this.#index++]
      if (pair === undefined) return { value: undefined, done: true }
      const place = this.#place
      return { value: place === undefined ? [pair[0], pair[1]] : pair[place], done: false }
    }
  }
  deleteProperty(Iterator.prototype, 'constructor')
  Object.setPrototypeOf(Iterator.prototype, IteratorPrototype)
  finishInterface(Iterator, name)
  return (owner, place) => new Iterator(owner, place) as never
}
