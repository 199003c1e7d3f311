// The engine's WebAssembly with a write barrier: before each store of the original, the card that it writes to is marked. A
// reset then copies back the cards that are marked, and not the whole image (cards.ts).
//
// Only stores are touched, and each is left as it was behind its mark: what the engine computes is the same, and an image of one
// build fits the other. An instruction that is not known here is an error, so that no new kind of store slips through. Section
// numbers are those of the WebAssembly Core Specification 2.0.

import { CARD_SHIFT, CARDS_AT } from './cards.ts'
import {
  appended,
  importsOf,
  leb,
  preambleOf,
  Reader,
  type Section,
  sectionsOf,
  Writer,
} from './wasm-binary.ts'

const SECTION = { TYPE: 1, IMPORT: 2, FUNCTION: 3, CODE: 10 } as const
const I32 = 0x7f
const I64 = 0x7e
const F32 = 0x7d
const F64 = 0x7c

const OP = {
  END: 0x0b,
  IF: 0x04,
  CALL: 0x10,
  LOCAL_GET: 0x20,
  LOCAL_SET: 0x21,
  LOCAL_TEE: 0x22,
  STORE_FIRST: 0x36,
  STORE8: 0x3a,
  STORE_LAST: 0x3e,
  I32_CONST: 0x41,
  I32_ADD: 0x6a,
  I32_SUB: 0x6b,
  I32_SHR_U: 0x76,
  PREFIX: 0xfc,
} as const
const MEMORY_COPY = 10
const MEMORY_FILL = 11
const NO_RESULT = 0x40

/** Type of the value that a store takes, from i32.store (0x36) to i64.store32 (0x3e). */
const STORED = [I32, I64, F32, F64, I32, I32, I64, I64, I64] as const

/** Moves behind an instruction's immediates (5.4), `op` having been read. Throws for what is not known here. */
function skipImmediates(reader: Reader, op: number): void {
  if (op === 0x02 || op === 0x03 || op === OP.IF || op === OP.I32_CONST || op === 0x42) reader.skipLeb()
  else if (op === 0x0c || op === 0x0d || op === OP.CALL || (op >= 0x20 && op <= 0x26)) reader.skipLeb()
  else if (op === 0x0e) for (let count = reader.u32() + 1; count > 0; count--) reader.skipLeb()
  else if (op === 0x11 || (op >= 0x28 && op <= 0x35)) {
    reader.skipLeb()
    reader.skipLeb()
  } else if (op === 0x3f || op === 0x40) reader.skip(1)
  else if (op === 0x43) reader.skip(4)
  else if (op === 0x44) reader.skip(8)
  else if (!isPlain(op)) throw new Error(`write barrier: unknown instruction 0x${op.toString(16)}`)
}

/** Control without a label, drop and select, comparisons, arithmetic and conversions: no immediates, no memory. */
function isPlain(op: number): boolean {
  return (
    op <= 0x01 ||
    op === 0x05 ||
    op === OP.END ||
    op === 0x0f ||
    op === 0x1a ||
    op === 0x1b ||
    (op >= 0x45 && op <= 0xc4)
  )
}

/** The locals that a function gets in addition, each when it is first used. */
class Locals {
  readonly #first: number
  readonly #types: number[] = []
  readonly #known = new Map<string, number>()

  constructor(first: number) {
    this.#first = first
  }

  of(use: string, type: number): number[] {
    let index = this.#known.get(use)
    if (index === undefined) {
      index = this.#first + this.#types.push(type) - 1
      this.#known.set(use, index)
    }
    return leb(index)
  }

  get groups(): number[][] {
    return this.#types.map((type) => [1, type])
  }
}

/** Marks the card of the address on the stack, which this takes. */
const MARK_ONE = [OP.I32_CONST, CARD_SHIFT, OP.I32_SHR_U, OP.I32_CONST, 1, OP.STORE8, 0, ...leb(CARDS_AT)]

function writeStore(out: Writer, op: number, align: number, offset: number, locals: Locals): void {
  const type = STORED[op - OP.STORE_FIRST]!
  const value = locals.of(`value ${type}`, type)
  const address = locals.of('address', I32)
  if (offset >= 2 ** 31) throw new Error('write barrier: a store of an offset above 2 GiB')
  out.push(OP.LOCAL_SET, ...value, OP.LOCAL_TEE, ...address)
  if (offset > 0) out.push(OP.I32_CONST, ...leb(offset), OP.I32_ADD)
  out.push(...MARK_ONE, OP.LOCAL_GET, ...address, OP.LOCAL_GET, ...value, op, align, ...leb(offset))
}

/** memory.copy and memory.fill: destination, source or value, length. */
function writeBulk(out: Writer, instruction: Uint8Array, markRange: number, locals: Locals): void {
  const length = locals.of('length', I32)
  const source = locals.of('value 127', I32)
  const address = locals.of('address', I32)
  out.push(OP.LOCAL_SET, ...length, OP.LOCAL_SET, ...source, OP.LOCAL_TEE, ...address)
  out.push(OP.LOCAL_GET, ...length, OP.CALL, ...leb(markRange))
  out.push(OP.LOCAL_GET, ...address, OP.LOCAL_GET, ...source, OP.LOCAL_GET, ...length)
  out.bytes(instruction)
}

