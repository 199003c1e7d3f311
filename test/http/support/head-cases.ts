import type { HeadLimits } from '../../../src/http/head.ts'
import type { ErrorKey } from './codes.ts'

/** Small, so that a table entry can pass each of them. */
export const CASE_LIMITS: HeadLimits = { headBytes: 512, targetBytes: 40, fields: 4, leadingEmptyLines: 2 }

export interface HeadParts {
  method: string
  /** `METHOD` key. */
  id?: string
  target: string
  /** `TARGET_FORM` key. */
  form: string
  path?: string
  query?: string
  authority?: string
  minor?: number
  fields: [name: string, value: string][]
  /** Bytes after the head that belong to the input. */
  rest?: string
}

export interface HeadCase {
  input: string
  /** Parts of a complete head, an error, or partial. */
  expected: HeadParts | ErrorKey | 'partial'
  comment: string
}

const HOST: [string, string] = ['Host', 'a']
const get = (fields: string): string => `GET / HTTP/1.1\r\n${fields}\r\n\r\n`
const root = (...fields: [string, string][]): HeadParts => ({
  method: 'GET',
  id: 'GET',
  target: '/',
  form: 'origin',
  path: '/',
  fields,
})

const ACCEPTED: HeadCase[] = [
  { input: get('Host: a'), expected: root(HOST), comment: 'the least one' },
  {
    input: 'GET / HTTP/1.0\r\n\r\n',
    expected: { ...root(), minor: 0 },
    comment: '1.0 without fields, RFC 9112 2.1',
  },
  {
    input: 'GET / HTTP/1.9\r\nHost: a\r\n\r\n',
    expected: { ...root(HOST), minor: 9 },
    comment: 'a higher minor version is served as the highest known, RFC 9110 2.5',
  },
  {
    input: `\r\n\r\n${get('Host: a')}`,
    expected: root(HOST),
    comment: 'empty lines before the request line, RFC 9112 2.2',
  },
  {
    input: `${get('Host: a')}GET /next HTTP/1.1\r\n`,
    expected: { ...root(HOST), rest: 'GET /next HTTP/1.1\r\n' },
    comment: 'pipelined, RFC 9112 9.3.2',
  },
  {
    input: get('Host:a'),
    expected: root(HOST),
    comment: 'whitespace after the colon is optional, RFC 9112 5',
  },
  {
    input: get('Host: \t a \t'),
    expected: root(HOST),
    comment: 'whitespace around the value is not part of it, RFC 9112 5.1',
  },
  { input: get('X:'), expected: root(['X', '']), comment: 'an empty value, RFC 9110 5.5' },
  {
    input: get('X: \t '),
    expected: root(['X', '']),
    comment: 'a value of whitespace is empty, RFC 9110 5.5',
  },
  {
    input: get('X: a b\tc'),
    expected: root(['X', 'a b\tc']),
    comment: 'whitespace inside a value stays, RFC 9110 5.5',
  },
  { input: get('X: \xe9\xff\x80'), expected: root(['X', '\xe9\xff\x80']), comment: 'obs-text, RFC 9110 5.5' },
  {
    input: get('X: a:b'),
    expected: root(['X', 'a:b']),
    comment: 'only the first colon ends the name, RFC 9112 5',
  },
  {
    input: get("!#$%&'*+-.^_`|~09azAZ: x"),
    expected: root(["!#$%&'*+-.^_`|~09azAZ", 'x']),
    comment: 'every kind of tchar, RFC 9110 5.6.2',
  },
  {
    input: get('a: 1\r\nb: 2\r\nc: 3\r\nd: 4'),
    expected: root(['a', '1'], ['b', '2'], ['c', '3'], ['d', '4']),
    comment: 'as many fields as the limit allows',
  },
  {
    input: `GET /${'x'.repeat(39)} HTTP/1.1\r\n\r\n`,
    expected: { method: 'GET', target: `/${'x'.repeat(39)}`, form: 'origin', fields: [] },
    comment: 'a target as long as the limit',
  },
  {
    input: `GET / HTTP/1.1\r\nx: ${'y'.repeat(512 - 23)}\r\n\r\n`,
    expected: root(['x', 'y'.repeat(512 - 23)]),
    comment: 'a head as large as the limit',
  },
  {
    input: 'PROPFIND /a?b=c?d HTTP/1.1\r\n\r\n',
    expected: {
      method: 'PROPFIND',
      id: 'other',
      target: '/a?b=c?d',
      form: 'origin',
      path: '/a',
      query: '?b=c?d',
      fields: [],
    },
    comment: 'an unregistered method is a token too, RFC 9110 9.1',
  },
  {
    input: 'get / HTTP/1.1\r\n\r\n',
    expected: { ...root(), method: 'get', id: 'other' },
    comment: 'methods are case-sensitive, RFC 9110 9.1',
  },
  {
    input: `${'M'.repeat(32)} / HTTP/1.1\r\n\r\n`,
    expected: { ...root(), method: 'M'.repeat(32), id: 'other' },
    comment: 'the longest method',
  },
  ...['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'].map((method) => ({
    input: `${method} / HTTP/1.1\r\n\r\n`,
    expected: { ...root(), method, id: method },
    comment: 'a method with an id, RFC 9110 9.3',
  })),
  {
    input: 'GET //a/../%2e%zz|{"} HTTP/1.1\r\n\r\n',
    expected: { ...root(), target: '//a/../%2e%zz|{"}', path: '//a/../%2e%zz|{"}' },
    comment: 'visible ASCII in the target, nothing decoded or normalised, RFC 9112 3.2.1',
  },
  {
    input: 'OPTIONS * HTTP/1.1\r\n\r\n',
    expected: { method: 'OPTIONS', target: '*', form: 'asterisk', path: '', fields: [] },
    comment: 'asterisk-form, RFC 9112 3.2.4',
  },
  {
    input: 'CONNECT a.b:443 HTTP/1.1\r\n\r\n',
    expected: {
      method: 'CONNECT',
      id: 'CONNECT',
      target: 'a.b:443',
      form: 'authority',
      authority: 'a.b:443',
      path: '',
      fields: [],
    },
    comment: 'authority-form, RFC 9112 3.2.3',
  },
  ...[
    ['http://a.b:8080/p?q', 'a.b:8080', '/p', '?q'],
    ['HTTPS://a.b', 'a.b', '', ''],
    ['http://a?q/r', 'a', '', '?q/r'],
    ['https://u@h/', 'u@h', '/', ''],
    ['http:///p', '', '/p', ''],
    ['http://', '', '', ''],
  ].map(([target, authority, path, query]) => ({
    input: `GET ${target} HTTP/1.1\r\n\r\n`,
    expected: {
      method: 'GET',
      target: target!,
      form: target === 'http://' ? 'authority' : 'absolute',
      authority: target === 'http://' ? target : authority!,
      path: path!,
      query: query!,
      fields: [],
    },
    comment: 'absolute-form is split here and judged by readFraming, RFC 9112 3.2.2',
  })),
  {
    input: 'GET ftp://a/ HTTP/1.1\r\n\r\n',
    expected: { method: 'GET', target: 'ftp://a/', form: 'authority', authority: 'ftp://a/', fields: [] },
    comment: 'another scheme is no form for GET: readFraming refuses it, RFC 9110 4.2',
  },
]

