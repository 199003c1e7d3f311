import { DOMException, exceptionParts } from './dom-exception.ts'
import { serializableOf } from './serializable.ts'
import {
  dateValue,
  errorFlag,
  mapItems,
  primitiveOf,
  regExpParts,
  setItems,
  typedArrayName,
} from './slots.ts'
import { isPlatformPrototype } from './webidl.ts'

/** What a value is made of, between StructuredSerialize and StructuredDeserialize (HTML, section 2.7). Each object has one. */
export interface Serialized {
  readonly kind:
    | 'primitive'
    | 'date'
    | 'regexp'
    | 'buffer'
    | 'view'
    | 'map'
    | 'set'
    | 'error'
    | 'exception'
    | 'platform'
    | 'transferred'
    | 'array'
    | 'object'
  /** The kind's own: a primitive, a time, the parts of an expression, the copy of a buffer, a platform object. */
  data: unknown
  /** Values in it: each a primitive, or a Serialized. */
  readonly items: unknown[]
  /** Names of `items`: own properties. */
  readonly keys: string[]
}

/** By object: what it has become, and the transferred ones. */
export type Memory = Map<object, Serialized>

const ERROR_NAMES = new Set([
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
])

export function cannotClone(what: string): DOMException {
  return new DOMException(`${what} cannot be cloned`, 'DataCloneError')
}

/** HTML, StructuredSerializeInternal. Primitives are themselves. @throws DOMException named DataCloneError; what a getter throws. */
export function serialize(value: unknown, memory: Memory): unknown {
  if (typeof value === 'symbol') throw cannotClone('a symbol')
  if (typeof value === 'function') throw cannotClone('a function')
  if (typeof value !== 'object' || value === null) return value
  const known = memory.get(value)
  if (known !== undefined) return known
  return serializeObject(value, memory)
}

function remember(memory: Memory, value: object, kind: Serialized['kind'], data?: unknown): Serialized {
  const serialized: Serialized = { kind, data, items: [], keys: [] }
  memory.set(value, serialized)
  return serialized
}

function serializeObject(value: object, memory: Memory): Serialized {
  const prototype = Object.getPrototypeOf(value)
  // The usual object is not asked for what it is not.
  if (prototype === Object.prototype || prototype === null) {
    if (!hasSlots(value)) return withProperties(remember(memory, value, 'object'), value, memory)
  }
  return (
    serializeBuiltIn(value, memory) ??
    serializePlatform(value, memory) ??
    withProperties(remember(memory, value, Array.isArray(value) ? 'array' : 'object'), value, memory)
  )
}

/** Whether an object whose prototype is a plain object's is something else by its nature; `toString` knows the nature of most. */
function hasSlots(value: object): boolean {
  return (
    Array.isArray(value) ||
    describe(value) !== '[object Object]' ||
    mapItems(value) !== undefined ||
    setItems(value) !== undefined ||
    ArrayBuffer.isView(value)
  )
}
const describe = Function.prototype.call.bind(Object.prototype.toString) as (value: object) => string

function serializeBuiltIn(value: object, memory: Memory): Serialized | undefined {
  if (Array.isArray(value)) return undefined
  const primitive = primitiveOf(value)
  if (primitive !== undefined) return remember(memory, value, 'primitive', primitive)
  const time = dateValue(value)
  if (time !== undefined) return remember(memory, value, 'date', time)
  const pattern = regExpParts(value)
  if (pattern !== undefined) return remember(memory, value, 'regexp', pattern)
  if (value instanceof ArrayBuffer) return remember(memory, value, 'buffer', copyBuffer(value))
  if (typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer)
    throw cannotClone('a SharedArrayBuffer')
  if (ArrayBuffer.isView(value)) return serializeView(value, memory)
  return serializeCollection(value, memory) ?? serializeError(value, memory)
}

