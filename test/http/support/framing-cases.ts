import type { ErrorKey } from './codes.ts'

interface FramingParts {
  contentLength?: number
  chunked?: boolean
  keepAlive?: boolean
  expectContinue?: boolean
  upgrade?: boolean
  /** The authority asked for. */
  host?: string
}

export interface FramingCase {
  input: string
  expected: FramingParts | ErrorKey
  comment: string
}

const post = (...fields: string[]): string =>
  `POST / HTTP/1.1\r\n${['Host: a', ...fields].map((field) => `${field}\r\n`).join('')}\r\n`
const old = (...fields: string[]): string =>
  `POST / HTTP/1.0\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`
const host = (value: string): string => `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`
const get = (target: string, method = 'GET'): string => `${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`
const each = (inputs: string[], expected: FramingCase['expected'], comment: string): FramingCase[] =>
  inputs.map((input) => ({ input, expected, comment }))

const NONE = { contentLength: -1, chunked: false, expectContinue: false, upgrade: false }

const LENGTHS: FramingCase[] = [
  { input: post(), expected: { ...NONE, keepAlive: true, host: 'a' }, comment: 'no body, RFC 9112 6.3' },
  { input: post('Content-Length: 0'), expected: { ...NONE, contentLength: 0 }, comment: 'RFC 9110 8.6' },
  { input: post('content-LENGTH:\t42 '), expected: { ...NONE, contentLength: 42 }, comment: 'RFC 9110 8.6' },
  { input: post('Content-Length: 007'), expected: { contentLength: 7 }, comment: '1*DIGIT, RFC 9110 8.6' },
  {
    input: post('Content-Length: 9007199254740991'),
    expected: { contentLength: 9007199254740991 },
    comment: 'the largest exact integer, RFC 9110 8.6',
  },
  ...each(
    [
      '9007199254740992',
      '18446744073709551621',
      '99999999999999999999999999999999',
      '',
      '+5',
      '-5',
      '0x5',
      '5_0',
      '5.0',
      '5e1',
      '5 0',
      '5, 5',
      '5,6',
      '5,',
      '\xb25',
      '5;',
    ].map((value) => post(`Content-Length: ${value}`)),
    'badContentLength',
    'not one exact decimal number, RFC 9112 6.3',
  ),
  ...each(
    [post('Content-Length: 5', 'Content-Length: 6'), post('Content-Length: 5', 'Content-Length: 5')],
    'conflictingContentLength',
    'repeated, even if equal, RFC 9112 6.3',
  ),
]

/** CL.TE, TE.CL and TE.TE: each was read in two ways by some pair of servers. */
const CODINGS: FramingCase[] = [
  ...each(
    ['chunked', 'Chunked', 'CHUNKED', '\tchunked ', '  chunked'].map((value) =>
      post(`Transfer-Encoding:${value}`),
    ),
    { ...NONE, chunked: true, keepAlive: true },
    'codings have no letter case, RFC 9112 7',
  ),
  ...each(
    [
      post('Content-Length: 6', 'Transfer-Encoding: chunked'),
      post('Transfer-Encoding: chunked', 'Content-Length: 4'),
      post('Transfer-Encoding: chunked', 'Content-Length: 0'),
      post('Transfer-Encoding: gzip', 'Content-Length: 5'),
      post('Transfer-Encoding:', 'Content-Length: 5'),
      post('Transfer-Encoding: identity', 'Content-Length: 5'),
    ],
    'contentLengthWithTransferEncoding',
    'CL.TE and TE.CL, RFC 9112 6.1',
  ),
  ...each(
    [
      'chunked, chunked',
      'chunked,gzip',
      'gzip, chunked, gzip',
      'chunked, identity',
      ',chunked',
      'chunked,',
      'chunked, ,',
      '',
      ',',
      'chunked;q=1',
      'chunked foo',
      '"chunked"',
      '[chunked]',
      'chunked\xa0',
      '\xa0chunked',
      'x: chunked',
      'chunk\ted',
    ].map((value) => post(`Transfer-Encoding: ${value}`)),
    'badTransferEncoding',
    'TE.TE: chunked not exactly once and last, RFC 9112 6.3',
  ),
  ...each(
    [
      post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
      post('Transfer-Encoding: chunked', 'Transfer-Encoding: identity'),
      post('Transfer-Encoding: chunked', 'transfer-encoding: x'),
    ],
    'badTransferEncoding',
    'TE.TE over two lines, RFC 9112 6.3',
  ),
  ...each(
    [
      ...['gzip', 'identity', 'xchunked', 'chunkedx', 'chunke', 'cow', 'gzip, identity'].map((value) =>
        post(`Transfer-Encoding: ${value}`),
      ),
      post('Transfer-Encoding: gzip', 'Transfer-Encoding: identity'),
    ],
    'badTransferEncoding',
    'chunked is not the last coding: the length cannot be known, RFC 9112 6.3',
  ),
  ...each(
    [
      ...['gzip, chunked', 'identity, chunked', 'gzip,deflate,chunked'].map((value) =>
        post(`Transfer-Encoding: ${value}`),
      ),
      post('Transfer-Encoding: identity', 'Transfer-Encoding: chunked'),
    ],
    'unknownTransferCoding',
    'a coding not understood, RFC 9112 6.1',
  ),
  ...each(
    [old('Transfer-Encoding: chunked'), old('Transfer-Encoding: chunked', 'Content-Length: 3')],
    'transferEncodingIn10',
    'faulty framing, RFC 9112 6.1',
  ),
  ...each(
    [
      post('Transfer_Encoding: chunked', 'Content-Length: 5'),
      post('X-Transfer-Encoding: chunked', 'Content-Length: 5'),
      post('Transfer-Encodin: chunked', 'Content-Length: 5'),
    ],
    { ...NONE, contentLength: 5 },
    'another name is another field, RFC 9110 5.1',
  ),
]

