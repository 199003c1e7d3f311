/** What an object is by its nature, whatever its prototype says: each function asks a built-in that fails for all others. */

const getter = (owner: object, key: PropertyKey): ((self: unknown) => unknown) =>
  Function.prototype.call.bind(Object.getOwnPropertyDescriptor(owner, key)!.get!) as (
    self: unknown,
  ) => unknown
const method = (owner: object, key: PropertyKey): ((self: unknown, ...args: unknown[]) => unknown) =>
  Function.prototype.call.bind((owner as Record<PropertyKey, (...args: unknown[]) => unknown>)[key]!) as (
    self: unknown,
  ) => unknown

const PRIMITIVES = [Boolean, Number, String, BigInt].map((type) => method(type.prototype, 'valueOf'))
const timeOf = method(Date.prototype, 'getTime')
const sourceOf = getter(RegExp.prototype, 'source')
const flagsOf = getter(RegExp.prototype, 'flags')
const isGlobal = getter(RegExp.prototype, 'global')
const sizeOfMap = getter(Map.prototype, 'size')
const eachOfMap = method(Map.prototype, 'forEach')
const sizeOfSet = getter(Set.prototype, 'size')
const eachOfSet = method(Set.prototype, 'forEach')
const tagOf = getter(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
const isError = (Error as unknown as { isError(value: unknown): boolean }).isError

function ask<T>(question: () => T): T | undefined {
  try {
    return question()
  } catch {
    return undefined
  }
}

/** The value in an object such as `new Number(1)`. */
export function primitiveOf(value: object): unknown {
  for (const unbox of PRIMITIVES) {
    const primitive = ask(() => unbox(value))
    if (primitive !== undefined) return primitive
  }
  return undefined
}

export function dateValue(value: object): number | undefined {
  return ask(() => timeOf(value) as number)
}

export function regExpParts(value: object): { source: string; flags: string } | undefined {
  return ask(() => {
    // The prototype itself answers undefined.
    if (isGlobal(value) === undefined) return undefined
    return { source: sourceOf(value) as string, flags: flagsOf(value) as string }
  })
}

/** Keys and values in turn. */
export function mapItems(value: object): unknown[] | undefined {
  if (ask(() => sizeOfMap(value)) === undefined) return undefined
  const items: unknown[] = []
  eachOfMap(value, (item: unknown, key: unknown) => items.push(key, item))
  return items
}

export function setItems(value: object): unknown[] | undefined {
  if (ask(() => sizeOfSet(value)) === undefined) return undefined
  const items: unknown[] = []
  eachOfSet(value, (item: unknown) => items.push(item))
  return items
}

export function typedArrayName(value: object): string | undefined {
  return tagOf(value) as string | undefined
}

export function errorFlag(value: object): boolean {
  return isError(value)
}
