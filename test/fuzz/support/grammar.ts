// Requests by the grammar, with the oddities that parsers differ on mixed in. What comes out is latin1 text.

import { FIELD_ID } from '../../../src/http/table.ts'
import type { Random } from './random.ts'
import * as words from './words.ts'

const KNOWN_NAMES = Object.keys(FIELD_ID)
const VALUE_CHARS = `${words.TCHARS} \t:,;="()/\xa0\xff`

/** How odd a request is, in percent of places: most are nearly right, or parsers would part at their first line. */
export interface Oddity {
  readonly percent: number
}

function letters(random: Random, bytes: number, from: string): string {
  let text = ''
  while (text.length < bytes) text += random.pick(from)
  return text
}

function mixedCase(random: Random, text: string): string {
  if (random.chance(60)) return text
  if (random.chance(50)) return random.chance(50) ? text.toUpperCase() : text.toLowerCase()
  return text.replaceAll(/[a-z]/gi, (c) => (random.chance(50) ? c.toUpperCase() : c.toLowerCase()))
}

function lineEnd(random: Random, { percent }: Oddity): string {
  return random.chance(percent) ? random.pick(words.ODD_ENDS) : '\r\n'
}

function fieldLine(random: Random, odd: Oddity, name: string, value: string): string {
  const separator = random.pick(random.chance(odd.percent) ? words.ODD_SEPARATORS : words.SEPARATORS)
  const after = random.chance(10) ? random.pick([' ', '\t', ' \t ']) : ''
  return `${mixedCase(random, name)}${separator}${value}${after}${lineEnd(random, odd)}`
}

/** Of any length, often one at which names are told apart by a vector more or less. */
function anyName(random: Random): string {
  const bytes = random.chance(50) ? random.pick([15, 16, 17, 31, 32, 33]) : 1 + random.below(40)
  return letters(random, bytes, words.TCHARS)
}

/** A name that is not quite one of those that are recognised. */
function nearName(random: Random): string {
  const name = random.pick(KNOWN_NAMES)
  const at = random.below(name.length)
  return name.slice(0, at) + letters(random, random.below(3), words.TCHARS) + name.slice(at + random.below(2))
}

function anyField(random: Random, odd: Oddity): string {
  const name = random.pick([() => random.pick(words.NAMES), anyName, nearName])(random)
  const text = () => letters(random, 1 + random.below(70), VALUE_CHARS)
  return fieldLine(random, odd, name, random.chance(70) ? random.pick(words.VALUES) : text())
}

function chunkLine(random: Random, odd: Oddity, size: number): string {
  const hex = size.toString(16)
  let text = random.chance(30) ? hex.toUpperCase() : hex
  if (random.chance(odd.percent)) text = random.pick(words.SIZE_PREFIXES) + text
  if (random.chance(15)) text += random.pick(words.EXTENSIONS)
  if (random.chance(odd.percent)) text += random.pick(words.ODD_SIZE_ENDS)
  return text + lineEnd(random, odd)
}

function payload(random: Random, bytes: number): string {
  // Data that looks like framing, or like a request, shows where a parser lost its place.
  const like = random.pick(['x', '0\r\n\r\n', '\r\n', 'GET /in HTTP/1.1\r\nHost: a\r\n\r\n', '\xff\0', 'abc'])
  return like.repeat(Math.ceil(bytes / like.length)).slice(0, bytes)
}

export function chunkedBody(random: Random, odd: Oddity): string {
  let text = ''
  for (let n = random.below(4); n > 0; n--) {
    const bytes = 1 + random.below(random.chance(80) ? 20 : 300)
    text += chunkLine(random, odd, bytes) + payload(random, bytes) + lineEnd(random, odd)
    if (random.chance(odd.percent)) text += random.pick(['x', '\r\n', '0'])
  }
  text += chunkLine(random, odd, 0)
  if (random.chance(15)) text += random.pick(words.TRAILERS) + lineEnd(random, odd)
  if (random.chance(odd.percent)) text += random.pick(words.ODD_TRAILERS) + lineEnd(random, odd)
  return text + lineEnd(random, odd)
}

