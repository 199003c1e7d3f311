import { host, toWire } from '../bridge.ts'
import { OP } from '../ops.ts'
import { regExpTest, stringIndexOf, stringSlice, toLowerCase } from '../primordials.ts'
import { trimHttpSpace } from './webidl.ts'

/** Characters that the URL parser would encode, drop or read as another delimiter. */
const NOT_PLAIN = /[\0-\x20"#'<>[-^`{-}\x7f-\xff]/
/**
 * What the URL parser leaves as it is: lower-case labels of which the last begins with a letter, or an IPv4 address as it writes
 * one, and a port below 60,000 without leading zeros. A runtime that is reset after each request has no origin to remember.
 */
const PLAIN_HOST =
  /^(?:(?:[a-z\d_-]+\.)*[a-z][a-z\d_-]*|(?:(?:[1-9]?\d|1\d\d|2[0-4]\d|25[0-5])(?:\.(?!:|$)|(?=:|$))){4})(?::(?:[1-9]\d{0,3}|[1-5]\d{4}))?$/
const BEYOND_ASCII = /[\x80-\xff]/g

/** The last Host seen, as it was sent, and its origin: a connection's, usually a whole function's, are all the same. */
let lastHost = ''
let lastSecure = false
let lastOrigin = ''

/** RFC 9112, section 3.3: the target URI of a request, serialised as the URL standard does. */
export function targetUrl(head: string, secure: boolean): string {
  const start = stringIndexOf(head, ' ') + 1
  const target = stringSlice(head, start, stringIndexOf(head, ' ', start))
  if (target[0] !== '/' && target !== '*') return normal(target)
  const origin = originOf(hostOf(head), secure)
  if (target === '*') return `${origin}/`
  const url = origin + target
  return isPlain(target) ? url : normal(url)
}

/** Whether the URL parser gives the target back as it is: nothing to encode, no dot segment, plain or encoded. */
function isPlain(target: string): boolean {
  return !regExpTest(NOT_PLAIN, target) && stringIndexOf(target, '/.') < 0 && stringIndexOf(target, '/%2') < 0
}

function hostOf(head: string): string {
  let at = stringIndexOf(head, '\r\nHost:')
  if (at < 0) at = stringIndexOf(toLowerCase(head), '\r\nhost:')
  if (at < 0) return 'localhost' // HTTP/1.0 needs none
  return stringSlice(head, at + 7, stringIndexOf(head, '\r\n', at + 7))
}

function originOf(field: string, secure: boolean): string {
  if (field === lastHost && secure === lastSecure) return lastOrigin
  const name = trimHttpSpace(field)
  const url = `${secure ? 'https' : 'http'}://${name || 'localhost'}`
  lastOrigin = isPlainHost(name, secure) ? url : parsedOrigin(url)
  lastHost = field
  lastSecure = secure
  return lastOrigin
}

function isPlainHost(name: string, secure: boolean): boolean {
  if (!regExpTest(PLAIN_HOST, name) || stringIndexOf(name, 'xn--') >= 0) return false
  return secure ? stringSlice(name, -4) !== ':443' : stringSlice(name, -3) !== ':80'
}

/** A Host the URL parser refuses stays as it is: `new URL(request.url)` then tells the function so. */
function parsedOrigin(url: string): string {
  const parsed = host(OP.URL_PARSE, toWire(url), undefined) as string | undefined
  return parsed === undefined ? url : parsed.split('\n')[1]!
}

/** Raw bytes beyond ASCII are encoded one by one: they are UTF-8 already, so the URL parser must not encode them again. */
function normal(url: string): string {
  const ascii = url.replace(BEYOND_ASCII, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const parsed = host(OP.URL_PARSE, toWire(ascii), undefined) as string | undefined
  return parsed === undefined ? ascii : stringSlice(parsed, 0, stringIndexOf(parsed, '\n'))
}
