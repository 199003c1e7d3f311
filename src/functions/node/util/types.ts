/** By the brand an object's own built-in methods check, where there is one; nothing tells a proxy from its target. */

const { prototype: typedArray } = Object.getPrototypeOf(Uint8Array) as { prototype: object }
const arrayName = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)!.get!

type Check = (value: unknown) => boolean

/** True if `probe`, which throws for any other object, accepts the value. */
const accepts =
  (probe: (this: never, ...args: never[]) => unknown, ...args: unknown[]): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null) return false
    try {
      Reflect.apply(probe, value, args)
      return true
    } catch {
      return false
    }
  }
const getter = (prototype: object, name: PropertyKey): (() => unknown) =>
  Object.getOwnPropertyDescriptor(prototype, name)!.get!
const tag = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1)
const isTypedArrayOf =
  (name: string): Check =>
  (value) =>
    ArrayBuffer.isView(value) && Reflect.apply(arrayName, value, []) === name
const functionTag =
  (...names: string[]): Check =>
  (value) =>
    typeof value === 'function' && names.includes(tag(value))

export const isArrayBuffer = accepts(getter(ArrayBuffer.prototype, 'byteLength'))
export const isSharedArrayBuffer: Check = (value) => tag(value) === 'SharedArrayBuffer'
export const isAnyArrayBuffer: Check = (value) => isArrayBuffer(value) || isSharedArrayBuffer(value)
export const isArrayBufferView: Check = (value) => ArrayBuffer.isView(value)
export const isDataView = accepts(getter(DataView.prototype, 'byteLength'))
export const isTypedArray: Check = (value) => ArrayBuffer.isView(value) && !isDataView(value)
export const isUint8Array = isTypedArrayOf('Uint8Array')
export const isUint8ClampedArray = isTypedArrayOf('Uint8ClampedArray')
export const isUint16Array = isTypedArrayOf('Uint16Array')
export const isUint32Array = isTypedArrayOf('Uint32Array')
export const isInt8Array = isTypedArrayOf('Int8Array')
export const isInt16Array = isTypedArrayOf('Int16Array')
export const isInt32Array = isTypedArrayOf('Int32Array')
export const isFloat32Array = isTypedArrayOf('Float32Array')
export const isFloat64Array = isTypedArrayOf('Float64Array')
export const isBigInt64Array = isTypedArrayOf('BigInt64Array')
export const isBigUint64Array = isTypedArrayOf('BigUint64Array')
export const isMap = accepts(getter(Map.prototype, 'size'))
export const isSet = accepts(getter(Set.prototype, 'size'))
export const isWeakMap = accepts(WeakMap.prototype.has, {})
export const isWeakSet = accepts(WeakSet.prototype.has, {})
export const isDate = accepts(Date.prototype.getTime)
export const isRegExp: Check = (value) => tag(value) === 'RegExp'
export const isPromise: Check = (value) => value instanceof Promise
export const isNativeError: Check = (value) => value instanceof Error && tag(value) === 'Error'
export const isNumberObject = accepts(Number.prototype.valueOf)
export const isStringObject = accepts(String.prototype.valueOf)
export const isBooleanObject = accepts(Boolean.prototype.valueOf)
export const isBigIntObject = accepts(BigInt.prototype.valueOf)
export const isSymbolObject = accepts(Symbol.prototype.valueOf)
export const isBoxedPrimitive: Check = (value) =>
  [isNumberObject, isStringObject, isBooleanObject, isBigIntObject, isSymbolObject].some((is) => is(value))
export const isAsyncFunction = functionTag('AsyncFunction', 'AsyncGeneratorFunction')
export const isGeneratorFunction = functionTag('GeneratorFunction', 'AsyncGeneratorFunction')
export const isGeneratorObject: Check = (value) => tag(value) === 'Generator'
export const isMapIterator: Check = (value) => tag(value) === 'Map Iterator'
export const isSetIterator: Check = (value) => tag(value) === 'Set Iterator'
export const isArgumentsObject: Check = (value) => tag(value) === 'Arguments'
export const isModuleNamespaceObject: Check = (value) => tag(value) === 'Module'

export default {
  isAnyArrayBuffer,
  isArgumentsObject,
  isArrayBuffer,
  isArrayBufferView,
  isAsyncFunction,
  isBigInt64Array,
  isBigIntObject,
  isBigUint64Array,
  isBooleanObject,
  isBoxedPrimitive,
  isDataView,
  isDate,
  isFloat32Array,
  isFloat64Array,
  isGeneratorFunction,
  isGeneratorObject,
  isInt16Array,
  isInt32Array,
  isInt8Array,
  isMap,
  isMapIterator,
  isModuleNamespaceObject,
  isNativeError,
  isNumberObject,
  isPromise,
  isRegExp,
  isSet,
  isSetIterator,
  isSharedArrayBuffer,
  isStringObject,
  isSymbolObject,
  isTypedArray,
  isUint16Array,
  isUint32Array,
  isUint8Array,
  isUint8ClampedArray,
  isWeakMap,
  isWeakSet,
}