function rewriteCode(
  bytes: Uint8Array,
  from: number,
  to: number,
  firstLocal: number,
  markRange: number,
): Uint8Array {
  const reader = new Reader(bytes, from)
  const groups = reader.u32()
  const groupsFrom = reader.at
  let declared = 0
  for (let i = 0; i < groups; i++) {
    declared += reader.u32()
    reader.skip(1)
  }
  const groupsTo = reader.at
  const locals = new Locals(firstLocal + declared)
  const code = new Writer()
  let copied = reader.at
  while (reader.at < to) {
    const at = reader.at
    const op = reader.byte()
    const isStore = op >= OP.STORE_FIRST && op <= OP.STORE_LAST
    let bulk = 0
    let align = 0
    let offset = 0
    if (isStore) {
      align = reader.u32()
      offset = reader.u32()
    } else if (op === OP.PREFIX) {
      bulk = reader.u32()
      // 0 to 7 convert numbers; the other ones are of tables and data segments, or not standard.
      if (bulk === MEMORY_COPY) reader.skip(2)
      else if (bulk === MEMORY_FILL) reader.skip(1)
      else if (bulk > 7) throw new Error(`write barrier: unknown instruction 0xfc ${bulk}`)
    } else skipImmediates(reader, op)
    if (!isStore && bulk < MEMORY_COPY) continue
    code.bytes(bytes.subarray(copied, at))
    if (isStore) writeStore(code, op, align, offset, locals)
    else writeBulk(code, bytes.subarray(at, reader.at), markRange, locals)
    copied = reader.at
  }
  code.bytes(bytes.subarray(copied, to))
  const body = new Writer()
  body.push(...leb(groups + locals.groups.length))
  body.bytes(bytes.subarray(groupsFrom, groupsTo))
  body.push(...locals.groups.flat())
  body.bytes(code.content)
  return body.content
}

/** (address, length): marks all cards of a range, by filling a range of the card table. */
function markRangeBody(): Uint8Array {
  const [address, length] = [
    [OP.LOCAL_GET, 0],
    [OP.LOCAL_GET, 1],
  ] as const
  const card = [OP.I32_CONST, CARD_SHIFT, OP.I32_SHR_U]
  return Uint8Array.from([
    0, // no locals
    ...length, OP.IF, NO_RESULT,
    ...address, ...card, OP.I32_CONST, ...leb(CARDS_AT), OP.I32_ADD,
    OP.I32_CONST, 1,
    ...address, ...length, OP.I32_ADD, OP.I32_CONST, 1, OP.I32_SUB, ...card,
    ...address, ...card, OP.I32_SUB, OP.I32_CONST, 1, OP.I32_ADD,
    OP.PREFIX, MEMORY_FILL, 0,
    OP.END, OP.END,
  ]) // biome-ignore format: an instruction sequence
}

/** Parameters of each type (5.3.6): this knows function types only. */
function parameterCounts(wasm: Uint8Array, { from }: Section): number[] {
  const reader = new Reader(wasm, from)
  return Array.from({ length: reader.u32() }, () => {
    if (reader.byte() !== 0x60) throw new Error('write barrier: a type that is no function')
    const count = reader.u32()
    reader.skip(count)
    reader.skip(reader.u32())
    return count
  })
}

/**
 * @param wasm - an engine's module, whose memory has no use for [CARDS_AT, CARDS_AT + CARDS_BYTES)
 * @throws Error for an instruction that is not known here: then it is not known whether it writes
 */
export function withWriteBarrier(wasm: Uint8Array): Uint8Array {
  const sections = sectionsOf(wasm)
  const section = (id: number) => {
    const found = sections.find((each) => each.id === id)
    if (found === undefined) throw new Error(`write barrier: no section ${id}`)
    return found
  }
  const parameters = parameterCounts(wasm, section(SECTION.TYPE))
  const functions = new Reader(wasm, section(SECTION.FUNCTION).from)
  const types = Array.from({ length: functions.u32() }, () => functions.u32())
  // Behind all others, so that nobody's number changes.
  const markRange = importsOf(wasm, section(SECTION.IMPORT)).functions + types.length
  const out = new Writer()
  out.bytes(preambleOf(wasm))
  for (const each of sections) {
    out.push(each.id)
    if (each.id === SECTION.TYPE) out.sized(appended(wasm, each, [0x60, 2, I32, I32, 0]))
    else if (each.id === SECTION.FUNCTION) out.sized(appended(wasm, each, leb(parameters.length)))
    else if (each.id === SECTION.CODE) out.sized(rewriteAll(wasm, each, types, parameters, markRange))
    else out.sized(wasm.subarray(each.from, each.to))
  }
  return Uint8Array.from(out.content)
}

function rewriteAll(
  wasm: Uint8Array,
  { from }: Section,
  types: readonly number[],
  parameters: readonly number[],
  markRange: number,
): Uint8Array {
  const reader = new Reader(wasm, from)
  const out = new Writer()
  out.push(...leb(reader.u32() + 1))
  for (const type of types) {
    const bytes = reader.u32()
    out.sized(rewriteCode(wasm, reader.at, reader.at + bytes, parameters[type]!, markRange))
    reader.skip(bytes)
  }
  out.sized(markRangeBody())
  return out.content
}
