import type { HeadLimits } from './head-limits.ts'
import type { HeadParser } from './parser.ts'
import { worthParsing } from './resume.ts'
import { FIELD_NAMES, HeadTable, METHOD_NAMES } from './table.ts'

/** The parser loads sixteen bytes at a time: so many it may read behind the last it was given, without minding them. */
const SLACK_BYTES = 64
const ALIGN_BYTES = 64
/** Errors are the negative results, so a position must not look like one. */
const ADDRESS_MAX = 0x7fff_ffff

interface Exports {
  readonly configure: (
    table: number,
    fieldNames: number,
    methodNames: number,
    headBytes: number,
    targetBytes: number,
    fields: number,
    emptyLines: number,
  ) => void
  readonly parseHead: (start: number, end: number, base: number) => number
}

/** Where the parser's scratch lies in the memory: the table, the names, and room for a head from elsewhere. */
export interface SimdPlace {
  /** A shared WebAssembly.Memory that never grows. */
  readonly memory: { readonly buffer: SharedArrayBuffer }
  /** A multiple of 64. */
  readonly offset: number
}

function layoutScratch(limits: HeadLimits) {
  let at = 0
  const take = (bytes: number) => {
    const from = at
    at += Math.ceil(bytes / ALIGN_BYTES) * ALIGN_BYTES
    return from
  }
  const table = take(HeadTable.wordsFor(limits.fields) * Int32Array.BYTES_PER_ELEMENT)
  const fieldNames = take(FIELD_NAMES.image.length)
  const methodNames = take(METHOD_NAMES.image.length)
  const head = take(limits.headBytes + SLACK_BYTES)
  return { table, fieldNames, methodNames, head, bytes: at }
}

/** Bytes of scratch a parser with these limits needs; also the room that must follow whatever it parses in place. */
export function simdScratchBytes(limits: HeadLimits): number {
  return layoutScratch(limits).bytes
}

/**
 * `parseHead` in WebAssembly: bytes of its memory are parsed where they lie, others are copied into its scratch first, at
 * most `limits.headBytes` of them.
 */
export class SimdParser implements HeadParser {
  readonly kind = 'simd'
  readonly table: HeadTable
  readonly #limits: HeadLimits
  readonly #memory: Uint8Array
  readonly #scratch: number
  /** The last view over the memory that was parsed in place: asking a view for its buffer costs as much as a small head. */
  #view: Uint8Array
  #base = 0
  readonly #parse: Exports['parseHead']

  /** `module` is the compiled `head.wasm`. Throws RangeError when the scratch does not fit into the memory. */
  constructor(module: WebAssembly.Module, { memory, offset }: SimdPlace, limits: HeadLimits) {
    const layout = layoutScratch(limits)
    const { buffer } = memory
    if (offset + layout.bytes > buffer.byteLength || buffer.byteLength > ADDRESS_MAX) {
      throw new RangeError(`no room for ${layout.bytes} bytes of parser scratch at ${offset}`)
    }
    this.#limits = limits
    this.#memory = this.#view = new Uint8Array(buffer)
    this.#scratch = offset + layout.head
    const tableAt = offset + layout.table
    this.table = new HeadTable(
      limits.fields,
      new Int32Array(buffer, tableAt, HeadTable.wordsFor(limits.fields)),
    )
    const fieldNames = offset + layout.fieldNames
    const methodNames = offset + layout.methodNames
    this.#memory.set(FIELD_NAMES.image, fieldNames)
    this.#memory.set(METHOD_NAMES.image, methodNames)
    const { exports } = new WebAssembly.Instance(module, { env: { memory } })
    const { configure, parseHead } = exports as unknown as Exports
    const { headBytes, targetBytes, fields, leadingEmptyLines } = limits
    configure(tableAt, fieldNames, methodNames, headBytes, targetBytes, fields, leadingEmptyLines)
    this.#parse = parseHead
  }

  parse(bytes: Uint8Array, start: number, end: number, scanned: number): number {
    if (scanned > 0 && this.#mayWait(bytes, start, end, scanned)) return 0
    if (bytes === this.#view || this.#isInPlace(bytes)) {
      const base = this.#base
      return this.#parse(base + start, base + end, base)
    }
    return this.#parseCopy(bytes, start, end)
  }

  /** Whether what came after `scanned` cannot have changed the answer "partial". */
  #mayWait(bytes: Uint8Array, start: number, end: number, scanned: number): boolean {
    const limits = this.#limits
    return end - start < limits.headBytes && !worthParsing(bytes, start, end, scanned, limits)
  }

  #isInPlace(bytes: Uint8Array): boolean {
    if (bytes.buffer !== this.#memory.buffer) return false
    this.#view = bytes
    this.#base = bytes.byteOffset
    return true
  }

  #parseCopy(bytes: Uint8Array, start: number, end: number): number {
    const length = Math.min(end - start, this.#limits.headBytes)
    const scratch = this.#scratch
    this.#memory.set(bytes.subarray(start, start + length), scratch)
    return this.#parse(scratch, scratch + length, scratch - start)
  }
}
