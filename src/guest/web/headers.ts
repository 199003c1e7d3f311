import {
  charCodeAt,
  concat,
  isEnumerable,
  jsonStringify,
  ownKeys,
  stringIncludes,
  stringIndexOf,
  stringSlice,
  stringSplit,
  toLowerCase,
} from '../primordials.ts'
import { defineIterator, finishInterface, matches, toByteString, trimHttpSpace } from './webidl.ts'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Of what a value may hold. Anchored: to search for one character that it may not hold takes twice as long. */
const VALUE = /^[^\0\r\n\u0100-\uffff]*$/
/** What most values are: nothing to trim, no control character. */
const PLAIN = /^(?! )[ -\xff]*(?<! )$/
/** Such values, with {@link END} behind each: one pattern for several costs less than one for each. A value with that in it is two of them. */
const PLAIN_VALUES = /^(?! )(?:[ -\xff]*(?<! )\x01(?! ))*$/
const END = '\x01'
const PLAIN_CHARS_MAX = 2048
const BEYOND_ASCII = /[\x80-\xff]/

/**
 * Marks a construction by this realm's own code, which no user code can name: of an incoming head (request line, field lines, empty
 * line; parsed when somebody looks), or of a list, which is the object's from then on.
 */
export const CHECKED = Symbol('checked')

/** Names (lower case) and values in turn, checked: one array instead of an object a field. */
export type FieldList = string[]
type Pair = [name: string, value: string]

export type HeadersInit = Headers | Iterable<Iterable<string>> | Record<string, string> | null | undefined

let listOf: (headers: Headers) => FieldList
let pairsOf: (headers: Headers) => readonly Pair[]
let isHeaders: (value: object) => boolean
let refuseIfImmutable: (headers: Headers) => void

/** Fetch, section 5.1 (Headers class). Names are kept in lower case: they are written so, and compared so. */
export class Headers {
  /** The lines of an incoming request's head. Such headers are immutable. */
  #lines: string[] | undefined
  /** Undefined for lines that nobody has parsed. */
  #list: FieldList | undefined
  /** Sorted and combined for iteration; undefined after a change. */
  #pairs: Pair[] | undefined

  constructor(init?: HeadersInit | string | FieldList, internal?: typeof CHECKED) {
    if (internal !== CHECKED) this.#list = toFields(init as HeadersInit)
    else if (typeof init === 'string') this.#lines = stringSplit(init, '\r\n')
    else this.#list = init as FieldList
  }