const PARTIAL: HeadCase[] = [
  { input: '', expected: 'partial', comment: 'nothing yet' },
  { input: '\r\n\r', expected: 'partial', comment: 'an empty line cut in two, RFC 9112 2.2' },
  { input: 'GET / HTTP/1.1\r\nHost: a\r\n', expected: 'partial', comment: 'no empty line yet, RFC 9112 2.1' },
  { input: 'GET / HTTP/1.1\r\nHost: a\r\n\r', expected: 'partial', comment: 'the last LF is due' },
]

const REQUEST_LINE_REFUSED: HeadCase[] = [
  ...[
    ' GET / HTTP/1.1\r\n',
    '\x16\x03\x01\x02',
    'GE\0T / HTTP/1.1',
    'G(T / HTTP/1.1',
    'GET\r\n',
    'GET\t/ HTTP/1.1',
  ].map((input) => ({ input, expected: 'badMethod' as const, comment: 'method = token SP, RFC 9112 3.1' })),
  { input: 'M'.repeat(33), expected: 'methodTooLong', comment: 'longer than any implemented, RFC 9112 3' },
  ...[
    'GET  / HTTP/1.1',
    'GET /a#b HTTP/1.1',
    'GET /\xe9 HTTP/1.1',
    'GET /\x7f HTTP/1.1',
    'GET /\0 HTTP/1.1',
    'GET /a\tHTTP/1.1',
    'GET \r\n',
    'GET /\n',
  ].map((input) => ({
    input,
    expected: 'badTarget' as const,
    comment: 'visible ASCII without "#", RFC 9112 3.2',
  })),
  {
    input: `GET /${'x'.repeat(40)}`,
    expected: 'targetTooLong',
    comment: 'before the head is complete, RFC 9112 3',
  },
  ...[
    'GET /\r\n',
    'GET / \r\n',
    'GET /  HTTP/1.1\r\n',
    'GET / http/1.1\r\n',
    'GET / HTTP/1.1 \r\n',
    'GET / HTTP/11\r\n',
    'GET / HTTP/1.10\r\n',
    'GET / HTTP/1,1\r\n',
    'GET / HTTP/x.1\r\n',
    'GET / HTTP/1.x\r\n',
    'GET / HTTP/-1.1\r\n',
    'GET / HTTPS/1.1\r\n',
    'GET / b HTTP/1.1\r\n',
  ].map((input) => ({
    input,
    expected: 'badVersion' as const,
    comment: '"HTTP/" DIGIT "." DIGIT, RFC 9112 2.3',
  })),
  ...['GET / HTTP/0.9\r\n', 'GET / HTTP/3.0\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'].map((input) => ({
    input,
    expected: 'unsupportedVersion' as const,
    comment: 'another major version, RFC 9110 15.6.6',
  })),
  { input: '\r\n\r\n\r\n', expected: 'tooManyEmptyLines', comment: 'bounded, RFC 9112 2.2' },
  { input: '\nGET / HTTP/1.1\r\n', expected: 'bareLf', comment: 'an empty line is CRLF, RFC 9112 2.2' },
  { input: '\rGET / HTTP/1.1\r\n', expected: 'bareCr', comment: 'an empty line is CRLF, RFC 9112 2.2' },
  {
    input: 'GET / HTTP/1.1\nHost: a\r\n\r\n',
    expected: 'bareLf',
    comment: 'after the version, RFC 9112 2.2',
  },
  {
    input: 'GET / HTTP/1.1\rHost: a\r\n\r\n',
    expected: 'bareCr',
    comment: 'after the version, RFC 9112 2.2',
  },
]

