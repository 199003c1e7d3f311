import {
  charCodeAt,
  concat,
  isEnumerable,
  jsonStringify,
  stringIncludes,
  stringIndexOf,
  stringSlice,
  stringSplit,
  toLowerCase,
} from '../primordials.ts'
import { finishInterface, liveIterator, matches, toByteString, trimHttpSpace } from './webidl.ts'

const ITERATOR = 'Headers Iterator'
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Of what a value may hold. Anchored: to search for one character that it may not hold takes twice as long. */
const VALUE = /^[^\0\r\n\u0100-\uffff]*$/
const BEYOND_ASCII = /[\x80-\xff]/

/** Marks a construction by this realm's own code, which no user code can name. */
const INTERNAL = Symbol('internal')

/** Names (lower case) and values in turn: one array instead of an object a field. */
type FieldList = string[]

export type HeadersInit = Headers | Iterable<Iterable<string>> | Record<string, string> | null | undefined

/** An incoming head: request line, field lines, empty line; parsed when somebody looks. */
let ofHead: (head: string) => Headers
let listOf: (headers: Headers) => FieldList
let pairsOf: (headers: Headers) => [string, string][]
let isHeaders: (value: object) => boolean
let refuseIfImmutable: (headers: Headers) => void

/** Fetch, section 5.1 (Headers class). Names are kept in lower case: they are written so, and compared so. */
export class Headers {
  /** The lines of an incoming request's head until all are parsed, then undefined. Such headers are immutable. */
  #lines: string[] | undefined
  #list: FieldList = []
  #immutable = false
  /** Sorted and combined for iteration; undefined after a change. */
  #pairs: [string, string][] | undefined

  constructor(init?: HeadersInit, internal?: unknown) {
    if (internal === INTERNAL) {
      this.#lines = stringSplit(init as unknown as string, '\r\n')
      this.#immutable = true
    } else if (init !== undefined && init !== null) {
      fill(this, init)
    }
  }

  append(name: string, value: string): void {
    const key = toName(name)
    const text = toValue(value)
    refuseIfImmutable(this)
    const list = this.#list
    list[list.length] = key
    list[list.length] = text
    this.#pairs = undefined
  }

  delete(name: string): void {
    const key = toName(name)
    refuseIfImmutable(this)
    this.#list = without(this.#list, key)
    this.#pairs = undefined
  }

  get(name: string): string | null {
    const key = toName(name)
    if (this.#lines !== undefined) return findInLines(this.#lines, key)
    return combined(this.#list, key)
  }

  getSetCookie(): string[] {
    const list = listOf(this)
    const cookies: string[] = []
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === 'set-cookie') cookies[cookies.length] = list[i + 1]!
    }
    return cookies
  }

  has(name: string): boolean {
    return this.get(name) !== null
  }

  set(name: string, value: string): void {
    const key = toName(name)
    const text = toValue(value)
    refuseIfImmutable(this)
    const list = this.#list
    let written = false
    const result: FieldList = []
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === key) {
        if (written) continue
        written = true
        result[result.length] = key
        result[result.length] = text
      } else {
        result[result.length] = list[i]!
        result[result.length] = list[i + 1]!
      }
    }
    if (!written) {
      result[result.length] = key
      result[result.length] = text
    }
    this.#list = result
    this.#pairs = undefined
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, thisArgument?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('forEach needs a function')
    for (const [name, value] of this.entries()) callback.call(thisArgument, value, name, this)
  }

  entries(): IterableIterator<[string, string]> {
    return liveIterator(
      () => pairsOf(this),
      (pair) => [pair[0], pair[1]],
      ITERATOR,
    )
  }

  keys(): IterableIterator<string> {
    return liveIterator(
      () => pairsOf(this),
      (pair) => pair[0],
      ITERATOR,
    )
  }

  values(): IterableIterator<string> {
    return liveIterator(
      () => pairsOf(this),
      (pair) => pair[1],
      ITERATOR,
    )
  }

  static {
    ofHead = (head) => new Headers(head as unknown as HeadersInit, INTERNAL)
    isHeaders = (value) => #list in value
    pairsOf = (headers) => (headers.#pairs ??= sortAndCombine(listOf(headers)))
    refuseIfImmutable = (headers) => {
      if (!headers.#immutable) return
      throw new TypeError('these headers are immutable: copy them by new Headers(headers)')
    }
    listOf = (headers) => {
      if (headers.#lines !== undefined) {
        headers.#list = parseLines(headers.#lines)
        headers.#lines = undefined
      }
      return headers.#list
    }
  }
}
Object.defineProperty(Headers.prototype, Symbol.iterator, {
  value: Headers.prototype.entries,
  writable: true,
  configurable: true,
})
finishInterface(Headers, 'Headers')

export { ofHead }

/** Names already checked, in lower case: a function uses the same few over and over. */
const knownNames: Record<string, string | undefined> = Object.create(null)
const KNOWN_NAMES_MAX = 128
const KNOWN_NAME_CHARS_MAX = 64
let knownCount = 0

function toName(name: unknown): string {
  const text = typeof name === 'string' ? name : `${name}`
  const known = knownNames[text]
  if (known !== undefined) return known
  if (!matches(TOKEN, text)) throw new TypeError(`${jsonStringify(text)} is not a valid header name`)
  const key = toLowerCase(text)
  if (knownCount < KNOWN_NAMES_MAX && text.length <= KNOWN_NAME_CHARS_MAX) {
    knownCount++
    knownNames[text] = key
  }
  return key
}

function toValue(value: unknown): string {
  const text = typeof value === 'string' ? value : `${value}`
  if (matches(VALUE, text)) return trimHttpSpace(text)
  const trimmed = trimHttpSpace(toByteString(text, 'a header value'))
  if (!matches(VALUE, trimmed)) throw new TypeError('a header value cannot contain NUL, CR or LF')
  return trimmed
}

/** Fetch, "fill a Headers object". */
function fill(headers: Headers, init: NonNullable<HeadersInit>): void {
  if (typeof init !== 'object' && typeof init !== 'function') {
    throw new TypeError('headers must be a Headers, an iterable of pairs or a record')
  }
  if (isHeaders(init)) {
    const list = listOf(headers)
    const from = listOf(init as Headers)
    for (let i = 0; i < from.length; i++) list[i] = from[i]!
    return
  }
  if ((init as Iterable<unknown>)[Symbol.iterator] !== undefined) {
    for (const pair of init as Iterable<Iterable<string>>) {
      if (typeof pair !== 'object' || pair === null) throw new TypeError('a header pair must be an iterable')
      const [name, value, ...more] = pair
      if (name === undefined || value === undefined || more.length > 0) {
        throw new TypeError('a header pair must have exactly two items')
      }
      headers.append(name, value)
    }
    return
  }
  for (const name of Reflect.ownKeys(init)) {
    if (!isEnumerable(init, name)) continue
    if (typeof name === 'symbol') throw new TypeError('a header name cannot be a symbol')
    headers.append(name, (init as Record<string, string>)[name]!)
  }
}

function combined(list: FieldList, key: string): string | null {
  let value: string | null = null
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === key) value = value === null ? list[i + 1]! : concat(value, ', ', list[i + 1]!)
  }
  return value
}

