// What must hold for any bytes, as functions that throw when it does not: the tests feed them from the generator, and
// scripts/fuzz-coverage.mjs from a fuzzer that watches which code they reach. Numbers that steer a check come from a seed.

import { ChunkedDecoder } from '../../../src/http/chunked.ts'
import { copyFields, ResponseFields } from '../../../src/http/copy-fields.ts'
import type { HeadLimits } from '../../../src/http/head.ts'
import { CANARIES } from '../../http/support/bytes.ts'
import { CHUNKED_LIMITS } from '../../http/support/chunked-cases.ts'
import { outcome } from '../../http/support/codes.ts'
import { CASE_LIMITS } from '../../http/support/head-cases.ts'
import { readOurs } from './ours.ts'
import type { Random } from './random.ts'
import { chunkedBody, re } from './rfc.ts'
import { brokenRule, RULES } from './rules.ts'
import { Twins } from './twins.ts'

/** Checks one input; returns what became of it, in a word. */
export type Check = (bytes: Buffer, random: Random) => string

const MARGIN_BYTES = 64

/** The input in the middle of copies of a canary. */
function surrounded(bytes: Buffer, canary: string): Buffer {
  const all = Buffer.alloc(bytes.length + 2 * MARGIN_BYTES, canary, 'latin1')
  bytes.copy(all, MARGIN_BYTES)
  return all
}

/** Whether two buffers have the same canaries around the same place. */
function hasSameEdges(a: Buffer, b: Buffer): boolean {
  const from = a.length - MARGIN_BYTES
  return (
    a.compare(b, 0, MARGIN_BYTES, 0, MARGIN_BYTES) === 0 && a.compare(b, from, b.length, from, a.length) === 0
  )
}

function assert(holds: boolean, what: () => string): void {
  if (!holds) throw new Error(what())
}

/** From generous to so small that most inputs pass one of them. */
const HEAD_LIMITS: readonly HeadLimits[] = [
  { headBytes: 8192, targetBytes: 2048, fields: 100, leadingEmptyLines: 3 },
  CASE_LIMITS,
  { headBytes: 128, targetBytes: 31, fields: 8, leadingEmptyLines: 1 },
  { headBytes: 64, targetBytes: 16, fields: 2, leadingEmptyLines: 0 },
]
const VECTOR_BYTES = 16
/** Places within a cache line. */
const LEADS = 64
const twins = HEAD_LIMITS.map((limits) => new Twins(limits))

/** Bytes before the input so that it ends at a vector's border, one byte before or behind it, or anywhere. */
function leadFor(random: Random, length: number): number {
  const toBorder = VECTOR_BYTES - (length % VECTOR_BYTES)
  return random.pick([toBorder, toBorder - 1, toBorder + 1, random.below(LEADS)])
}

/** Ascending ends of pieces, the last at the length. */
function cutsOf(random: Random, length: number): number[] {
  const cuts: number[] = []
  const pieceBytes = random.chance(30) ? 2 : 1 + random.below(60)
  for (let at = random.below(pieceBytes); at < length; at += 1 + random.below(pieceBytes)) cuts.push(at)
  return [...cuts, length]
}

/** Scalar, SIMD in place and SIMD elsewhere give one result, wherever the head lies and however it is cut. */
export const checkHead: Check = (bytes, random) => {
  const parsers = random.pick(twins)
  const lead = leadFor(random, bytes.length)
  const whole = parsers.parse(bytes, [bytes.length], { canary: random.pick(CANARIES), lead })
  const other = { canary: random.pick(CANARIES), lead: random.below(LEADS) }
  const moved = parsers.parse(bytes, [bytes.length], other)
  assert(moved === whole, () => `depends on what surrounds it: ${whole}, ${moved}`)
  const pieces = parsers.parse(bytes, cutsOf(random, bytes.length), { ...other, lead })
  const isHead = /^\d/.test(whole)
  // An error in a head that came in pieces may wait for its end; nothing else may.
  assert(pieces === whole || (!isHead && pieces === 'partial'), () => `in pieces ${pieces}, whole ${whole}`)
  if (isHead) return 'heads'
  return whole === 'partial' ? 'partial' : 'refused'
}

/** A request is refused when it breaks the rule of that name, and taken when it breaks none. */
export const checkRules: Check = (bytes, random) => {
  const text = bytes.toString('latin1')
  const read = (canary: string) => {
    const all = surrounded(bytes, canary)
    return readOurs(all, MARGIN_BYTES, all.length - MARGIN_BYTES)
  }
  const { messages, refusal, starts } = read(random.pick(CANARIES))
  const other = read(random.pick(CANARIES))
  assert(
    JSON.stringify({ messages, refusal, starts }) === JSON.stringify(other),
    () => 'depends on what surrounds it',
  )
  messages.forEach((message, index) => {
    if (!message.isComplete) return
    const request = text.slice(starts[index], starts[index + 1])
    const broken = RULES.find((rule) => rule.isBroken(request))
    assert(broken === undefined, () => `taken, though it breaks ${broken?.name}`)
  })
  const rest = text.slice(starts.at(-1))
  assert(refusal === undefined || brokenRule(refusal, rest) !== undefined, () => `${refusal}, for no reason`)
  if (refusal !== undefined) return 'refused'
  return messages.length > 0 ? 'taken' : 'partial'
}

