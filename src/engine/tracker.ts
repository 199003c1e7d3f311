// The engine's WebAssembly with a tracker of rejected promises: the function that QuickJS calls for each promise that is rejected
// without a handler, and again when it gets one (ECMA-262, HostPromiseRejectionTracker).
//
// quickjs-emscripten exports no way to set it, so the module gets a function of its own in a slot of its own of the function
// table, and the runtime's word for it is written by the host (layout.ts). The function writes to a block of the guest's memory,
// calls nothing and allocates nothing: a promise that is rejected and then handled costs some twenty instructions. Whatever the
// module has keeps its number, what is added comes last, so images fit all builds of one engine. Section numbers are those of the
// WebAssembly Core Specification 2.0.

import { importsOf, leb, preambleOf, Reader, type Section, sectionsOf } from './wasm-binary.ts'

/** Promises that are kept at once until somebody handles them, or the guest is told. */
export const REJECTIONS_MAX = 256
/** Promises that were handled after the guest was told, until it is told of that as well. */
export const LATE_REJECTIONS_MAX = 64

/** The block that is the tracker's `opaque`: byte offsets of its 32-bit words, then of its two lists of objects' addresses. */
export const BLOCK = {
  /** Used places of the list; those of promises that were handled meanwhile are 0. */
  COUNT: 0,
  /** Promises that found the list full, less those that were handled since. */
  DROPPED: 4,
  LATE_COUNT: 8,
  /** Whether the guest was ever told of a promise: before that nothing can be late. Written by the host. */
  WATCHED: 12,
  /** The upper half of every promise's JSValue. */
  TAG: 16,
  /** The promise of which the guest is being told; 0 when it is handled meanwhile. Written by the host too. */
  CURRENT: 20,
  LATE: 32,
  LIST: 32 + LATE_REJECTIONS_MAX * 4,
} as const
export const BLOCK_HEAD_BYTES = BLOCK.LATE
export const BLOCK_BYTES = BLOCK.LIST + REJECTIONS_MAX * 4

const SECTION = { CUSTOM: 0, TYPE: 1, IMPORT: 2, FUNCTION: 3, TABLE: 4, ELEMENT: 9, CODE: 10 } as const
/** The custom section that tells which slot of the table it is, as a little-endian 32-bit word. */
const SLOT_SECTION = 'ringlet.tracker'

const I32 = 0x7f
const I64 = 0x7e
/** (context, promise, reason, is handled, opaque), JSValues being 64 bits: quickjs.h, JSHostPromiseRejectionTracker. */
const TRACKER_TYPE = [0x60, 5, I32, I64, I64, I32, I32, 0]

const OP = {
  BLOCK: 0x02,
  LOOP: 0x03,
  IF: 0x04,
  END: 0x0b,
  BR: 0x0c,
  BR_IF: 0x0d,
  RETURN: 0x0f,
  LOCAL_GET: 0x20,
  LOCAL_SET: 0x21,
  LOCAL_TEE: 0x22,
  I32_LOAD: 0x28,
  I32_STORE: 0x36,
  I32_CONST: 0x41,
  I64_CONST: 0x42,
  I32_EQZ: 0x45,
  I32_EQ: 0x46,
  I32_NE: 0x47,
  I32_GE_U: 0x4f,
  I32_ADD: 0x6a,
  I32_SUB: 0x6b,
  I32_SHL: 0x74,
  I64_SHR_U: 0x88,
  I32_WRAP_I64: 0xa7,
} as const
const NO_RESULT = 0x40
const ALIGN_4 = 2

const get = (local: number) => [OP.LOCAL_GET, local]
const set = (local: number) => [OP.LOCAL_SET, local]
const constant = (value: number) => [OP.I32_CONST, ...leb(value)]
const load = (offset: number) => [OP.I32_LOAD, ALIGN_4, ...leb(offset)]
const store = (offset: number) => [OP.I32_STORE, ALIGN_4, ...leb(offset)]
const when = (...then: number[][]) => [OP.IF, NO_RESULT, ...then.flat(), OP.END]

const [PROMISE, IS_HANDLED, BLOCK_AT, OBJECT, AT] = [1, 3, 4, 5, 6]