function without(list: FieldList, key: string): FieldList {
  const result: FieldList = []
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === key) continue
    result[result.length] = list[i]!
    result[result.length] = list[i + 1]!
  }
  return result
}

/** One field out of unparsed lines: most handlers look at one or two of twenty. The colon's place rules out most lines. */
function findInLines(lines: readonly string[], key: string): string | null {
  const colon = key.length
  let found: string | null = null
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!
    if (line[colon] !== ':' || toLowerCase(stringSlice(line, 0, colon)) !== key) continue
    const value = trimHttpSpace(stringSlice(line, colon + 1))
    found = found === null ? value : concat(found, ', ', value)
  }
  return found
}

/** The field lines of a head the host has validated: RFC 9112, section 5, without folding. */
function parseLines(lines: readonly string[]): FieldList {
  const list: FieldList = []
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!
    const colon = stringIndexOf(line, ':')
    if (colon <= 0) continue
    list[list.length] = toLowerCase(stringSlice(line, 0, colon))
    list[list.length] = trimHttpSpace(stringSlice(line, colon + 1))
  }
  return list
}

/** Fetch, "sort and combine": Set-Cookie lines stay apart. */
function sortAndCombine(list: FieldList): [string, string][] {
  const byName = new Map<string, string>()
  for (let i = 0; i < list.length; i += 2) {
    const before = byName.get(list[i]!)
    byName.set(list[i]!, before === undefined ? list[i + 1]! : `${before}, ${list[i + 1]}`)
  }
  const pairs: [string, string][] = []
  for (const name of [...byName.keys()].sort()) {
    if (name !== 'set-cookie') {
      pairs.push([name, byName.get(name)!])
      continue
    }
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) pairs.push([name, list[i + 1]!])
  }
  return pairs
}

const CONTENT_TYPE = 'content-type'

/** Sets Content-Type unless the headers have one already. */
export function addContentType(headers: Headers, type: string): void {
  const list = listOf(headers)
  if (combined(list, CONTENT_TYPE) !== null) return
  list[list.length] = CONTENT_TYPE
  list[list.length] = type
}

/** The only field's value if that field is Content-Type, '' for no field at all, undefined otherwise. */
export function soleContentType(headers: Headers): string | undefined {
  const list = listOf(headers)
  if (list.length === 0) return ''
  return list.length === 2 && list[0] === CONTENT_TYPE ? list[1] : undefined
}

/**
 * The field lines as they go over the border. The host takes CRLF for the end of a line and NUL for the end of all, so both are
 * looked for once more in what is sent: user code may have put other strings in the list since, through a prototype's setters.
 * @throws TypeError for CR, LF or NUL in a name or a value.
 */
export function fieldBlock(headers: Headers): string {
  const list = listOf(headers)
  let block = ''
  for (let i = 0; i < list.length; i += 2) {
    const line = concat(list[i]!, ': ', list[i + 1]!)
    if (stringIncludes(line, '\n') || stringIncludes(line, '\r') || stringIncludes(line, '\0')) {
      throw new TypeError('a header cannot contain NUL, CR or LF')
    }
    block = concat(block, line, '\r\n')
  }
  return block
}

/** UTF-8 bytes of a field block, whose characters are all below U+0100. */
export function utf8Bytes(block: string): number {
  let bytes = block.length
  if (!matches(BEYOND_ASCII, block)) return bytes
  for (let i = 0; i < block.length; i++) if (charCodeAt(block, i) > 0x7f) bytes++
  return bytes
}
