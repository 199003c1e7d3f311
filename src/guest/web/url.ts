import { host, toWire } from '../bridge.ts'
import { OP, URL_PART } from '../ops.ts'
import { stringSlice, stringSplit } from '../primordials.ts'
import { simpleUrl } from './simple-url.ts'
import { attach, replace, URLSearchParams } from './url-search-params.ts'
import { finishInterface, needs } from './webidl.ts'

/** The URL's parts in the order of URL_PART, undefined if it is not valid. */
function parse(url: unknown, base: unknown): string[] | undefined {
  const text = typeof url === 'string' ? url : `${url}`
  if (base === undefined) {
    const simple = simpleUrl(text)
    if (simple !== undefined) return simple
  }
  const parts = host(OP.URL_PARSE, toWire(text), base === undefined ? undefined : toWire(`${base}`))
  return parts === undefined ? undefined : stringSplit(parts as string, '\n')
}

/** Marks the construction from parts by the class itself. */
const PARSED = Symbol('parsed')

let setPart: (url: URL, part: number, value: unknown) => void

/** URL, section 6.1. The parsing is the host's. */
export class URL {
  #parts: string[]
  #params: URLSearchParams | undefined

  constructor(url: unknown, base: unknown = undefined) {
    // Without any argument it is "undefined", which is no URL either: to ask how many there are costs a third of a microsecond.
    if (base === PARSED) {
      this.#parts = url as string[]
      return
    }
    const parts = parse(url, base)
    if (parts === undefined) {
      const against = base === undefined ? '' : ` against ${JSON.stringify(`${base}`)}`
      throw new TypeError(`Invalid URL: ${JSON.stringify(`${url}`)}${against}`)
    }
    this.#parts = parts
  }

  static canParse(url: unknown, base: unknown = undefined): boolean {
    needs(arguments.length, 1, 'URL.canParse')
    return parse(url, base) !== undefined
  }

  static parse(url: unknown, base: unknown = undefined): URL | null {
    needs(arguments.length, 1, 'URL.parse')
    const parts = parse(url, base)
    return parts === undefined ? null : new URL(parts, PARSED)
  }

  get href(): string {
    return this.#parts[URL_PART.HREF]!
  }

  set href(value: unknown) {
    this.#parts = new URL(value).#parts
    if (this.#params !== undefined) replace(this.#params, stringSlice(this.search, 1))
  }

  get origin(): string {
    return this.#parts[URL_PART.ORIGIN]!
  }

  get protocol(): string {
    return this.#parts[URL_PART.PROTOCOL]!
  }

  set protocol(value: unknown) {
    setPart(this, URL_PART.PROTOCOL, value)
  }

  get username(): string {
    return this.#parts[URL_PART.USERNAME]!
  }

  set username(value: unknown) {
    setPart(this, URL_PART.USERNAME, value)
  }

  get password(): string {
    return this.#parts[URL_PART.PASSWORD]!
  }

  set password(value: unknown) {
    setPart(this, URL_PART.PASSWORD, value)
  }

  get host(): string {
    return this.#parts[URL_PART.HOST]!
  }

  set host(value: unknown) {
    setPart(this, URL_PART.HOST, value)
  }

  get hostname(): string {
    return this.#parts[URL_PART.HOSTNAME]!
  }

  set hostname(value: unknown) {
    setPart(this, URL_PART.HOSTNAME, value)
  }

  get port(): string {
    return this.#parts[URL_PART.PORT]!
  }

  set port(value: unknown) {
    setPart(this, URL_PART.PORT, value)
  }

  get pathname(): string {
    return this.#parts[URL_PART.PATHNAME]!
  }

  set pathname(value: unknown) {
    setPart(this, URL_PART.PATHNAME, value)
  }

  get search(): string {
    return this.#parts[URL_PART.SEARCH]!
  }

  set search(value: unknown) {
    setPart(this, URL_PART.SEARCH, value)
    if (this.#params !== undefined) replace(this.#params, stringSlice(this.search, 1))
  }

  get searchParams(): URLSearchParams {
    if (this.#params === undefined) {
      this.#params = new URLSearchParams(this.search)
      attach(this.#params, (query) => setPart(this, URL_PART.SEARCH, query))
    }
    return this.#params
  }

  get hash(): string {
    return this.#parts[URL_PART.HASH]!
  }

  set hash(value: unknown) {
    setPart(this, URL_PART.HASH, value)
  }

  toString(): string {
    return this.#parts[URL_PART.HREF]!
  }

  toJSON(): string {
    return this.#parts[URL_PART.HREF]!
  }

  static {
    setPart = (url, part, value) => {
      const parts = host(OP.URL_SET, url.#parts[URL_PART.HREF], part, toWire(`${value}`))
      url.#parts = stringSplit(parts as string, '\n')
    }
  }
}
finishInterface(URL, 'URL')
