import { chunked, get, head, line, post, type Sentence, sentence } from './sentences.ts'

const PARSING: Sentence[] = [
  sentence('RFC 9112 2.1', 'lines end in CRLF', [get('X: y')], {
    fields: [
      ['Host', 'a'],
      ['X', 'y'],
    ],
    rest: '',
  }),
  sentence(
    'RFC 9112 2.2',
    'a message is octets: what is a line end in Unicode is none here',
    [get('X: a\x85b\xe2\x80\xa8c')],
    {
      fields: [
        ['Host', 'a'],
        ['X', 'a\x85b\xe2\x80\xa8c'],
      ],
    },
  ),
  sentence(
    'RFC 9112 2.2',
    'octets that are no HTTP message are answered 400, then the connection closes',
    ['\x16\x03\x01\x02\0', '\0\0\0\0', 'EHLO\r\n'],
    'badMethod',
  ),
  sentence(
    'RFC 9112 2.2',
    'a single LF may be taken for a line end, and is refused here',
    ['GET / HTTP/1.1\nHost: a\n\n', get('X: y\nZ: a')],
    'bareLf',
  ),
  sentence(
    'RFC 9112 2.2',
    'CR alone is an error in every element but content',
    ['GET / HTTP/1.1\rHost: a\r\n\r\n', get('X: a\rb'), '\rGET'],
    'bareCr',
  ),
  sentence('RFC 9112 2.2', 'CR alone is nothing special in content', [post('\r\r\r', 'Content-Length: 3')], {
    body: '\r\r\r',
  }),
  sentence(
    'RFC 9112 2.2',
    'at least one empty line before a request is ignored',
    [`\r\n${get()}`, `${'\r\n'.repeat(4)}${get()}`],
    { method: 'GET' },
  ),
  sentence('RFC 9112 2.2', 'empty lines without end are not', ['\r\n'.repeat(5)], 'tooManyEmptyLines'),
  sentence(
    'RFC 9112 2.2',
    'whitespace between the start line and the first field is refused, or the lines skipped',
    [
      head('GET / HTTP/1.1', ' Host: a'),
      head('GET / HTTP/1.1', '\tX: y', 'Host: a'),
      head('GET / HTTP/1.1', ' ', 'Host: a'),
    ],
    'obsFold',
  ),
  sentence(
    'RFC 9112 2.3',
    'a version is HTTP/ and two digits, in capital letters',
    ['http/1.1', 'Http/1.1', 'HTTP/1', 'HTTP/1.10', 'HTTP/11', 'HTTP 1.1', 'HTTP/1.1.1', 'HTTP/a.b'].map(
      (version) => line(`GET / ${version}`),
    ),
    'badVersion',
  ),
  sentence(
    'RFC 9110 2.5',
    'a higher minor version is served as the highest known',
    [line('GET / HTTP/1.2'), line('GET / HTTP/1.9')],
    { keepAlive: true },
  ),
  sentence(
    'RFC 9110 15.6.6',
    'another major version is answered 505',
    [line('GET / HTTP/2.0'), line('GET / HTTP/0.9'), line('GET / HTTP/9.9')],
    'unsupportedVersion',
  ),
]

