// The rules that ours refuses by, each with a test of its own whether a request breaks it: decided from the text, by
// regular expressions and without anything that the parsers use.

import { BODY_BYTES_MAX, CHUNKED_LIMITS, LIMITS } from './ours.ts'
import {
  bodyOf,
  chunkedBody,
  headOf,
  isAuthority,
  isTarget,
  re,
  trailersOf,
  valuesOf,
  withoutEmptyLines,
} from './rfc.ts'

export interface Rule {
  /** Of the refusal. */
  readonly name: string
  /** Whether the request at the beginning of the text breaks it; of the others it need not break any. */
  readonly isBroken: (text: string) => boolean
  readonly why: string
  /** A request that breaks it. */
  readonly example: string
}

const GET = 'GET / HTTP/1.1\r\n'
const HOST = `${GET}Host: a\r\n`
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n'
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`

function isWrongTarget(text: string): boolean {
  const [, method, target, after] = re`^([<T>]+) ([<U>]*)([^<U>]|$)`.exec(withoutEmptyLines(text)) ?? []
  if (method === undefined || target === undefined) return false
  return (after !== ' ' && (after !== '\r' || target === '')) || !isTarget(method, target)
}

const REQUEST_LINE: readonly Rule[] = [
  {
    name: 'bad-method',
    isBroken: (text) => re`^[<T>]*[^<T> ]|^ `.test(withoutEmptyLines(text)),
    why: 'method = token SP, RFC 9112 3.1',
    example: 'GE(T / HTTP/1.1\r\n',
  },
  {
    name: 'method-too-long',
    isBroken: (text) => re`^[<T>]{33}`.test(withoutEmptyLines(text)),
    why: 'longer than any method, RFC 9112 3',
    example: 'M'.repeat(33),
  },
  {
    name: 'bad-target',
    isBroken: isWrongTarget,
    why: 'one of four forms, of visible ASCII, and for this method, RFC 9112 3.2',
    example: 'GET * HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    name: 'target-too-long',
    isBroken: (text) =>
      (re`^[<T>]+ ([<U>]*)`.exec(withoutEmptyLines(text))?.[1]?.length ?? 0) > LIMITS.targetBytes,
    why: 'a limit, RFC 9112 3',
    example: `GET /${'x'.repeat(LIMITS.targetBytes)}`,
  },
  {
    name: 'bad-version',
    isBroken: (text) => re`^[<T>]+ [<U>]+(?:\r| (?!HTTP/\d\.\d\r\n))`.test(withoutEmptyLines(text)),
    why: 'HTTP-name "/" DIGIT "." DIGIT, then CRLF, RFC 9112 2.3',
    example: 'GET /\r\n',
  },
  {
    name: 'unsupported-version',
    isBroken: (text) => re`^[<T>]+ [<U>]+ HTTP/[02-9]\.\d`.test(withoutEmptyLines(text)),
    why: 'another major version, RFC 9110 15.6.6',
    example: 'GET / HTTP/0.9\r\n',
  },
  {
    name: 'too-many-empty-lines',
    isBroken: (text) => /^(\r\n){3}\r/.test(text),
    why: 'a bound on what may be ignored, RFC 9112 2.2',
    example: '\r\n\r\n\r\n\r\n',
  },
]

const FIELD_LINES: readonly Rule[] = [
  {
    name: 'bad-field-name',
    isBroken: (text) => re`\r\n(?:[<T>]+[^<T>: \t\n]|[^<T> \t\r\n])`.test(headOf(text)),
    why: 'a token, then the colon, RFC 9112 5',
    example: `${GET}a(: b\r\n\r\n`,
  },
  {
    name: 'space-before-colon',
    isBroken: (text) => re`\r\n[<T>]+[ \t]`.test(headOf(text)),
    why: 'a server must refuse it, RFC 9112 5.1',
    example: `${GET}Host : a\r\n\r\n`,
  },
  {
    name: 'obs-fold',
    isBroken: (text) => /\r\n[ \t]/.test(headOf(text)),
    why: 'a server must refuse it or replace it, RFC 9112 5.2',
    example: `${HOST} b\r\n\r\n`,
  },
  {
    name: 'bad-field-value',
    isBroken: (text) => re`\r\n[<T>]+:[<V>]*[^<V>\r\n]`.test(headOf(text)),
    why: 'no control characters but HTAB, RFC 9110 5.5',
    example: `${HOST}x: \x01\r\n\r\n`,
  },
  {
    name: 'bare-cr',
    isBroken: (text) => /\r[^\n]/.test(headOf(text)),
    why: 'not without LF, RFC 9112 2.2',
    example: `${HOST}x: a\rb\r\n\r\n`,
  },
  {
    name: 'bare-lf',
    isBroken: (text) => /(^|[^\r])\n/.test(headOf(text)),
    why: 'may be taken for a line end or refused, and parsers differ on it, RFC 9112 2.2',
    example: `${HOST}x: a\n\r\n`,
  },
  {
    name: 'head-too-large',
    isBroken: (text) => /^(?:\r\n)*/.exec(text)![0].length + headOf(text).length > LIMITS.headBytes - 2,
    why: 'a limit, RFC 6585 5',
    example: `${GET}x: ${'y'.repeat(LIMITS.headBytes)}`,
  },
  {
    name: 'too-many-fields',
    isBroken: (text) => fieldCount(text) > LIMITS.fields,
    why: 'a limit, RFC 6585 5',
    example: `${HOST}${'a:\r\n'.repeat(LIMITS.fields)}\r\n`,
  },
]

/** Field lines of which at least the first byte is there. */
function fieldCount(text: string): number {
  return headOf(text)
    .split('\r\n')
    .slice(1)
    .filter((line) => line !== '').length
}

const lengthsOf = (text: string) => valuesOf(text, 'content-length')
const codingsOf = (text: string) => valuesOf(text, 'transfer-encoding')
const hasOtherCoding = (text: string) =>
  codingsOf(text).length > 0 && !/^chunked$/i.test(codingsOf(text).join())
const isOld = (text: string) => /^[^\r\n]* HTTP\/1\.0\r\n/.test(headOf(text))

const FRAMING: readonly Rule[] = [
  {
    name: 'missing-host',
    isBroken: (text) => !isOld(text) && valuesOf(text, 'host').length === 0,
    why: 'exactly one in HTTP/1.1, RFC 9112 3.2',
    example: `${GET}\r\n`,
  },
  {
    name: 'duplicate-host',
    isBroken: (text) => valuesOf(text, 'host').length > 1,
    why: 'exactly one, RFC 9112 3.2',
    example: `${HOST}host: a\r\n\r\n`,
  },
  {
    name: 'bad-host',
    isBroken: (text) => valuesOf(text, 'host').some((value) => value !== '' && !isAuthority(value)),
    why: 'uri-host [ ":" port ], RFC 9112 3.2',
    example: `${GET}Host: a/b\r\n\r\n`,
  },
  {
    name: 'bad-content-length',
    isBroken: (text) =>
      lengthsOf(text).some((value) => !/^\d+$/.test(value) || !Number.isSafeInteger(Number(value))),
    why: '1*DIGIT, and exact, RFC 9112 6.3',
    example: `${POST}Content-Length: 9007199254740992\r\n\r\n`,
  },
  {
    name: 'conflicting-content-length',
    isBroken: (text) => lengthsOf(text).length > 1,
    why: 'not twice, even if equal, RFC 9112 6.3',
    example: `${POST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
  },
  {
    name: 'content-length-with-transfer-encoding',
    isBroken: (text) => lengthsOf(text).length > 0 && codingsOf(text).length > 0,
    why: 'may be refused, and is what smuggling lives on, RFC 9112 6.1',
    example: `${POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
  },
  {
    name: 'transfer-encoding-in-1.0',
    isBroken: (text) => isOld(text) && codingsOf(text).length > 0,
    why: 'faulty framing, RFC 9112 6.1',
    example: 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  },
  {
    name: 'bad-transfer-encoding',
    isBroken: hasOtherCoding,
    why: 'chunked exactly once and last, RFC 9112 6.3',
    example: `${POST}Transfer-Encoding:\r\n\r\n`,
  },
  {
    name: 'unknown-transfer-coding',
    isBroken: hasOtherCoding,
    why: 'a coding that is not understood is refused, RFC 9112 6.1',
    example: `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'unknown-expectation',
    isBroken: (text) =>
      !isOld(text) && valuesOf(text, 'expect').some((value) => !/^100-continue$/i.test(value)),
    why: '417 is for it, RFC 9110 10.1.1; node answers so itself, behind its parser',
    example: `${POST}Expect: tea\r\n\r\n`,
  },
  {
    name: 'connect-not-implemented',
    isBroken: (text) => /^(?:\r\n)*CONNECT /.test(text),
    why: 'an origin server need not make tunnels; what follows a 2xx would be bytes of one, RFC 9110 9.3.6',
    example: 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    name: 'body-too-large',
    isBroken: (text) => lengthsOf(text).some((value) => Number(value) > BODY_BYTES_MAX),
    why: 'a limit, known before a byte of the body is, RFC 9110 15.5.14',
    example: `${POST}Content-Length: ${BODY_BYTES_MAX + 1}\r\n\r\n`,
  },
]

