import { DOMException } from './dom-exception.ts'
import type { Serialized } from './serialize.ts'

/** HTML, StructuredDeserialize. `made`: what has been made so far, by its record. */
export function deserialize(value: unknown, made: Map<Serialized, object>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const serialized = value as Serialized
  const known = made.get(serialized)
  if (known !== undefined) return known
  const { kind, items, keys } = serialized
  const object = create(serialized, made)
  made.set(serialized, object)
  if (kind === 'map') {
    for (let i = 0; i < items.length; i += 2)
      (object as Map<unknown, unknown>).set(deserialize(items[i], made), deserialize(items[i + 1], made))
  } else if (kind === 'set') {
    for (const item of items) (object as Set<unknown>).add(deserialize(item, made))
  } else {
    const enumerable = kind !== 'error'
    for (let i = 0; i < keys.length; i++) define(object, keys[i]!, deserialize(items[i], made), enumerable)
  }
  return object
}

function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable, configurable: true })
}

function create({ kind, data, items }: Serialized, made: Map<Serialized, object>): object {
  switch (kind) {
    case 'primitive':
      return Object(data)
    case 'date':
      return new Date(data as number)
    case 'regexp': {
      const { source, flags } = data as { source: string; flags: string }
      return new RegExp(source, flags)
    }
    case 'buffer':
      return data as ArrayBuffer
    case 'view': {
      const { type, byteOffset, length } = data as {
        type: keyof typeof VIEWS
        byteOffset: number
        length: number
      }
      return new VIEWS[type]!(deserialize(items[0], made) as ArrayBuffer, byteOffset, length)
    }
    case 'map':
      return new Map()
    case 'set':
      return new Set()
    case 'error':
      return createError(data as ErrorParts)
    case 'exception': {
      const { message, name, stack } = data as ErrorParts
      const exception = new DOMException(message, name)
      define(exception, 'stack', stack, false)
      return exception
    }
    case 'platform':
      return (data as () => object)()
    case 'transferred':
      return data as object
    case 'array':
      return new Array(data as number)
    case 'object':
      return {}
  }
}

const VIEWS = {
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float16Array: (globalThis as unknown as { Float16Array: Float32ArrayConstructor }).Float16Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as unknown as Record<string, new (buffer: ArrayBuffer, byteOffset: number, length: number) => object>

interface ErrorParts {
  readonly name: string
  readonly message: string | undefined
  readonly stack: string
}

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as Record<
  string,
  ErrorConstructor
>

function createError({ name, message, stack }: ErrorParts): Error {
  const error = new ERRORS[name]!(message)
  define(error, 'stack', stack, false)
  return error
}