/** A word of the block. */
const word = (offset: number) => [...get(BLOCK_AT), ...load(offset)]
/** Changes a word by one. */
const step = (local: number, offset: number, by: typeof OP.I32_ADD | typeof OP.I32_SUB) => [
  ...get(local), ...get(local), ...load(offset), ...constant(1), by, ...store(offset),
] // biome-ignore format: an instruction sequence
/** The address of the place behind as many as a word counts, less the list's offset. */
const placeAt = (counter: number) => [
  ...get(BLOCK_AT), ...word(counter), ...constant(2), OP.I32_SHL, OP.I32_ADD,
] // biome-ignore format: an instruction sequence
/** The engine's count of references is an object's first word; the caller has a reference too, so it never gets to zero here. */
const REFERENCES = 0

/** A promise is rejected, and nobody has asked what becomes of it. */
const REJECTED = [
  ...word(BLOCK.COUNT), ...constant(REJECTIONS_MAX), OP.I32_GE_U,
  ...when(step(BLOCK_AT, BLOCK.DROPPED, OP.I32_ADD), [OP.RETURN]),
  ...get(BLOCK_AT), ...get(PROMISE), OP.I64_CONST, 32, OP.I64_SHR_U, OP.I32_WRAP_I64, ...store(BLOCK.TAG),
  ...placeAt(BLOCK.COUNT), ...get(OBJECT), ...store(BLOCK.LIST),
  ...step(BLOCK_AT, BLOCK.COUNT, OP.I32_ADD),
  ...step(OBJECT, REFERENCES, OP.I32_ADD),
  OP.RETURN,
] // biome-ignore format: an instruction sequence

/** Takes places off the list's end while they are 0, and returns. */
const TRIM_AND_RETURN = [
  OP.LOOP, NO_RESULT,
  ...word(BLOCK.COUNT), OP.I32_EQZ, ...when([OP.RETURN]),
  ...placeAt(BLOCK.COUNT), ...load(BLOCK.LIST - 4), ...when([OP.RETURN]),
  ...step(BLOCK_AT, BLOCK.COUNT, OP.I32_SUB),
  OP.BR, 0,
  OP.END,
] // biome-ignore format: an instruction sequence

/** It is handled: found on the list, from its end, it is taken off. */
const HANDLED = [
  ...get(OBJECT), ...word(BLOCK.CURRENT), OP.I32_EQ,
  ...when(get(BLOCK_AT), constant(0), store(BLOCK.CURRENT), [OP.RETURN]),
  ...placeAt(BLOCK.COUNT), ...set(AT),
  OP.BLOCK, NO_RESULT,
  OP.LOOP, NO_RESULT,
  ...get(AT), ...get(BLOCK_AT), OP.I32_EQ, OP.BR_IF, 1,
  ...get(AT), ...constant(4), OP.I32_SUB, OP.LOCAL_TEE, AT, ...load(BLOCK.LIST),
  ...get(OBJECT), OP.I32_NE, OP.BR_IF, 0,
  ...get(AT), ...constant(0), ...store(BLOCK.LIST),
  ...step(OBJECT, REFERENCES, OP.I32_SUB),
  ...TRIM_AND_RETURN,
  OP.END,
  OP.END,
] // biome-ignore format: an instruction sequence

/** It is not on the list: it found no place there, or the guest has been told of it. */
const LATE = [
  ...word(BLOCK.DROPPED), ...when(step(BLOCK_AT, BLOCK.DROPPED, OP.I32_SUB), [OP.RETURN]),
  ...word(BLOCK.WATCHED), OP.I32_EQZ, ...when([OP.RETURN]),
  ...word(BLOCK.LATE_COUNT), ...constant(LATE_REJECTIONS_MAX), OP.I32_GE_U, ...when([OP.RETURN]),
  ...placeAt(BLOCK.LATE_COUNT), ...get(OBJECT), ...store(BLOCK.LATE),
  ...step(BLOCK_AT, BLOCK.LATE_COUNT, OP.I32_ADD),
  ...step(OBJECT, REFERENCES, OP.I32_ADD),
] // biome-ignore format: an instruction sequence