const REQUEST_LINE: Sentence[] = [
  sentence(
    'RFC 9112 3',
    'the parts are parted by one space each; a lenient reading of other whitespace is not made',
    ['GET  / HTTP/1.1', 'GET \t/ HTTP/1.1'].map(line),
    'badTarget',
  ),
  sentence(
    'RFC 9112 3',
    'nor before the version, or behind it',
    ['GET /  HTTP/1.1', 'GET / HTTP/1.1 ', 'GET / HTTP/1.1\t', 'GET / '].map(line),
    'badVersion',
  ),
  sentence(
    'RFC 9112 3',
    'a method longer than any that is implemented is answered 501',
    [`${'M'.repeat(33)} `],
    'methodTooLong',
  ),
  sentence(
    'RFC 9112 3',
    'a target longer than any that is wanted is answered 414',
    [`GET /${'x'.repeat(8192)}`],
    'targetTooLong',
  ),
  sentence(
    'RFC 9112 3',
    'a request line of 8,000 octets is supported',
    [line(`GET /${'x'.repeat(7985)} HTTP/1.1`)],
    { target: `/${'x'.repeat(7985)}` },
  ),
  sentence(
    'RFC 9112 3.1',
    'a method is a token',
    ['G@T', 'G(T', '"GET"', 'G\xcbT', 'G\0T', ''].map((method) => line(`${method} / HTTP/1.1`)),
    'badMethod',
  ),
  sentence('RFC 9112 3.1', 'and its letters have a case', [line('get / HTTP/1.1')], { method: 'get' }),
  sentence(
    'RFC 9112 3.2',
    'a target has no whitespace',
    ['GET /a b HTTP/1.1', 'GET / / HTTP/1.1'].map(line),
    'badVersion',
  ),
  sentence(
    'RFC 9112 3.2',
    'nor control characters, octets beyond ASCII, or a fragment',
    [
      'GET /\t HTTP/1.1',
      'GET /\0 HTTP/1.1',
      'GET /\x7f HTTP/1.1',
      'GET /\xe9 HTTP/1.1',
      'GET /#a HTTP/1.1',
    ].map(line),
    'badTarget',
  ),
  sentence(
    'RFC 9112 3.2',
    'a request of HTTP/1.1 without Host is answered 400',
    [head('GET / HTTP/1.1'), head('GET / HTTP/1.1', 'X: y'), head('GET http://a/ HTTP/1.1')],
    'missingHost',
  ),
  sentence(
    'RFC 9112 3.2',
    'and one with more than one Host line',
    [get('Host: a'), get('host: b'), head('GET http://a/ HTTP/1.1', 'Host: a', 'Host: a')],
    'duplicateHost',
  ),
  sentence(
    'RFC 9112 3.2',
    'and one with an invalid Host',
    ['a b', 'a, b', 'u@a', 'a/', 'a?', 'a#', 'a:x', ':80', '[::1', '\xe9', 'a\\b'].map((host) =>
      head('GET / HTTP/1.1', `Host: ${host}`),
    ),
    'badHost',
  ),
  sentence(
    'RFC 9112 3.2',
    'Host is empty where the target has no authority',
    [head('GET / HTTP/1.1', 'Host:'), head('OPTIONS * HTTP/1.1', 'Host: ')],
    { host: '' },
  ),
  sentence(
    'RFC 9112 3.2.1',
    'origin-form is a path, which is never empty, and maybe a query',
    [line('GET /a/b?c=d?e HTTP/1.1')],
    { target: '/a/b?c=d?e', host: 'a' },
  ),
  sentence(
    'RFC 9112 3.2.1',
    'a path without its slash is no form',
    ['a', '?a', '.', '@a', '\\'].map((target) => line(`GET ${target} HTTP/1.1`)),
    'badTarget',
  ),
  sentence(
    'RFC 9112 3.2.2',
    'absolute-form is accepted, and its authority replaces Host',
    ['http://b:81/x', 'HTTP://b:81', 'https://b:81?x'].map((target) => line(`GET ${target} HTTP/1.1`)),
    { host: 'b:81' },
  ),
  sentence(
    'RFC 9112 3.2.3',
    'authority-form is only for CONNECT, and the only one for it',
    ['GET a:80 HTTP/1.1', 'CONNECT / HTTP/1.1', 'CONNECT * HTTP/1.1', 'CONNECT http://a:80/ HTTP/1.1'].map(
      line,
    ),
    'badTarget',
  ),
  sentence('RFC 9112 3.2.4', 'asterisk-form is for OPTIONS', [line('OPTIONS * HTTP/1.1')], {
    target: '*',
    host: 'a',
  }),
  sentence(
    'RFC 9112 3.2.4',
    'and for nothing else',
    ['GET', 'POST', 'HEAD', 'options'].map((method) => line(`${method} * HTTP/1.1`)),
    'badTarget',
  ),
  sentence(
    'RFC 9110 4.2.1',
    'an http URI with an empty host is rejected',
    [line('GET http:///a HTTP/1.1'), line('GET http://:80/ HTTP/1.1')],
    'badTarget',
  ),
  sentence(
    'RFC 9110 4.2.4',
    'userinfo is likely there to deceive, and an error',
    [line('GET http://b@a/ HTTP/1.1'), line('GET https://b:c@a/ HTTP/1.1')],
    'badTarget',
  ),
]

