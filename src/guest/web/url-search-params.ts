import { fromWire, host } from '../bridge.ts'
import { DECODE, OP } from '../ops.ts'
import { toWellFormed } from '../primordials.ts'
import { defineIterator, finishInterface, needs } from './webidl.ts'

type Pair = [name: string, value: string]
type Init = string | Iterable<Iterable<string>> | Record<string, string> | undefined

let attach: (params: URLSearchParams, changed: (query: string) => void) => void
let replace: (params: URLSearchParams, query: string) => void
let pairsOf: (params: URLSearchParams) => readonly Pair[]
let isParams: (value: object) => boolean

/** URL, section 6.2. */
export class URLSearchParams {
  #pairs: Pair[] = []
  /** Tells the URL these belong to; undefined for those made on their own. */
  #changed: ((query: string) => void) | undefined

  constructor(init: Init = '') {
    if ((typeof init === 'object' && init !== null) || typeof init === 'function') {
      this.#pairs = toPairs(init)
    } else {
      const text = usv(init)
      this.#pairs = parse(text[0] === '?' ? text.slice(1) : text)
    }
  }

  get size(): number {
    return this.#pairs.length
  }

  append(name: string, value: string): void {
    needs(arguments.length, 2, 'append')
    this.#pairs.push([usv(name), usv(value)])
    this.#changed?.(this.toString())
  }

  delete(name: string, value: string | undefined = undefined): void {
    needs(arguments.length, 1, 'delete')
    const key = usv(name)
    const only = value === undefined ? undefined : usv(value)
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== key || (only !== undefined && pair[1] !== only))
    this.#changed?.(this.toString())
  }

  get(name: string): string | null {
    needs(arguments.length, 1, 'get')
    const key = usv(name)
    for (const pair of this.#pairs) if (pair[0] === key) return pair[1]
    return null
  }

  getAll(name: string): string[] {
    needs(arguments.length, 1, 'getAll')
    const key = usv(name)
    return this.#pairs.filter((pair) => pair[0] === key).map((pair) => pair[1])
  }

  has(name: string, value: string | undefined = undefined): boolean {
    needs(arguments.length, 1, 'has')
    const key = usv(name)
    const only = value === undefined ? undefined : usv(value)
    return this.#pairs.some((pair) => pair[0] === key && (only === undefined || pair[1] === only))
  }

  set(name: string, value: string): void {
    needs(arguments.length, 2, 'set')
    const key = usv(name)
    const first = this.#pairs.find((pair) => pair[0] === key)
    if (first === undefined) this.#pairs.push([key, usv(value)])
    else {
      first[1] = usv(value)
      this.#pairs = this.#pairs.filter((pair) => pair === first || pair[0] !== key)
    }
    this.#changed?.(this.toString())
  }

  sort(): void {
    // The sort is stable and compares UTF-16 units, as the standard wants.
    this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))
    this.#changed?.(this.toString())
  }

  forEach(
    callback: (value: string, name: string, params: URLSearchParams) => void,
    self: unknown = undefined,
  ): void {
    if (typeof callback !== 'function') throw new TypeError('forEach needs a function')
    for (let i = 0; i < this.#pairs.length; i++) {
      callback.call(self, this.#pairs[i]![1], this.#pairs[i]![0], this)
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

  toString(): string {
    let text = ''
    for (const [name, value] of this.#pairs)
      text += `${text === '' ? '' : '&'}${encode(name)}=${encode(value)}`
    return text
  }

  static {
    pairsOf = (params) => params.#pairs
    isParams = (value) => #pairs in value
    attach = (params, changed) => {
      params.#changed = changed
    }
    replace = (params, query) => {
      params.#pairs = parse(query)
    }
  }
}
Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
  value: URLSearchParams.prototype.entries,
  writable: true,
  configurable: true,
})
finishInterface(URLSearchParams, 'URLSearchParams')
const iterate = defineIterator('URLSearchParams Iterator', pairsOf)

export { attach, replace }

/** Whether a value is a URLSearchParams of this realm, whatever its prototype says. */
export const isSearchParams = (value: object): value is URLSearchParams => isParams(value)

function usv(value: unknown): string {
  return toWellFormed(`${value}`)
}

function toPairs(init: Exclude<Init, string | undefined>): Pair[] {
  const method = (init as Iterable<Iterable<string>>)[Symbol.iterator]
  if (method !== undefined && method !== null) {
    return Array.from(init as Iterable<Iterable<string>>, (item) => {
      const parts = [...item]
      if (parts.length !== 2) throw new TypeError('a pair of URLSearchParams must have exactly two items')
      return [usv(parts[0]), usv(parts[1])] as Pair
    })
  }
  const pairs = new Map<string, string>()
  for (const key of Reflect.ownKeys(init)) {
    if (!Object.getOwnPropertyDescriptor(init, key)?.enumerable) continue
    if (typeof key === 'symbol') throw new TypeError('a name cannot be a symbol')
    pairs.set(usv(key), usv((init as Record<string, string>)[key]))
  }
  return [...pairs]
}

/** URL, section 5.1 (application/x-www-form-urlencoded parsing). */
function parse(query: string): Pair[] {
  const pairs: Pair[] = []
  for (const part of query.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = equals < 0 ? part : part.slice(0, equals)
    pairs.push([decode(name), equals < 0 ? '' : decode(part.slice(equals + 1))])
  }
  return pairs
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return decodeLoosely(spaced)
  }
}

/** Percent-decoding that leaves what is no escape and replaces what is not UTF-8. */
function decodeLoosely(text: string): string {
  const bytes: number[] = []
  const plain = encodeURIComponent(text.replace(/%(?![0-9a-fA-F]{2})/g, '%25')).replaceAll('%25', '%')
  for (let i = 0; i < plain.length; i++) {
    if (plain[i] !== '%') bytes.push(plain.charCodeAt(i))
    else {
      bytes.push(Number.parseInt(plain.slice(i + 1, i + 3), 16))
      i += 2
    }
  }
  return fromWire(host(OP.TEXT_DECODE, Uint8Array.from(bytes).buffer, DECODE.IGNORE_BOM))
}

/** URL, section 5.2 (serialising): encodeURIComponent leaves five characters that the standard encodes. */
function encode(text: string): string {
  const encoded = encodeURIComponent(text)
  if (!/[!'()~%]/.test(encoded)) return encoded
  return encoded
    .replaceAll('%20', '+')
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
