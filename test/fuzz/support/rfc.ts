// The grammar once more, in regular expressions and without regard to speed: what tells whether a refusal of ours is right.
// Nothing here is shared with the parsers.

import { isIPv6 } from 'node:net'
import type { Message } from './message.ts'

/** One character of a token, RFC 9110 5.6.2, for use inside brackets. */
const T = "!#$%&'*+\\-.^_`|~0-9A-Za-z"
/** field-vchar, SP and HTAB, RFC 9110 5.5. */
const V = '\\t\\x20-\\x7e\\x80-\\xff'
/** Visible ASCII but "#". */
const U = '\\x21\\x22\\x24-\\x7e'

/** A regular expression in which <T>, <V> and <U> stand for the classes above; flags may follow it as `${'y'}`. */
export function re(source: TemplateStringsArray, flags = ''): RegExp {
  return new RegExp(source.raw[0]!.replaceAll('<T>', T).replaceAll('<V>', V).replaceAll('<U>', U), flags)
}

/** A request without the empty lines before it. */
export function withoutEmptyLines(text: string): string {
  return text.replace(/^(\r\n)+/, '')
}

/** Request line and field lines with their CRLFs, as far as they are there. */
export function headOf(text: string): string {
  const rest = withoutEmptyLines(text)
  const end = rest.indexOf('\r\n\r\n')
  return end < 0 ? rest : rest.slice(0, end + 2)
}

export function bodyOf(text: string): string {
  const rest = withoutEmptyLines(text)
  return rest.slice(rest.indexOf('\r\n\r\n') + 4)
}

/** The values of the fields with this name in a head whose lines are well-formed. */
export function valuesOf(text: string, name: string): string[] {
  return headOf(text)
    .split('\r\n')
    .slice(1)
    .filter((line) => line.slice(0, line.indexOf(':')).toLowerCase() === name)
    .map((line) => line.slice(name.length + 1).replace(/^[ \t]+|[ \t]+$/g, ''))
}

/** uri-host [ ":" port ], RFC 9110 7.2; without a comma, which a pair of Host fields folded into one would have. */
export function isAuthority(text: string): boolean {
  const match = /^(?:\[([\dA-Fa-f:.]+)\]|(?:[\w\-.~!$&'()*+;=]|%[\dA-Fa-f]{2})+)(?::(\d*))?$/.exec(text)
  if (match === null || Number(match[2] ?? 0) > 65_535) return false
  return match[1] === undefined || isIPv6(match[1])
}

/** The four forms of RFC 9112 3.2, with the schemes and methods they are for. */
export function isTarget(method: string, target: string): boolean {
  if (!re`^[<U>]+$`.test(target)) return false
  if (method === 'CONNECT') return isAuthority(target) && /:\d+$/.test(target)
  if (target === '*') return method === 'OPTIONS'
  if (target.startsWith('/')) return true
  const authority = /^https?:\/\/([^/?]*)/i.exec(target)?.[1]
  return authority !== undefined && isAuthority(authority)
}

/** What RFC 9112 9.3 says of the connection. */
export function keepsAlive({ minor, fields }: Message): boolean {
  const options = fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(','))
    .map((option) => option.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase())
  if (options.includes('close')) return false
  return minor >= 1 || options.includes('keep-alive')
}

/** Whether Connection and Upgrade offer another protocol. */
export function offersUpgrade(message: Message | undefined): boolean {
  if (message === undefined) return false
  const has = (wanted: string, part: string) =>
    message.fields.some(
      ([name, value]) => name.toLowerCase() === wanted && value.toLowerCase().includes(part),
    )
  return has('upgrade', '') && has('connection', 'upgrade')
}

/** Size, extensions and CRLF, RFC 9112 7.1 and 7.1.1. */
const SIZE_LINE = re`([\dA-Fa-f]{1,16})(?:[ \t]*;[ \t]*[<T>]+(?:[ \t]*=[ \t]*(?:[<T>]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[<V>])*"))?)*\r\n${'y'}`
const TRAILERS = re`(?:[<T>]+:[<V>]*\r\n)*\r\n${'y'}`

/** The payload of the chunks that the text begins with, and where the trailers start; undefined when there is no last chunk. */
function chunksOf(text: string): { payload: string; end: number } | undefined {
  let payload = ''
  for (let at = 0; ; ) {
    SIZE_LINE.lastIndex = at
    const size = Number.parseInt(SIZE_LINE.exec(text)?.[1] ?? '', 16)
    if (!Number.isSafeInteger(size)) return undefined
    at = SIZE_LINE.lastIndex
    if (size === 0) return { payload, end: at }
    payload += text.slice(at, at + size)
    at += size + 2
    if (text.slice(at - 2, at) !== '\r\n') return undefined
  }
}

/** The payload of the chunked body, RFC 9112 7.1, that the text begins with, and its end; undefined when there is none. */
export function chunkedBody(text: string): { payload: string; end: number } | undefined {
  const chunks = chunksOf(text)
  TRAILERS.lastIndex = chunks?.end ?? 0
  if (chunks === undefined || !TRAILERS.test(text)) return undefined
  return { payload: chunks.payload, end: TRAILERS.lastIndex }
}

/** How many trailers a chunked body has, the last maybe not whole. */
export function trailersOf(body: string): number {
  const section = body.slice(chunksOf(body)?.end ?? body.length)
  const end = `\r\n${section}`.indexOf('\r\n\r\n')
  const lines = end < 0 ? section : section.slice(0, end)
  return lines.split('\r\n').filter((line) => line !== '').length
}