const WIDE = {
  bodyBytes: 8192,
  extensionBytes: 8192,
  overheadBytes: 8192,
  trailerBytes: 8192,
  trailerFields: 99,
}
const LIMIT_NAMES: ReadonlySet<string> = new Set([
  'body-too-large',
  'chunk-extension-too-large',
  'chunk-overhead-too-large',
  'trailer-too-large',
])
const decoders = [WIDE, CHUNKED_LIMITS].map((limits) => new ChunkedDecoder(limits))

/** Result, payload and bytes consumed of a body that comes in pieces; in place or into room that grows. */
function decode(
  decoder: ChunkedDecoder,
  bytes: Buffer,
  cuts: readonly number[],
  canary: string,
  inPlace: boolean,
) {
  const lead = MARGIN_BYTES
  const all = surrounded(bytes, canary)
  const room = inPlace ? all : surrounded(Buffer.alloc(bytes.length), canary)
  decoder.reset()
  let at = 0
  let written = 0
  let result = 0
  for (const cut of cuts) {
    result = decoder.decode(all, lead + at, lead + cut, room.subarray(0, lead + bytes.length), lead + written)
    written += decoder.written
    if (result < 0 || decoder.done) break
    assert(result === cut - at, () => `${result} bytes consumed of ${cut - at}`)
    at = cut
  }
  const untouched = surrounded(bytes, canary)
  assert(hasSameEdges(all, untouched) && hasSameEdges(room, untouched), () => 'wrote outside its room')
  const payload = room.toString('latin1', lead, lead + written)
  if (result < 0) return { state: String(outcome(result)), payload, end: -1 }
  return { state: decoder.done ? 'done' : 'partial', payload, end: decoder.done ? at + result : -1 }
}

/** A chunked body gives the same whole, in pieces and in place; and what its grammar gives. */
export const checkChunked: Check = (bytes, random) => {
  const decoder = random.pick(decoders)
  const decoded = (cuts: readonly number[], inPlace: boolean) =>
    decode(decoder, bytes, cuts, random.pick(CANARIES), inPlace)
  const whole = decoded([bytes.length], false)
  for (const inPlace of [false, true]) {
    const pieces = decoded(cutsOf(random, bytes.length), inPlace)
    assert(
      JSON.stringify(pieces) === JSON.stringify(whole),
      () => `${JSON.stringify(pieces)}, whole ${JSON.stringify(whole)}`,
    )
  }
  const right = chunkedBody(bytes.toString('latin1'))
  if (right === undefined) assert(whole.state !== 'done', () => 'taken, though it is no chunked body')
  else if (!LIMIT_NAMES.has(whole.state)) {
    const same = whole.state === 'done' && whole.end === right.end && whole.payload === right.payload
    assert(same, () => `${JSON.stringify(whole)} for ${JSON.stringify(right)}`)
  }
  return LIMIT_NAMES.has(whole.state) || !/^(done|partial)$/.test(whole.state) ? 'refused' : whole.state
}

const FIELD_BLOCK = re`^(?:[<T>]+:[<V>]*\r\n)*$`
const ONLY_OURS =
  /^(?:content-length|transfer-encoding|connection|keep-alive|proxy-connection|upgrade|te|trailer)$/i
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What a block of fields in UTF-8 is to become, in latin1; undefined when it is to be refused. */
function copied(lines: readonly string[]): string | undefined {
  if (!FIELD_BLOCK.test(lines.join(''))) return undefined
  const nameOf = (line: string) => line.slice(0, line.indexOf(':'))
  const lengths = lines.filter((line) => /^content-length$/i.test(nameOf(line)))
  if (lengths.length > 1 || lengths.some((line) => !Number.isSafeInteger(lengthOf(line)))) return undefined
  const kept = lines.filter((line) => !ONLY_OURS.test(nameOf(line))).join('')
  try {
    const text = utf8.decode(Buffer.from(kept, 'latin1'))
    return /^[\0-\xff]*$/.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

/** The value of a Content-Length line; NaN when it is no number, or not an exact one. */
function lengthOf(line: string): number {
  const digits = /^[^:]*:[ \t]*(\d+)[ \t]*\r\n$/.exec(line)?.[1]
  return digits === undefined ? Number.NaN : Number(digits)
}

/** A guest's fields are copied line by line but for those that only the server may write, or not at all. */
export const checkCopyFields: Check = (bytes, random) => {
  const canary = random.pick(CANARIES)
  const src = surrounded(bytes, canary)
  const room = surrounded(Buffer.alloc(bytes.length), canary)
  const seen = new ResponseFields()
  const end = MARGIN_BYTES + bytes.length
  const result = copyFields(src, MARGIN_BYTES, end, room.subarray(0, end), MARGIN_BYTES, seen)
  assert(src.equals(surrounded(bytes, canary)), () => 'wrote into the source')
  assert(hasSameEdges(room, src), () => 'wrote outside its room')

  const lines = bytes
    .toString('latin1')
    .split(/(?<=\r\n)/)
    .filter((line) => line !== '')
  const expected = copied(lines)
  const found = result < 0 ? undefined : room.toString('latin1', MARGIN_BYTES, result)
  assert(
    found === expected,
    () => `${JSON.stringify(found)} (${outcome(result)}), not ${JSON.stringify(expected)}`,
  )
  if (found === undefined) return 'refused'
  const given = lines.find((line) => /^content-length:/i.test(line))
  const length = given === undefined ? -1 : lengthOf(given)
  assert(seen.contentLength === length, () => `a length of ${seen.contentLength}, not ${length}`)
  return 'copied'
}
