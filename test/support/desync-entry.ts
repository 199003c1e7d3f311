/** The form of an entry of the desync corpus, and what its tables are written with. */

/** What a message must lead to, whatever is sent behind it. */
export type Expectation =
  /** Exactly one answer, this refusal; then the connection closes. */
  | { readonly outcome: 'refused'; readonly status: number; readonly error: string }
  /** Exactly one answer, that of a handler which was given this; then, unless it `closes`, the next request is answered. */
  | {
      readonly outcome: 'one message'
      readonly method: string
      readonly url: string
      /** Latin1. */
      readonly body: string
      /** Fields the handler must see, lower-cased. */
      readonly headers: Readonly<Record<string, string>>
      /** Fields it must not see. */
      readonly absent: readonly string[]
      readonly closes: boolean
    }

export type DesyncEntry = {
  readonly family: string
  readonly name: string
  readonly bytes: Buffer
  /** Who reads it otherwise, or might: a section, a CVE number, or the published name of the technique. */
  readonly why: string
  readonly expected: Expectation
}

type One = Partial<Omit<Extract<Expectation, { outcome: 'one message' }>, 'outcome'>>

export const HOST = 'Host: ringlet.test'
const BASE = 'http://ringlet.test'

/** What an attacker hopes will pass for a request of its own. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: ringlet.test\r\n\r\n'

/** Statuses by error name: one name, one status, wherever it appears. */
const STATUS: Readonly<Record<string, number>> = {
  'body-too-large': 413,
  'chunk-extension-too-large': 413,
  'chunk-overhead-too-large': 413,
  'connect-not-implemented': 501,
  'head-too-large': 431,
  'method-too-long': 501,
  'too-many-fields': 431,
  'trailer-too-large': 431,
  'unknown-expectation': 417,
  'unknown-transfer-coding': 501,
  'unsupported-version': 505,
}
const STATUS_OF_OTHERS = 400

/** Joins lines with CRLF and ends the head. */
export function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`
}

export const get = (...fields: string[]): string => head('GET /a HTTP/1.1', HOST, ...fields)
export const post = (body: string, ...fields: string[]): string =>
  `${head('POST /a HTTP/1.1', HOST, ...fields)}${body}`
export const chunked = (coded: string, ...fields: string[]): string =>
  post(coded, 'Transfer-Encoding: chunked', ...fields)
export const line = (requestLine: string, ...fields: string[]): string => head(requestLine, HOST, ...fields)
/** The bytes of a text in UTF-8, as a text of one character a byte. */
export const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** The entries of one family. */
export class Family {
  readonly entries: DesyncEntry[] = []
  readonly #family: string

  constructor(family: string) {
    this.#family = family
  }

  refused(error: string, name: string, message: string, why: string): void {
    const expected: Expectation = { outcome: 'refused', status: STATUS[error] ?? STATUS_OF_OTHERS, error }
    this.#add(name, message, why, expected)
  }

  /** A request to `/a`; GET unless it starts otherwise. */
  served(name: string, message: string, why: string, one: One = {}): void {
    const method = one.method ?? /^[\r\n]*([^ ]+) /.exec(message)![1]!
    this.#add(name, message, why, {
      outcome: 'one message',
      method,
      url: one.url ?? `${BASE}/a`,
      body: one.body ?? '',
      headers: one.headers ?? {},
      absent: one.absent ?? [],
      closes: one.closes ?? false,
    })
  }

  #add(name: string, message: string, why: string, expected: Expectation): void {
    this.entries.push({ family: this.#family, name, bytes: Buffer.from(message, 'latin1'), why, expected })
  }
}