/** Framing fields and the body they announce, or do not quite. */
function framed(random: Random, odd: Oddity): { lines: string[]; body: string } {
  const bytes = random.below(30)
  const off = random.chance(odd.percent) ? random.below(5) - 2 : 0
  const length = fieldLine(random, odd, 'Content-Length', String(Math.max(0, bytes + off)))
  const coding = fieldLine(random, odd, 'Transfer-Encoding', 'chunked')
  const odds = [
    fieldLine(random, odd, 'Content-Length', random.pick(words.LENGTHS)),
    fieldLine(random, odd, 'Transfer-Encoding', random.pick(words.CODINGS)),
    length,
    coding,
  ]
  const extra = random.chance(2 * odd.percent) ? [random.pick(odds)] : []
  switch (random.below(3)) {
    case 0:
      return { lines: extra, body: '' }
    case 1:
      return { lines: [length, ...extra], body: payload(random, bytes) }
    default:
      return { lines: [coding, ...extra], body: chunkedBody(random, odd) }
  }
}

function requestLine(random: Random, odd: Oddity): string {
  const method = random.pick(random.chance(2 * odd.percent) ? words.ODD_METHODS : words.METHODS)
  const plain =
    method === 'CONNECT' ? random.pick(['b:443', '[::1]:80', 'b.c:1']) : random.pick(words.TARGETS)
  const target = random.chance(2 * odd.percent + 3) ? random.pick(words.ODD_TARGETS) : plain
  const usual = random.chance(85) ? 'HTTP/1.1' : 'HTTP/1.0'
  const version = random.chance(odd.percent) ? random.pick(words.ODD_VERSIONS) : usual
  const space = () => (random.chance(odd.percent) ? random.pick(['  ', '\t', '', '\x0c', ' \t']) : ' ')
  return `${method}${space()}${target}${space()}${version}${lineEnd(random, odd)}`
}

function shuffled(random: Random, lines: string[]): string[] {
  for (let i = lines.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const line = lines[i]!
    lines[i] = lines[j]!
    lines[j] = line
  }
  return lines
}

/** Field lines as a guest may set them. */
export function fieldBlock(random: Random, odd: Oddity): string {
  let text = ''
  for (let n = random.below(8); n > 0; n--) {
    const name = random.pick(words.ANSWER_NAMES)
    const value = random.pick(name === 'Content-Length' ? words.LENGTHS : words.CONNECTIONS)
    text += random.chance(70) ? anyField(random, odd) : fieldLine(random, odd, name, value)
  }
  return text
}

/** One request with its body. */
export function request(random: Random, odd: Oddity): string {
  const before = random.chance(5) ? '\r\n'.repeat(1 + random.below(4)) : ''
  const { lines, body } = framed(random, odd)
  const host = random.chance(2 * odd.percent) ? random.pick(words.ODD_HOSTS) : 'a'
  if (!random.chance(odd.percent)) lines.push(fieldLine(random, odd, 'Host', host))
  if (random.chance(odd.percent)) lines.push(fieldLine(random, odd, 'Host', random.pick(words.ODD_HOSTS)))
  if (random.chance(20)) lines.push(fieldLine(random, odd, 'Connection', random.pick(words.CONNECTIONS)))
  if (random.chance(4)) lines.push(fieldLine(random, odd, 'Connection', random.pick(words.CONNECTIONS)))
  if (random.chance(5)) lines.push(fieldLine(random, odd, 'Upgrade', random.pick(['h2c', 'websocket', ''])))
  if (random.chance(4)) {
    lines.push(fieldLine(random, odd, 'Expect', random.pick(['100-continue', '100-Continue', 'tea', ''])))
  }
  const others = random.chance(3) ? random.below(110) : random.below(6)
  for (let n = others; n > 0; n--) lines.push(anyField(random, odd))
  return `${before}${requestLine(random, odd)}${shuffled(random, lines).join('')}${lineEnd(random, odd)}${body}`
}