  append(name: string, value: string): void {
    const key = toName(name)
    const text = toValue(key, value)
    refuseIfImmutable(this)
    push(this.#list!, key, text)
    this.#pairs = undefined
  }

  delete(name: string): void {
    const key = toName(name)
    refuseIfImmutable(this)
    this.#list = without(this.#list!, key)
    this.#pairs = undefined
  }

  get(name: string): string | null {
    const key = toName(name)
    return this.#lines === undefined ? combined(this.#list!, key) : findInLines(this.#lines, key)
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
    const text = toValue(key, value)
    refuseIfImmutable(this)
    const list = this.#list!
    let at = 0
    while (at < list.length && list[at] !== key) at += 2
    if (at === list.length) push(list, key, text)
    else this.#list = without(list, key, at, text)
    this.#pairs = undefined
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, thisArgument?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('forEach needs a function')
    for (let i = 0; i < pairsOf(this).length; i++) {
      const pair = pairsOf(this)[i]!
      callback.call(thisArgument, pair[1], pair[0], this)
    }
  }

  entries(): IterableIterator<Pair> {
    return iterate(this)
  }

  keys(): IterableIterator<string> {
    return iterate(this, 0)
  }

  values(): IterableIterator<string> {
    return iterate(this, 1)
  }

  static {
    isHeaders = (value) => #list in value
    pairsOf = (headers) => (headers.#pairs ??= sortAndCombine(listOf(headers)))
    refuseIfImmutable = (headers) => {
      if (headers.#lines === undefined) return
      throw new TypeError('these headers are immutable: copy them by new Headers(headers)')
    }
    listOf = (headers) => (headers.#list ??= parseLines(headers.#lines!))
  }
}
Object.defineProperty(Headers.prototype, Symbol.iterator, {
  value: Headers.prototype.entries,
  writable: true,
  configurable: true,
})
finishInterface(Headers, 'Headers')
const iterate = defineIterator('Headers Iterator', pairsOf)

export { listOf }

/**
 * Names already checked, in lower case, and by these a value that was checked: a function uses the same few over and over, and sends
 * most with the same value. To look at a value costs 0.4 µs and 10 to 20 ns a character.
 */
const knownNames: Record<string, string | undefined> = Object.create(null)
const knownValues: Record<string, string | undefined> = Object.create(null)
const KNOWN_NAMES_MAX = 128
const KNOWN_NAME_CHARS_MAX = 64
const KNOWN_VALUE_CHARS_MAX = 128
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
    knownValues[key] ??= ''
  }
  return key
}

/** `key`: its name, by {@link toName}. */
function toValue(key: string, value: unknown): string {
  const known = knownValues[key]
  if (known !== undefined && known === value) return known
  let text = typeof value === 'string' ? value : `${value}`
  if (matches(PLAIN, text)) {
    // Nothing to do.
  } else if (matches(VALUE, text)) text = trimHttpSpace(text)
  else {
    text = trimHttpSpace(toByteString(text, 'a header value'))
    if (!matches(VALUE, text)) throw new TypeError('a header value cannot contain NUL, CR or LF')
  }
  if (known !== undefined && text.length <= KNOWN_VALUE_CHARS_MAX) knownValues[key] = text
  return text
}

function push(list: FieldList, key: string, text: string): void {
  list[list.length] = key
  list[list.length] = text
}

/** Fetch, "fill a Headers object": the fields of an init, in a list of their own. */
export function toFields(init: HeadersInit): FieldList {
  const list: FieldList = []
  if (init === undefined || init === null) return list
  if (typeof init !== 'object' && typeof init !== 'function') {
    throw new TypeError('headers must be a Headers, an iterable of pairs or a record')
  }
  if (isHeaders(init)) {
    const from = listOf(init as Headers)
    for (let i = 0; i < from.length; i++) list[i] = from[i]!
    return list
  }
  if ((init as Iterable<unknown>)[Symbol.iterator] !== undefined) {
    for (const pair of init as Iterable<Iterable<string>>) {
      if (typeof pair !== 'object' || pair === null) throw new TypeError('a header pair must be an iterable')
      const [name, value, ...more] = pair
      if (name === undefined || value === undefined || more.length > 0) {
        throw new TypeError('a header pair must have exactly two items')
      }
      const key = toName(name)
      push(list, key, toValue(key, value))
    }
    return list
  }
  fillFromRecord(list, init as Record<string, string>)
  return list
}

function fillFromRecord(list: FieldList, init: Record<string, string>): void {
  const names = ownKeys(init)
  let length = 0
  /** Values that are not known, to be looked through together. */
  let fresh = ''
  let isFirst = false
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string
    if (!isEnumerable(init, name)) continue
    // Most are known: each call that is saved counts. A symbol is no text: a TypeError.
    const key = knownNames[name] ?? toName(name)
    const value = init[name]
    const known = knownValues[key]
    list[length++] = key
    if (known === value && known !== undefined) list[length++] = known
    else if (typeof value === 'string' && fresh.length < PLAIN_CHARS_MAX) {
      list[length++] = value
      fresh = fresh + value + END
      if (known === '') isFirst = true
    } else list[length++] = toValue(key, value)
  }
  if (fresh === '' || (matches(PLAIN_VALUES, fresh) && !isFirst)) return
  // By themselves, those that are not plain, and those to be remembered: of a name that comes with another each time only one is.
  for (let i = 0; i < length; i += 2) list[i + 1] = toValue(list[i]!, list[i + 1])
}

function combined(list: FieldList, key: string): string | null {
  let value: string | null = null
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === key) value = value === null ? list[i + 1]! : concat(value, ', ', list[i + 1]!)
  }
  return value
}

/** The list without the fields of that name; `text` takes the place of the one at `at`. */
function without(list: FieldList, key: string, at = -1, text = ''): FieldList {
  const result: FieldList = []
  for (let i = 0; i < list.length; i += 2) {
    if (i === at) push(result, key, text)
    else if (list[i] !== key) push(result, list[i]!, list[i + 1]!)
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
function sortAndCombine(list: FieldList): Pair[] {
  if (list.length === 2) return [[list[0]!, list[1]!]]
  const byName = new Map<string, string>()
  for (let i = 0; i < list.length; i += 2) {
    const before = byName.get(list[i]!)
    byName.set(list[i]!, before === undefined ? list[i + 1]! : `${before}, ${list[i + 1]}`)
  }
  const pairs: Pair[] = []
  for (const name of [...byName.keys()].sort()) {
    if (name !== 'set-cookie') {
      pairs.push([name, byName.get(name)!])
      continue
    }
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) pairs.push([name, list[i + 1]!])
  }
  return pairs
}

export const CONTENT_TYPE = 'content-type'

/** Sets Content-Type unless there is one already. */
export function addContentType(list: FieldList, type: string): void {
  if (combined(list, CONTENT_TYPE) === null) push(list, CONTENT_TYPE, type)
}

/**
 * The field lines as they go over the border. The host takes CRLF for the end of a line and NUL for the end of all, so both are
 * looked for once more in what is sent: user code may have put other strings in the list since, through a prototype's setters.
 * @throws TypeError for CR, LF or NUL in a name or a value.
 */
export function fieldBlock(list: FieldList): string {
  let block = ''
  let text = ''
  for (let i = 0; i < list.length; i += 2) {
    const line = concat(list[i]!, ': ', list[i + 1]!)
    text += line
    block = concat(block, line, '\r\n')
  }
  if (stringIncludes(text, '\n') || stringIncludes(text, '\r') || stringIncludes(text, '\0')) {
    throw new TypeError('a header cannot contain NUL, CR or LF')
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