const FIELDS_REFUSED: HeadCase[] = [
  ...[
    'foo\r\nb: c',
    ': x',
    '(: x',
    'a\xe9: x',
    'a\0: x',
    'a\x7f: x',
    '"a": x',
    'a/b: x',
    'a@b: x',
    'a\rb: x',
  ].map((field) => ({
    input: get(field),
    expected: 'badFieldName' as const,
    comment: 'field-name = token, RFC 9110 5.1',
  })),
  ...['Content-Length : 5', 'a\t: x', 'a b: x', 'Transfer-Encoding : chunked'].map((field) => ({
    input: get(field),
    expected: 'spaceBeforeColon' as const,
    comment: 'servers must refuse whitespace before the colon, RFC 9112 5.1',
  })),
  ...['a: x\r\n y', 'a: x\r\n\ty', 'Transfer-Encoding:\r\n chunked', ' a: x'].map((field) => ({
    input: get(field),
    expected: 'obsFold' as const,
    comment: 'obs-fold refused, RFC 9112 5.2; whitespace before the first field, RFC 9112 2.2',
  })),
  ...['a: \0', 'a: x\x01y', 'a: \x7f', 'a: \x0b', 'a: \x0cchunked', 'a: x\x1b', 'a: \x08'].map((field) => ({
    input: get(field),
    expected: 'badFieldValue' as const,
    comment: 'control characters in a value, RFC 9110 5.5',
  })),
  ...['a: x\ry', 'a: \r\r\n', 'a: x\r y', 'a: x\r\n\rb'].map((field) => ({
    input: get(field),
    expected: 'bareCr' as const,
    comment: 'CR without LF, RFC 9112 2.2',
  })),
  ...['a: x\nb: y', 'a: x\n\nGET /2 HTTP/1.1', 'a\n: x', '\n'].map((field) => ({
    input: get(field),
    expected: 'bareLf' as const,
    comment: 'LF without CR, RFC 9112 2.2: refused, as parsers differ on it',
  })),
  { input: 'GET / HTTP/1.1\r\na: b\r\n\n', expected: 'bareLf', comment: 'the last line, RFC 9112 2.2' },
  {
    input: 'GET / HTTP/1.1\r\na: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\ne',
    expected: 'tooManyFields',
    comment: 'known at the first byte too many, RFC 6585 5',
  },
  {
    input: `GET / HTTP/1.1\r\na: ${'x'.repeat(512 - 19)}`,
    expected: 'headTooLarge',
    comment: 'known when the limit is reached without an end, RFC 6585 5',
  },
  {
    input: `GET / HTTP/1.1\r\nx: ${'y'.repeat(512 - 22)}\r\n\r\n`,
    expected: 'headTooLarge',
    comment: 'one byte too many, RFC 6585 5',
  },
]

export const HEAD_CASES: readonly HeadCase[] = [
  ...ACCEPTED,
  ...PARTIAL,
  ...REQUEST_LINE_REFUSED,
  ...FIELDS_REFUSED,
]