function copyBuffer(buffer: ArrayBuffer): ArrayBuffer {
  const { detached, resizable, maxByteLength } = buffer as ArrayBuffer & {
    detached?: boolean
    resizable?: boolean
    maxByteLength?: number
  }
  if (detached) throw cannotClone('a detached ArrayBuffer')
  if (!resizable) return buffer.slice(0)
  const Resizable = ArrayBuffer as unknown as new (
    bytes: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer
  const copy = new Resizable(buffer.byteLength, { maxByteLength: maxByteLength! })
  new Uint8Array(copy).set(new Uint8Array(buffer))
  return copy
}

function serializeView(view: ArrayBufferView, memory: Memory): Serialized {
  const type = typedArrayName(view) ?? 'DataView'
  const { buffer, byteOffset, byteLength } = view
  // Before the buffer is in the memory: HTML forbids a view of what is detached or too short.
  const inner = serialize(buffer, memory) as Serialized
  const length = type === 'DataView' ? byteLength : (view as Uint8Array).length
  const serialized = remember(memory, view, 'view', { type, byteOffset, length })
  serialized.items.push(inner)
  return serialized
}

function serializeCollection(value: object, memory: Memory): Serialized | undefined {
  const pairs = mapItems(value)
  const items = pairs ?? setItems(value)
  if (items === undefined) return undefined
  const serialized = remember(memory, value, pairs === undefined ? 'set' : 'map')
  for (const item of items) serialized.items.push(serialize(item, memory))
  return serialized
}

function serializeError(value: object, memory: Memory): Serialized | undefined {
  const parts = exceptionParts(value)
  if (parts !== undefined) return remember(memory, value, 'exception', { ...parts, stack: stackOf(value) })
  if (!errorFlag(value)) return undefined
  const { name } = value as Error
  const message = Object.getOwnPropertyDescriptor(value, 'message')
  const serialized = remember(memory, value, 'error', {
    name: ERROR_NAMES.has(`${name}`) ? `${name}` : 'Error',
    message: message !== undefined && 'value' in message ? `${message.value}` : undefined,
    stack: stackOf(value),
  })
  const cause = Object.getOwnPropertyDescriptor(value, 'cause')
  if (cause !== undefined && 'value' in cause) {
    serialized.keys.push('cause')
    serialized.items.push(serialize(cause.value, memory))
  }
  return serialized
}

function stackOf(error: object): string {
  const stack = Object.getOwnPropertyDescriptor(error, 'stack')?.value
  return typeof stack === 'string' ? stack : ''
}

function serializePlatform(value: object, memory: Memory): Serialized | undefined {
  const kind = serializableOf(value)
  if (kind !== undefined) return remember(memory, value, 'platform', () => kind.copy(value))
  // What has slots of its own cannot be cloned. User code can hide an object's class, and then clones its properties only.
  for (
    let prototype = Object.getPrototypeOf(value);
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  )
    if (isPlatformPrototype(prototype) || OPAQUE.has(prototype))
      throw cannotClone(`an object of ${nameOf(prototype)}`)
  return undefined
}

const OPAQUE = new Set<object>([
  Promise.prototype,
  WeakMap.prototype,
  WeakSet.prototype,
  WeakRef.prototype,
  FinalizationRegistry.prototype,
  Symbol.prototype,
  Object.getPrototypeOf(function* () {}).prototype,
  Object.getPrototypeOf(async function* () {}).prototype,
  Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())),
])

function nameOf(prototype: object): string {
  const name = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.value
  return typeof name === 'string' ? `type ${name}` : 'a built-in type'
}

function withProperties(serialized: Serialized, value: object, memory: Memory): Serialized {
  if (serialized.kind === 'array') serialized.data = (value as unknown[]).length
  for (const key of Object.keys(value)) {
    // A getter may have removed it.
    if (!Object.hasOwn(value, key)) continue
    serialized.items.push(serialize((value as Record<string, unknown>)[key], memory))
    serialized.keys.push(key)
  }
  return serialized
}