const HOSTS: FramingCase[] = [
  ...[
    'example.com',
    'EXAMPLE.com:80',
    'a_b-c.d~e',
    'a:',
    'a:0',
    'a:65535',
    '127.0.0.1:8080',
    '999.1',
    'a%20b',
    "!$&'()*+;=",
    '[::]',
    '[::1]:80',
    '[1::]',
    '[1:2:3:4:5:6:7:8]',
    '[1:2:3:4:5:6:7::]',
    '[::2:3:4:5:6:7:8]',
    '[fe80::AbCd]',
    '[::ffff:127.0.0.1]',
    '[1:2:3:4:5:6:255.255.255.255]',
  ].map((value) => ({
    input: host(value),
    expected: { host: value },
    comment: 'uri-host [":" port], RFC 9110 7.2',
  })),
  {
    input: host(''),
    expected: { host: '' },
    comment: 'a client without an authority sends it empty, RFC 9112 3.2',
  },
  ...each(
    [
      'a b',
      'a,b',
      'a, b',
      'u@a',
      'u:p@a',
      'a/b',
      'a\\b',
      'a?b',
      'a#b',
      'http://a',
      'a:b',
      'a:65536',
      'a:8 0',
      'a:-1',
      'a:80:80',
      ':80',
      'a%2',
      'a%zz',
      'a%',
      '\xe9',
      '<a>',
      'a"',
      '[]',
      '[::1',
      '::1',
      '[::1]x',
      '[:1]',
      '[1:]',
      '[1:2:3:4:5:6:7]',
      '[1:2:3:4:5:6:7:8:9]',
      '[1:2:3:4:5:6:7:8::]',
      '[1:2:3:4:5:6:7:8:]',
      '[1::2:]',
      '[1::2::3]',
      '[:::]',
      '[12345::]',
      '[g::]',
      '[::1%25eth0]',
      '[v1.a]',
      '[1.2.3.4]',
      '[::1.2.3]',
      '[::1.2.3.4.5]',
      '[::1.2.3.256]',
      '[::1.2.3.04]',
      '[::1.2.3.4:1]',
      '[1:2:3:4:5:6:7:1.2.3.4]',
      `[${'1:'.repeat(40)}]`,
    ].map(host),
    'badHost',
    'an invalid Host value, RFC 9112 3.2',
  ),
  { input: 'GET / HTTP/1.1\r\n\r\n', expected: 'missingHost', comment: 'RFC 9112 3.2' },
  { input: 'GET / HTTP/1.1\r\nHosts: a\r\n\r\n', expected: 'missingHost', comment: 'RFC 9112 3.2' },
  { input: 'GET http://a/ HTTP/1.1\r\n\r\n', expected: 'missingHost', comment: 'even then, RFC 9112 3.2' },
  ...each(
    [post('Host: a'), post('Host: b'), post('hOST: a'), old('Host: a', 'Host: a')],
    'duplicateHost',
    'even if equal, RFC 9112 3.2',
  ),
  { input: old(), expected: { host: '', keepAlive: false }, comment: 'HTTP/1.0 needs none, RFC 9112 3.2' },
  { input: old('Host: a/b'), expected: 'badHost', comment: 'invalid in any version, RFC 9112 3.2' },
]