const isNoChunkedBody = (text: string) =>
  codingsOf(text).length > 0 && chunkedBody(bodyOf(text)) === undefined

/** Those of a chunked body; a body that is not complete breaks them, too. */
const CHUNKED_BODY: readonly Rule[] = (
  [
    ['bad-chunk-size', '1*HEXDIG, and exact, RFC 9112 7.1', '20000000000000\r\n'],
    ['bad-chunk-extension', 'chunk-ext, RFC 9112 7.1.1', '0;;\r\n\r\n'],
    ['bad-chunk-end', 'CRLF behind the data, RFC 9112 7.1', '1\r\naX\r\n0\r\n\r\n'],
    ['bad-trailer', 'the grammar of fields, RFC 9112 7.1.2', '0\r\n(: b\r\n\r\n'],
    ['body-too-large', 'a limit, known before the data is, RFC 9110 15.5.14', '186a1\r\n'],
    ['bare-cr', 'not without LF, RFC 9112 2.2', '0\rX'],
    ['bare-lf', 'may be taken for a line end or refused, and parsers differ on it, RFC 9112 2.2', '0\n\n'],
  ] as const
).map(([name, why, body]) => ({ name, why, isBroken: isNoChunkedBody, example: CHUNKED + body }))

const TRAILERS: Rule = {
  name: 'trailer-too-large',
  isBroken: (text) => codingsOf(text).length > 0 && trailersOf(bodyOf(text)) > CHUNKED_LIMITS.trailerFields,
  why: 'a limit, RFC 6585 5',
  example: `${CHUNKED}0\r\n${'a:\r\n'.repeat(CHUNKED_LIMITS.trailerFields + 1)}\r\n`,
}

export const RULES: readonly Rule[] = [...REQUEST_LINE, ...FIELD_LINES, ...FRAMING, ...CHUNKED_BODY, TRAILERS]

/** The rule of that name which the request breaks. */
export function brokenRule(name: string, text: string): Rule | undefined {
  return RULES.find((rule) => rule.name === name && rule.isBroken(text))
}
