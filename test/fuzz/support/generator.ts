// Inputs for the fuzzing tests: requests by the grammar and those of the case tables, broken, spliced, pipelined and cut.

import { CHUNKED_CASES } from '../../http/support/chunked-cases.ts'
import { FRAMING_CASES } from '../../http/support/framing-cases.ts'
import { HEAD_CASES } from '../../http/support/head-cases.ts'
import { chunkedBody, fieldBlock, type Oddity, request } from './grammar.ts'
import type { Random } from './random.ts'
import { BEYOND_LATIN1, ODD_TEXTS } from './words.ts'

const CHUNKED_HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
/** Case tables as whole requests. */
export const CORPUS: readonly string[] = [
  ...HEAD_CASES.map(({ input }) => input),
  ...FRAMING_CASES.map(({ input }) => input),
  ...CHUNKED_CASES.map(({ input }) => CHUNKED_HEAD + input),
]

/** No input is longer: what is longer tests limits only, and those have tests of their own. */
const INPUT_BYTES_MAX = 6000

/** Puts `piece` in the place of `length` characters at `at`. */
function replaced(text: string, at: number, length: number, piece: string): string {
  return text.slice(0, at) + piece + text.slice(at + length)
}

/** A line of the text with its CRLF, wherever it is; may be empty. */
function someLine(random: Random, text: string): string {
  const from = text.lastIndexOf('\n', random.below(text.length + 1)) + 1
  const end = text.indexOf('\n', from)
  return end < 0 ? '' : text.slice(from, end + 1)
}

/** Of ASCII letters only: that of \xff is no byte. */
function upperCase(text: string): string {
  return text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())
}

type Mutation = (random: Random, text: string, at: number) => string

const MUTATIONS: readonly Mutation[] = [
  // A bit flipped.
  (random, text, at) =>
    replaced(text, at, 1, String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << random.below(8)))),
  // Any byte.
  (random, text, at) => replaced(text, at, 1, String.fromCharCode(random.below(256))),
  // Something odd put in, or in place of a byte.
  (random, text, at) => replaced(text, at, 0, random.pick(ODD_TEXTS)),
  (random, text, at) => replaced(text, at, 1, random.pick(ODD_TEXTS)),
  // A range left out, or twice.
  (random, text, at) => replaced(text, at, 1 + random.below(random.chance(70) ? 3 : 20), ''),
  (random, text, at) => replaced(text, at, 0, text.slice(at, at + 1 + random.below(20))),
  // A range from the tables.
  (random, text, at) => {
    const donor = random.pick(CORPUS)
    const from = random.below(donor.length)
    return replaced(text, at, random.below(3), donor.slice(from, from + 1 + random.below(30)))
  },
  // The beginning of this and the end of another.
  (random, text, at) => {
    const donor = random.pick(CORPUS)
    return text.slice(0, at) + donor.slice(random.below(donor.length))
  },
  // A line twice, also in another letter case.
  (random, text) => {
    const line = someLine(random, text)
    const from = text.indexOf(line)
    return replaced(text, from, 0, random.chance(50) ? line : upperCase(line))
  },
  // A line end changed.
  (random, text, at) => {
    const from = text.indexOf('\r\n', at)
    return from < 0 ? text : replaced(text, from, 2, random.pick(['\n', '\r', '\r\r\n', '\r\n ', '\n\r', '']))
  },
  // Whitespace or something like it around a colon.
  (random, text, at) => {
    const from = text.indexOf(':', at)
    if (from < 0) return text
    return replaced(
      text,
      from + random.below(2),
      0,
      random.pick([' ', '\t', '\x0b', '\r\n ', '\xa0', ':', '\0']),
    )
  },
  // A number changed.
  (random, text, at) => {
    const from = text.slice(at).search(/\d/)
    return from < 0
      ? text
      : replaced(text, at + from, 1, random.pick(['0', '1', '9', '00', '-1', '+1', ' 1', 'a', '0x1']))
  },
]

function mutated(random: Random, text: string, times: number): string {
  let result = text
  for (let n = times; n > 0; n--) result = random.pick(MUTATIONS)(random, result, random.below(result.length))
  return result
}

function maybeMutated(random: Random, text: string): string {
  return random.chance(50) ? text : mutated(random, text, 1 + random.below(random.chance(80) ? 2 : 6))
}

function maybeCut(random: Random, text: string): string {
  const cut = random.chance(12) ? text.slice(0, random.below(text.length + 1)) : text
  return cut.slice(0, INPUT_BYTES_MAX)
}

/** How odd an input is before anything is done to it. */
function oddity(random: Random): Oddity {
  return { percent: random.pick([0, 0, 0, 1, 3]) }
}

/** Pipelined requests that are right, but for what a single change makes of one input in four. */
export function validInput(random: Random): string {
  let text = ''
  for (let n = 1 + random.below(3); n > 0; n--) text += request(random, { percent: 0 })
  return random.chance(25) ? mutated(random, text, 1) : text
}

/** One or more requests, mostly whole and nearly right. */
export function input(random: Random): string {
  let text = ''
  for (let n = random.chance(40) ? 2 + random.below(2) : 1; n > 0; n--) {
    text += random.chance(75) ? request(random, oddity(random)) : random.pick(CORPUS)
  }
  return maybeCut(random, maybeMutated(random, text))
}

/** A chunked body, with something behind it. */
export function bodyInput(random: Random): string {
  const body = random.chance(75) ? chunkedBody(random, oddity(random)) : random.pick(CHUNKED_CASES).input
  const text = maybeCut(random, maybeMutated(random, body))
  return random.chance(20) ? text + random.pick(CORPUS) : text
}

/** The fields of a guest's answer: in UTF-8 mostly, as they come out of the sandbox. */
export function fieldsInput(random: Random): string {
  const block = fieldBlock(random, oddity(random)) + (random.chance(10) ? random.pick(BEYOND_LATIN1) : '')
  const bytes = random.chance(80) ? Buffer.from(block, 'utf8').toString('latin1') : block
  return maybeCut(random, maybeMutated(random, bytes))
}