const FIELDS: Sentence[] = [
  sentence(
    'RFC 9112 5',
    'a field is a name, a colon, and a value between optional whitespace',
    [get('X:\t y z \t')],
    {
      fields: [
        ['Host', 'a'],
        ['X', 'y z'],
      ],
    },
  ),
  sentence(
    'RFC 9110 5.1',
    'a name is a token',
    ['X@: y', 'X\xe9: y', 'X\0: y', ': y', '"X": y', 'X/Y: z', 'X'].map((field) => get(field)),
    'badFieldName',
  ),
  sentence('RFC 9110 5.1', 'without letter case', [head('GET / HTTP/1.1', 'hOsT: a', 'CONNECTION: close')], {
    host: 'a',
    keepAlive: false,
  }),
  sentence('RFC 9110 5.1', 'names that are not known are no error', [get('X-Unknown: y')], { method: 'GET' }),
  sentence(
    'RFC 9112 5.1',
    'whitespace between name and colon is answered 400',
    [get('X : y'), get('X\t: y'), get('Content-Length : 0')],
    'spaceBeforeColon',
  ),
  sentence(
    'RFC 9112 5.2',
    'a line that is folded is answered 400',
    [get('X: y\r\n z'), get('X: y\r\n\tz'), get('X:\r\n  y')],
    'obsFold',
  ),
  sentence('RFC 9110 5.5', 'a value with CR is refused', [get('X: a\rb'), get('X:\r\r\n')], 'bareCr'),
  sentence('RFC 9110 5.5', 'a value with LF is refused', [get('X: a\nb')], 'bareLf'),
  sentence(
    'RFC 9110 5.5',
    'a value with NUL, or another control character, is refused',
    ['\0', '\x01', '\x08', '\x0b', '\x0c', '\x1f', '\x7f'].map((c) => get(`X: a${c}b`)),
    'badFieldValue',
  ),
  sentence('RFC 9110 5.5', 'octets from 0x80 on are opaque data', [get('X: \x80\x9f\xa0\xff')], {
    fields: [
      ['Host', 'a'],
      ['X', '\x80\x9f\xa0\xff'],
    ],
  }),
  sentence('RFC 9110 5.5', 'a value may be empty, and may hold tabs and spaces', [get('X:', 'Y: a \t b')], {
    fields: [
      ['Host', 'a'],
      ['X', ''],
      ['Y', 'a \t b'],
    ],
  }),
  sentence(
    'RFC 9110 5.4',
    'more fields than a server wishes to process are answered with 4xx',
    [get(...Array<string>(100).fill('X:'))],
    'tooManyFields',
  ),
  sentence('RFC 9110 5.4', 'and so are larger ones', [get(`X: ${'y'.repeat(16_384)}`)], 'headTooLarge'),
  sentence(
    'RFC 9110 5.6.1',
    'empty elements of a list are ignored',
    [get('Connection: ,, close ,'), get('Connection: , ,close')],
    { keepAlive: false },
  ),
  sentence(
    'RFC 9110 5.6.1',
    'but for those of Transfer-Encoding, which nobody sends in good faith',
    [post('', 'Transfer-Encoding: chunked,'), post('', 'Transfer-Encoding: ,chunked')],
    'badTransferEncoding',
  ),
  sentence(
    'RFC 9110 5.6.2',
    'a token has fifteen other characters beside letters and digits',
    [get("!#$%&'*+-.^_`|~: y")],
    {
      fields: [
        ['Host', 'a'],
        ["!#$%&'*+-.^_`|~", 'y'],
      ],
    },
  ),
  sentence(
    'RFC 9110 5.6.4',
    'a quoted string ends at the first quote without a backslash',
    [chunked('1;a="\\"\\\\;"\r\nx\r\n0\r\n\r\n')],
    { body: 'x' },
  ),
]

export const HEAD_SENTENCES: readonly Sentence[] = [...PARSING, ...REQUEST_LINE, ...FIELDS]