const TRACKER_BODY = [
  1, 2, I32,
  ...get(PROMISE), OP.I32_WRAP_I64, ...set(OBJECT),
  ...get(IS_HANDLED), OP.I32_EQZ, ...when(REJECTED),
  ...HANDLED,
  ...LATE,
  OP.END,
] // biome-ignore format: an instruction sequence

/** A table of functions that is the module's only one, with one more place; and the number of that. */
function largerTable(wasm: Uint8Array, { from }: Section): { slot: number; content: number[] } | undefined {
  const reader = new Reader(wasm, from)
  if (reader.u32() !== 1 || reader.byte() !== 0x70) return undefined
  const flags = reader.byte()
  const slot = reader.u32()
  if (flags > 1) return undefined
  const maximum = flags === 1 ? leb(reader.u32() + 1) : []
  return { slot, content: [1, 0x70, flags, ...leb(slot + 1), ...maximum] }
}

/**
 * @param wasm - an engine's module
 * @returns the same with the tracker; as it was, when it is not made as expected: then the host finds no slot, and says so
 */
export function withTracker(wasm: Uint8Array): Uint8Array {
  const sections = sectionsOf(wasm)
  const section = (id: number) => sections.find((each) => each.id === id)
  const [type, imports, functions, table, elements, code] = [
    SECTION.TYPE,
    SECTION.IMPORT,
    SECTION.FUNCTION,
    SECTION.TABLE,
    SECTION.ELEMENT,
    SECTION.CODE,
  ].map(section)
  if (!type || !imports || !functions || !table || !elements || !code) return wasm
  const imported = importsOf(wasm, imports)
  const larger = largerTable(wasm, table)
  if (imported.tables > 0 || larger === undefined) return wasm
  const number = imported.functions + new Reader(wasm, functions.from).u32()
  const typeNumber = new Reader(wasm, type.from).u32()
  const added: Record<number, readonly number[]> = {
    [SECTION.TYPE]: TRACKER_TYPE,
    [SECTION.FUNCTION]: leb(typeNumber),
    // An active segment of the first table: its offset, and one function (5.5.12).
    [SECTION.ELEMENT]: [0, ...constant(larger.slot), OP.END, 1, ...leb(number)],
    [SECTION.CODE]: [...leb(TRACKER_BODY.length), ...TRACKER_BODY],
  }
  // Every start does this: each byte is copied once.
  const parts = [preambleOf(wasm)]
  for (const each of sections) {
    const more = added[each.id]
    if (more !== undefined) parts.push(...longerVector(wasm, each, more))
    else if (each === table) parts.push(bytesOf(each.id, ...leb(larger.content.length), ...larger.content))
    else parts.push(bytesOf(each.id, ...leb(each.to - each.from)), wasm.subarray(each.from, each.to))
  }
  return Buffer.concat([...parts, slotSection(larger.slot)])
}

const bytesOf = (...bytes: readonly number[]) => Uint8Array.from(bytes)

/** A vector's section, in parts, with one more element at its end. */
function longerVector(wasm: Uint8Array, { id, from, to }: Section, element: readonly number[]): Uint8Array[] {
  const reader = new Reader(wasm, from)
  const count = leb(reader.u32() + 1)
  const size = leb(count.length + (to - reader.at) + element.length)
  return [bytesOf(id, ...size, ...count), wasm.subarray(reader.at, to), bytesOf(...element)]
}

function slotSection(slot: number): Uint8Array {
  const name = Buffer.from(SLOT_SECTION)
  const number = Buffer.alloc(4)
  number.writeUInt32LE(slot)
  return bytesOf(SECTION.CUSTOM, 1 + name.length + number.length, name.length, ...name, ...number)
}

/** The tracker's number in the table of functions; null for a module without one. */
export function slotOf(wasm: WebAssembly.Module): number | null {
  // Node's types leave it out.
  const { customSections } = WebAssembly.Module as unknown as {
    customSections(wasm: WebAssembly.Module, name: string): ArrayBuffer[]
  }
  const [content] = customSections(wasm, SLOT_SECTION)
  return content === undefined ? null : new DataView(content).getUint32(0, true)
}