const TARGETS: FramingCase[] = [
  {
    input: 'GET http://b:81/x HTTP/1.1\r\nHost: a\r\n\r\n',
    expected: { host: 'b:81' },
    comment: 'the authority of an absolute-form target replaces Host, RFC 9112 3.2.2',
  },
  { input: get('https://[::1]?q'), expected: { host: '[::1]' }, comment: 'RFC 9112 3.2.2' },
  {
    input: 'GET http://b/ HTTP/1.1\r\nHost: a/b\r\n\r\n',
    expected: 'badHost',
    comment: 'Host must be valid even when it is replaced, RFC 9112 3.2',
  },
  ...each(
    [
      'http:///x',
      'http://u@a/',
      'http://u:p@a/',
      'http://a,b/',
      'http://a:b/',
      'http://:80/',
      'http:/a',
      'http:a',
      'ftp://a/',
      'ws://a/',
      'httpx://a/',
      'a',
      'a:80',
      '?q',
      '**',
      '*/',
      '\\a',
      'http://',
    ].map((target) => get(target)),
    'badTarget',
    'no form of target for GET, RFC 9112 3.2; no or doubtful authority, RFC 9110 4.2.1 and 4.2.4',
  ),
  { input: get('*', 'OPTIONS'), expected: { host: 'a' }, comment: 'asterisk-form, RFC 9112 3.2.4' },
  ...each([get('*'), get('*', 'POST'), get('*', 'options')], 'badTarget', 'only for OPTIONS, RFC 9112 3.2.4'),
  ...each(
    [
      get('b:443', 'CONNECT'),
      get('[::1]:443', 'CONNECT'),
      'CONNECT b:443 HTTP/1.0\r\n\r\n',
      'CONNECT b:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n',
      'CONNECT b:443 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    'connectNotImplemented',
    'a well-formed CONNECT: no tunnels here, RFC 9110 9.3.6',
  ),
  ...each(
    ['/', '*', 'http://a:80/', 'b', 'b:', ':443', 'b:x', 'u@b:443', 'b:443/'].map((target) =>
      get(target, 'CONNECT'),
    ),
    'badTarget',
    'CONNECT takes host and port only, RFC 9112 3.2.3',
  ),
]

const CONNECTIONS: FramingCase[] = [
  ...each(
    ['Connection: close', 'Connection: CLOSE', 'connection: a, Close', 'Connection:close , keep-alive'].map(
      (field) => post(field),
    ),
    { keepAlive: false },
    '"close" ends it, RFC 9112 9.3 and 9.6',
  ),
  ...each(
    [
      post('Connection: keep-alive'),
      post('Connection: closed'),
      post('Connection: "close"'),
      post('Connection: xclose, close x'),
      post('Connection:'),
      post('Connection: ,,'),
      old('Connection: Keep-Alive'),
      old('Connection: x,\tkeep-alive\t'),
    ],
    { keepAlive: true },
    'persistent, RFC 9112 9.3',
  ),
  ...each(
    [old(), old('Connection: x'), old('Connection: keep-alive', 'Connection: close'), old('Keep-Alive: 5')],
    { keepAlive: false },
    'HTTP/1.0 closes by default, RFC 9112 9.3',
  ),
  {
    input: post('Connection: x', 'Connection: close'),
    expected: { keepAlive: false },
    comment: 'RFC 9110 7.6.1',
  },
  ...each(
    [post('Connection: Upgrade', 'Upgrade: websocket'), post('Upgrade: h2c', 'Connection: x, upgrade')],
    { upgrade: true },
    'RFC 9110 7.8',
  ),
  ...each(
    [post('Upgrade: h2c'), post('Connection: upgrade'), old('Connection: upgrade', 'Upgrade: h2c')],
    { upgrade: false },
    'needs both fields and HTTP/1.1, RFC 9110 7.8',
  ),
]

const EXPECTATIONS: FramingCase[] = [
  ...each(
    [
      post('Expect: 100-continue', 'Content-Length: 5'),
      post('expect: 100-Continue', 'Transfer-Encoding: chunked'),
      post('Expect: 100-continue', 'Expect: 100-continue', 'Content-Length: 5'),
    ],
    { expectContinue: true, keepAlive: true },
    'RFC 9110 10.1.1',
  ),
  ...each(
    [
      post('Expect: 100-continue'),
      post('Expect: 100-continue', 'Content-Length: 0'),
      old('Expect: 100-continue', 'Content-Length: 5'),
      old('Expect: tea', 'Content-Length: 5'),
    ],
    { expectContinue: false },
    'no content to wait for, or HTTP/1.0, RFC 9110 10.1.1',
  ),
  ...each(
    ['tea', '', '100-continue, tea', '100-continue;x=y', '100-continued', '100'].map((value) =>
      post(`Expect: ${value}`),
    ),
    'unknownExpectation',
    'RFC 9110 10.1.1',
  ),
]

export const FRAMING_CASES: readonly FramingCase[] = [
  ...LENGTHS,
  ...CODINGS,
  ...HOSTS,
  ...TARGETS,
  ...CONNECTIONS,
  ...EXPECTATIONS,
]
