// Text and its UTF-8, both the guest's: the engine keeps its strings in another form, but gives and takes UTF-8 by itself. So the usual
// text crosses without becoming a string of the host's. What is not usual is left to src/guest/host.ts.

import { isUtf8 } from 'node:buffer'
import { DECODE } from '../guest/ops.ts'
import type { GuestArguments } from './arguments.ts'
import type { MemoryBuffer } from './memory-buffer.ts'
import type { EmModule, EngineFfi } from './module.ts'

/** Arguments of OP.TEXT_DECODE, the op's number among them, when there is no label: UTF-8. */
const UTF8_ARGUMENTS = 5
const BOM_BYTES = 3

export class Utf8 {
  readonly #em: EmModule
  readonly #ffi: EngineFfi
  readonly #memory: MemoryBuffer

  constructor(em: EmModule, ffi: EngineFfi, memory: MemoryBuffer) {
    this.#em = em
    this.#ffi = ffi
    this.#memory = memory
  }

  /** OP.TEXT_ENCODE of a string: an owned ArrayBuffer. Undefined for what is no string or not well-formed, and without memory. */
  encode(ctx: number, args: GuestArguments): number | undefined {
    const text = args.cString(1)
    if (text === 0) return undefined
    const length = this.#memory.stringEnd(text) - text
    let bytes = 0
    if (isUtf8(this.#em.HEAPU8.subarray(text, text + length))) {
      bytes = this.#em._malloc(Math.max(1, length))
      if (bytes !== 0) this.#copy(text, length, bytes)
    }
    this.#ffi.QTS_FreeCString(ctx, text)
    return bytes === 0 ? undefined : this.#ffi.QTS_NewArrayBuffer(ctx, bytes, length)
  }

  /** OP.TEXT_DECODE of valid UTF-8 without NUL: an owned string. Undefined for all else, and without memory. */
  decode(ctx: number, args: GuestArguments): number | undefined {
    if (args.count > UTF8_ARGUMENTS) return undefined
    const keepsBom = (args.number(2) & DECODE.IGNORE_BOM) !== 0
    const offset = args.number(3)
    const length = args.number(4)
    return args.lend(1, (memory, from, to) => {
      const bytes = partOf(memory, from, to, offset, length)
      if (!isUtf8(bytes)) return undefined
      const skipped = !keepsBom && startsWithBom(bytes) ? BOM_BYTES : 0
      return this.#newString(ctx, bytes.byteOffset - memory.byteOffset + skipped, bytes.length - skipped)
    })
  }

  #newString(ctx: number, from: number, length: number): number | undefined {
    const text = this.#em._malloc(length + 1)
    if (text === 0) return undefined
    this.#copy(from, length, text)
    this.#em.HEAPU8[text + length] = 0
    this.#em.cards?.mark(text, length + 1)
    const isWhole = this.#memory.stringEnd(text) === text + length
    const value = isWhole ? this.#ffi.QTS_NewString(ctx, text) : undefined
    this.#em._free(text)
    return value
  }

  #copy(from: number, length: number, to: number): void {
    this.#em.HEAPU8.copyWithin(to, from, from + length)
    this.#em.cards?.mark(to, length)
  }
}

function startsWithBom(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

const NOTHING = new Uint8Array(0)

/** `length` bytes from `offset` on in [from, to) of the memory; all of them where the guest says nothing, none where it is wrong. */
export function partOf(
  memory: Uint8Array,
  from: number,
  to: number,
  offset: number,
  length: number,
): Uint8Array {
  if (Number.isNaN(offset)) return memory.subarray(from, to)
  const start = from + offset
  return offset >= 0 && length >= 0 && start + length <= to ? memory.subarray(start, start + length) : NOTHING
}
