// What a guest hands to its host, and what it gets back. Every argument is hostile: it is read by its type, never converted, so
// that no conversion runs guest code in the middle of a host function; what is wrong ends in undefined, never in an exception.

import type { HostValue, WireText } from '../guest/host.ts'
import type { MemoryBuffer } from './memory-buffer.ts'
import type { EmModule, EngineFfi } from './module.ts'

/** Makes the call throw an Error with this message in the guest. */
export class HostRefusal extends Error {
  override readonly name = 'HostRefusal'
}

const twoLetters = (word: string) => (word.charCodeAt(0) << 8) | word.charCodeAt(1)
const TYPES = new Map(
  (['boolean', 'number', 'object', 'string', 'undefined'] as const).map((type) => [twoLetters(type), type]),
)

/** The arguments of one call. One object, pointed at the next call's: read before anything runs in the guest again. */
export class GuestArguments {
  readonly #em: EmModule
  readonly #ffi: EngineFfi
  readonly #memory: MemoryBuffer
  #ctx = 0
  #argv = 0
  count = 0

  constructor(em: EmModule, ffi: EngineFfi, memory: MemoryBuffer) {
    this.#em = em
    this.#ffi = ffi
    this.#memory = memory
  }

  at(ctx: number, argc: number, argv: number): this {
    this.#ctx = ctx
    this.#argv = argv
    this.count = argc
    return this
  }

  /** NaN where there is none. */
  number(index: number): number {
    return index < this.count ? this.#ffi.QTS_GetFloat64(this.#ctx, this.#pointer(index)) : Number.NaN
  }

  /** A plain string; '' for everything else. */
  text(index: number): string {
    const pointer = this.cString(index)
    if (pointer === 0) return ''
    const text = this.#memory.get().toString('utf8', pointer, this.#memory.stringEnd(pointer))
    this.#ffi.QTS_FreeCString(this.#ctx, pointer)
    return text
  }

  /** A string as UTF-8 that ends with NUL, to be freed by QTS_FreeCString; 0 for everything else, and without memory. */
  cString(index: number): number {
    return this.#typeof(index) === 'string' ? this.#ffi.QTS_GetString(this.#ctx, this.#pointer(index)) : 0
  }

  wire(index: number): WireText {
    return this.bytes(index) ?? this.text(index)
  }

  optionalWire(index: number): WireText | undefined {
    return this.#typeof(index) === 'undefined' ? undefined : this.wire(index)
  }

  /** A copy of an ArrayBuffer's bytes; undefined for everything else. */
  bytes(index: number): Uint8Array<ArrayBuffer> | undefined {
    return this.lend(index, (memory, from, to) => new Uint8Array(memory.subarray(from, to)))
  }

  /** An ArrayBuffer's bytes where they lie in the guest's memory, until `use` returns; undefined for everything else. */
  lend<T>(index: number, use: (memory: Uint8Array, from: number, to: number) => T): T | undefined {
    if (this.#typeof(index) !== 'object') return undefined
    const value = this.#pointer(index)
    const pointer = this.#ffi.QTS_GetArrayBuffer(this.#ctx, value)
    if (pointer === 0) return undefined
    const length = this.#ffi.QTS_GetArrayBufferLength(this.#ctx, value)
    const result = use(this.#em.HEAPU8, pointer, pointer + length)
    this.#em._free(pointer)
    return result
  }

  /** A boolean is 0 or 1; what cannot cross is undefined. */
  value(index: number): HostValue {
    switch (this.#typeof(index)) {
      case 'number':
      case 'boolean':
        return this.number(index)
      case 'string':
        return this.text(index)
      case 'object':
        return this.bytes(index)
      default:
        return undefined
    }
  }

  /** All from this one on. */
  valuesFrom(index: number): HostValue[] {
    const values: HostValue[] = []
    for (let i = index; i < this.count; i++) values.push(this.value(i))
    return values
  }

  #pointer(index: number): number {
    return this.#ffi.QTS_ArgvGetJSValueConstPointer(this.#argv, index)
  }

  /** What `typeof` says of it, by the first letters of that: no text is made for each argument of each call. */
  #typeof(index: number): 'boolean' | 'number' | 'object' | 'string' | 'undefined' | 'other' {
    if (index >= this.count) return 'undefined'
    const pointer = this.#ffi.QTS_Typeof(this.#ctx, this.#pointer(index))
    const heap = this.#em.HEAPU8
    const letters = (heap[pointer]! << 8) | heap[pointer + 1]!
    this.#em._free(pointer)
    return TYPES.get(letters) ?? 'other'
  }
}
