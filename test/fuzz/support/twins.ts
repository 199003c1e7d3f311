// The scalar parser and the SIMD one, in place and elsewhere, on the same bytes between the same canaries.

import { createSharedMemory } from '@shared/ringbuffer'
import { HEAD, type HeadLimits, HeadTable, parseHead } from '../../../src/http/head.ts'
import { SimdParser, simdScratchBytes } from '../../../src/http/simd.ts'
import { FIELD } from '../../../src/http/table.ts'
import { outcome } from '../../http/support/codes.ts'
import { HEAD_MODULE } from '../../http/support/simd.ts'

/** Room for one input and its canaries, in place. */
const ARENA_BYTES = 8192
const MARGIN_BYTES = 96
/** In words nobody has written. */
const UNTOUCHED = -7
const GUARD_WORDS = 16
/** Words of the head that a parser writes; between them and the fields some are spare. */
const WRITTEN_WORDS = HEAD.fieldCount + 1

/** Where an input lies: `lead` (below 96) bytes behind an address that is divisible by 32, among copies of `canary`. */
export interface Placing {
  readonly canary: string
  readonly lead: number
}

/** An input where one parser finds it, and what tells that only the parser's table changed. */
interface Placed {
  readonly bytes: Uint8Array
  readonly start: number
  readonly parse: (bytes: Uint8Array, start: number, end: number, scanned: number) => number
  readonly words: Int32Array
}

/** All implementations with one set of limits. */
export class Twins {
  readonly #limits: HeadLimits
  readonly #table: HeadTable
  readonly #simd: SimdParser
  readonly #memory: Buffer
  readonly #before: Buffer
  /** Where the SIMD parser's table ends: all else in its memory is not to change when it parses in place. */
  readonly #tableEnd: number

  constructor(limits: HeadLimits) {
    this.#limits = limits
    const words = new Int32Array(HeadTable.wordsFor(limits.fields) + GUARD_WORDS).fill(UNTOUCHED)
    this.#table = new HeadTable(limits.fields, words)
    const memory = createSharedMemory(ARENA_BYTES + simdScratchBytes(limits))
    this.#simd = new SimdParser(HEAD_MODULE, { memory, offset: ARENA_BYTES }, limits)
    // A page or more may lie behind the scratch: some of it is watched, too.
    this.#memory = Buffer.from(memory.buffer, 0, ARENA_BYTES + simdScratchBytes(limits) + MARGIN_BYTES)
    this.#before = Buffer.alloc(this.#memory.length)
    this.#tableEnd = ARENA_BYTES + this.#simd.table.words.byteLength
  }

  /**
   * Parses `input` as it arrives, up to each of `cuts` (ascending, its length last), until there is a result. Returns
   * that as text, with the table when the head is complete; throws when two parsers differ, when a byte outside the
   * tables changed, or when anything was found outside the input.
   */
  parse(input: Buffer, cuts: readonly number[], { canary, lead }: Placing): string {
    const start = MARGIN_BYTES + lead
    const length = start + input.length + MARGIN_BYTES
    if (length > ARENA_BYTES) throw new RangeError('the input does not fit')
    const bytes = Buffer.alloc(length, canary, 'latin1')
    input.copy(bytes, start)
    const original = Buffer.from(bytes)

    const scalar = run(this.#scalarOver(bytes, start), cuts)
    for (let i = WRITTEN_WORDS; i < HEAD.fields; i++) this.#untouched(i)
    for (let i = 1; i <= GUARD_WORDS; i++) this.#untouched(this.#table.words.length - i)

    bytes.copy(this.#memory)
    this.#memory.copy(this.#before)
    // Now and then a view that does not begin where the memory does.
    const viewAt = lead % 3 === 0 ? lead : 0
    const view = new Uint8Array(this.#memory.buffer, viewAt, length - viewAt)
    same('in place', run(this.#simdOver(view, start - viewAt), cuts), scalar)
    if (!this.#isUnchanged(0, ARENA_BYTES) || !this.#isUnchanged(this.#tableEnd, this.#memory.length)) {
      throw new Error('SIMD in place wrote outside its table')
    }
    same('elsewhere', run(this.#simdOver(bytes, start), cuts), scalar)
    if (!this.#isUnchanged(0, ARENA_BYTES)) throw new Error('SIMD elsewhere wrote outside its scratch')
    if (bytes.compare(original) !== 0) throw new Error('a parser wrote into its input')
    return scalar
  }

  #scalarOver(bytes: Uint8Array, start: number): Placed {
    const table = this.#table
    const limits = this.#limits
    return {
      bytes,
      start,
      words: table.words,
      parse: (from, at, end, scanned) => parseHead(from, at, end, scanned, table, limits),
    }
  }

  #simdOver(bytes: Uint8Array, start: number): Placed {
    const simd = this.#simd
    return {
      bytes,
      start,
      words: simd.table.words,
      parse: (from, at, end, scanned) => simd.parse(from, at, end, scanned),
    }
  }

  #untouched(index: number): void {
    if (this.#table.words[index] !== UNTOUCHED)
      throw new Error(`scalar wrote word ${index} outside its table`)
  }

  #isUnchanged(from: number, to: number): boolean {
    return this.#memory.compare(this.#before, from, to, from, to) === 0
  }
}

/** The first result that is not "partial", and how much of the input it took. */
function run({ bytes, start, parse, words }: Placed, cuts: readonly number[]): string {
  let scanned = 0
  for (const cut of cuts) {
    const result = parse(bytes, start, start + cut, scanned)
    if (result < 0) return String(outcome(result))
    if (result > cut) throw new Error(`${result} bytes consumed of ${cut}`)
    if (result > 0) return described(result, words, start)
    scanned = cut
  }
  return 'partial'
}

/** Words of the head that are no positions. */
const COUNTS: ReadonlySet<number> = new Set([
  HEAD.methodId,
  HEAD.targetForm,
  HEAD.versionMinor,
  HEAD.fieldCount,
])

/** Bytes consumed and the table as text, positions counted from the input's start: none may lie outside the head. */
function described(consumed: number, words: Int32Array, start: number): string {
  const list: number[] = [consumed]
  const position = (index: number) => {
    const at = words[index]! - start
    if (at < 0 || at > consumed) throw new Error(`word ${index} points outside the head: ${at}`)
    list.push(at)
  }
  for (let i = 0; i < WRITTEN_WORDS; i++) {
    if (COUNTS.has(i)) list.push(words[i]!)
    else position(i)
  }
  const stop = HEAD.fields + words[HEAD.fieldCount]! * FIELD.words
  for (let word: number = HEAD.fields; word < stop; word += FIELD.words) {
    for (let i = 0; i < FIELD.id; i++) position(word + i)
    list.push(words[word + FIELD.id]!)
  }
  return list.join(' ')
}

function same(where: string, found: string, scalar: string): void {
  if (found !== scalar) throw new Error(`SIMD ${where} gives ${found}, scalar ${scalar}`)
}
