import { head } from './corpus.ts'

/** Messages that must be refused, with the RFC section that says so and the answer's stable error name. */
export type BadMessage = {
  readonly name: string
  readonly bytes: Buffer
  readonly status: number
  readonly error: string
  readonly rfc: string
}

const HOST = 'Host: ringlet.test'

function bad(status: number, error: string, rfc: string, name: string, message: string): BadMessage {
  return { name, bytes: Buffer.from(message, 'latin1'), status, error, rfc }
}

const get = (...fields: string[]) => head('GET / HTTP/1.1', HOST, ...fields)
const line = (requestLine: string) => head(requestLine, HOST)
const post = (body: string, ...fields: string[]) => `${head('POST / HTTP/1.1', HOST, ...fields)}${body}`
const chunked = (coded: string) => post(coded, 'Transfer-Encoding: chunked')

const framing: BadMessage[] = [
  bad(
    400,
    'content-length-with-transfer-encoding',
    'RFC 9112 6.1',
    'Content-Length, then Transfer-Encoding',
    post('0\r\n\r\n', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
  ),
  bad(
    400,
    'content-length-with-transfer-encoding',
    'RFC 9112 6.1',
    'Transfer-Encoding, then Content-Length',
    post('0\r\n\r\n', 'Transfer-Encoding: chunked', 'Content-Length: 35'),
  ),
  bad(
    400,
    'conflicting-content-length',
    'RFC 9112 6.3',
    'two lengths that differ',
    post('abcdef', 'Content-Length: 3', 'Content-Length: 6'),
  ),
  bad(
    400,
    'conflicting-content-length',
    'RFC 9112 6.3',
    'two lengths that agree',
    post('abc', 'Content-Length: 3', 'content-length: 3'),
  ),
  bad(400, 'bad-content-length', 'RFC 9112 6.3', 'a list of lengths', post('abc', 'Content-Length: 3, 3')),
  bad(400, 'bad-content-length', 'RFC 9110 8.6', 'a signed length', post('abc', 'Content-Length: +3')),
  bad(400, 'bad-content-length', 'RFC 9110 8.6', 'a negative length', post('abc', 'Content-Length: -3')),
  bad(400, 'bad-content-length', 'RFC 9110 8.6', 'a hexadecimal length', post('abc', 'Content-Length: 0x3')),
  bad(400, 'bad-content-length', 'RFC 9110 8.6', 'an empty length', post('abc', 'Content-Length:')),
  bad(
    400,
    'bad-content-length',
    'RFC 9110 8.6',
    'a length with a space in it',
    post('abc', 'Content-Length: 3 3'),
  ),
  bad(
    400,
    'bad-content-length',
    'RFC 9110 8.6',
    'a length beyond 2^64, which would wrap to 3',
    post('abc', 'Content-Length: 18446744073709551619'),
  ),
  bad(
    400,
    'bad-transfer-encoding',
    'RFC 9112 6.3',
    'chunked not last',
    post('0\r\n\r\n', 'Transfer-Encoding: chunked, gzip'),
  ),
  bad(
    400,
    'bad-transfer-encoding',
    'RFC 9112 6.1',
    'chunked twice',
    post('0\r\n\r\n', 'Transfer-Encoding: chunked, chunked'),
  ),
  bad(
    400,
    'bad-transfer-encoding',
    'RFC 9112 6.1',
    'chunked in two fields',
    post('0\r\n\r\n', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
  ),
  bad(
    400,
    'bad-transfer-encoding',
    'RFC 9112 6.1',
    'an empty coding',
    post('0\r\n\r\n', 'Transfer-Encoding:'),
  ),
  bad(
    400,
    'bad-transfer-encoding',
    'RFC 9112 7.1',
    'chunked with a parameter',
    post('0\r\n\r\n', 'Transfer-Encoding: chunked;q=1'),
  ),
  bad(400, 'bad-transfer-encoding', 'RFC 9112 6.3', 'another coding', post('abc', 'Transfer-Encoding: gzip')),
  bad(
    501,
    'unknown-transfer-coding',
    'RFC 9112 6.1',
    'another coding under chunked',
    post('0\r\n\r\n', 'Transfer-Encoding: gzip, chunked'),
  ),
  bad(
    400,
    'bad-transfer-encoding',
    'RFC 9112 6.3',
    'almost chunked',
    post('0\r\n\r\n', 'Transfer-Encoding: xchunked'),
  ),
  bad(
    400,
    'bad-field-value',
    'RFC 9110 5.5',
    'a vertical tab before the coding',
    post('0\r\n\r\n', 'Transfer-Encoding:\x0bchunked'),
  ),
  bad(
    400,
    'transfer-encoding-in-1.0',
    'RFC 9112 6.1',
    'Transfer-Encoding in HTTP/1.0',
    `${head('POST / HTTP/1.0', HOST, 'Connection: keep-alive', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  ),
  bad(
    417,
    'unknown-expectation',
    'RFC 9110 10.1.1',
    'another expectation',
    post('abc', 'Content-Length: 3', 'Expect: 200-ok'),
  ),
]

const fieldLines: BadMessage[] = [
  bad(400, 'space-before-colon', 'RFC 9112 5.1', 'a space before the colon', get('X-A : 1')),
  bad(400, 'space-before-colon', 'RFC 9112 5.1', 'a tab before the colon', get('X-A\t: 1')),
  bad(
    400,
    'space-before-colon',
    'RFC 9112 5.1',
    'a space before the colon of Content-Length',
    post('abc', 'Content-Length : 3'),
  ),
  bad(400, 'obs-fold', 'RFC 9112 5.2', 'a value continued on the next line', get('X-A: 1', ' 2')),
  bad(400, 'obs-fold', 'RFC 9112 5.2', 'a value continued after a tab', get('X-A: 1', '\t2')),
  bad(
    400,
    'obs-fold',
    'RFC 9112 2.2',
    'whitespace before the first field',
    head('GET / HTTP/1.1', ` ${HOST}`, HOST),
  ),
  bad(
    400,
    'obs-fold',
    'RFC 9112 5.2',
    'a folded Transfer-Encoding',
    post('0\r\n\r\n', 'Transfer-Encoding:', ' chunked'),
  ),
  bad(400, 'bad-field-name', 'RFC 9110 5.1', 'a line without a colon', get('X-A')),
  bad(400, 'bad-field-name', 'RFC 9110 5.1', 'an empty name', get(': 1')),
  bad(400, 'bad-field-name', 'RFC 9110 5.1', 'a name that is no token', get('X(A): 1')),
  bad(400, 'bad-field-name', 'RFC 9110 5.1', 'a name with obs-text', get('X-\xe9: 1')),
  bad(400, 'bad-field-name', 'RFC 9110 5.1', 'a name with NUL', get('X-\0A: 1')),
  bad(400, 'bad-field-value', 'RFC 9110 5.5', 'NUL in a value', get('X-A: 1\x002')),
  bad(400, 'bad-field-value', 'RFC 9110 5.5', 'a control character in a value', get('X-A: 1\x012')),
  bad(400, 'bad-field-value', 'RFC 9110 5.5', 'DEL in a value', get('X-A: 1\x7f2')),
  bad(400, 'bare-cr', 'RFC 9112 2.2', 'a bare CR in a value', get('X-A: 1\rX-B: 2')),
  bad(
    400,
    'bare-cr',
    'RFC 9112 2.2',
    'a bare CR that would end the head',
    get('X-A: 1\r\rGET /hidden HTTP/1.1'),
  ),
  bad(400, 'bare-lf', 'RFC 9112 2.2', 'a bare LF between fields', get('X-A: 1\nX-B: 2')),
  bad(400, 'bare-lf', 'RFC 9112 2.2', 'a bare LF after the request line', `GET / HTTP/1.1\n${HOST}\r\n\r\n`),
  bad(400, 'bare-lf', 'RFC 9112 2.2', 'a head that ends in LF LF', `GET / HTTP/1.1\r\n${HOST}\r\n\n`),
]

const hosts: BadMessage[] = [
  bad(400, 'missing-host', 'RFC 9112 3.2', 'no Host', head('GET / HTTP/1.1', 'X-A: 1')),
  bad(400, 'missing-host', 'RFC 9112 3.2', 'no fields at all', head('GET / HTTP/1.1')),
  bad(
    400,
    'missing-host',
    'RFC 9112 3.2.2',
    'absolute-form without Host',
    head('GET http://ringlet.test/ HTTP/1.1'),
  ),
  bad(400, 'duplicate-host', 'RFC 9112 3.2', 'two Hosts that agree', get('host: ringlet.test')),
  bad(400, 'duplicate-host', 'RFC 9112 3.2', 'two Hosts that differ', get('Host: other.test')),
  bad(400, 'bad-host', 'RFC 9112 3.2', 'a space in Host', head('GET / HTTP/1.1', 'Host: a b')),
  bad(400, 'bad-host', 'RFC 9112 3.2', 'a path in Host', head('GET / HTTP/1.1', 'Host: a.test/x')),
  bad(400, 'bad-host', 'RFC 9112 3.2', 'userinfo in Host', head('GET / HTTP/1.1', 'Host: user@a.test')),
  bad(400, 'bad-host', 'RFC 9112 3.2', 'a list in Host', head('GET / HTTP/1.1', 'Host: a.test, b.test')),
  bad(400, 'bad-host', 'RFC 9112 3.2', 'a port that is none', head('GET / HTTP/1.1', 'Host: a.test:x')),
  bad(400, 'bad-host', 'RFC 9112 3.2', 'a port beyond 65535', head('GET / HTTP/1.1', 'Host: a.test:65536')),
  bad(
    400,
    'bad-host',
    'RFC 3986 3.2.2',
    'an IPv6 address without its end',
    head('GET / HTTP/1.1', 'Host: [::1'),
  ),
]

const requestLines: BadMessage[] = [
  bad(400, 'bad-version', 'RFC 9112 3', 'no version', line('GET /')),
  bad(400, 'bad-version', 'RFC 9112 2.3', 'a version in small letters', line('GET / http/1.1')),
  bad(400, 'bad-version', 'RFC 9112 2.3', 'a version of two digits', line('GET / HTTP/1.10')),
  bad(400, 'bad-version', 'RFC 9112 2.3', 'a version without a point', line('GET / HTTP/11')),
  bad(400, 'bad-version', 'RFC 9112 2.3', 'another protocol', line('GET / HTCPCP/1.0')),
  bad(400, 'bad-version', 'RFC 9112 3', 'a space after the version', line('GET / HTTP/1.1 ')),
  bad(505, 'unsupported-version', 'RFC 9110 15.6.6', 'version 2.0', line('GET / HTTP/2.0')),
  bad(505, 'unsupported-version', 'RFC 9110 15.6.6', 'version 0.9', line('GET / HTTP/0.9')),
  bad(
    505,
    'unsupported-version',
    'RFC 9113 3.4',
    'the preface of HTTP/2',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ),
  bad(400, 'bad-target', 'RFC 9112 3', 'two spaces before the target', line('GET  / HTTP/1.1')),
  bad(400, 'bad-version', 'RFC 9112 3', 'two spaces after the target', line('GET /  HTTP/1.1')),
  bad(400, 'bad-version', 'RFC 9112 3', 'a space in the target', line('GET /a b HTTP/1.1')),
  bad(400, 'bad-method', 'RFC 9112 3', 'a space before the method', line(' GET / HTTP/1.1')),
  bad(400, 'bad-method', 'RFC 9112 3', 'a tab after the method', line('GET\t/ HTTP/1.1')),
  bad(400, 'bad-method', 'RFC 9110 9.1', 'a method that is no token', line('G@T / HTTP/1.1')),
  bad(400, 'bad-method', 'RFC 9112 3', 'no method', line('/ HTTP/1.1')),
  bad(400, 'bad-target', 'RFC 9112 3.2', 'a control character in the target', line('GET /\x01 HTTP/1.1')),
  bad(400, 'bad-target', 'RFC 9112 3.2', 'NUL in the target', line('GET /\0 HTTP/1.1')),
  bad(400, 'bad-target', 'RFC 9112 3.2', 'obs-text in the target', line('GET /\xe9 HTTP/1.1')),
  bad(400, 'bad-target', 'RFC 9112 3.2', 'a fragment in the target', line('GET /a#b HTTP/1.1')),
  bad(400, 'bad-target', 'RFC 9112 3.2', 'a target without a slash', line('GET a HTTP/1.1')),
  bad(400, 'bad-target', 'RFC 9112 3.2.4', 'the asterisk with GET', line('GET * HTTP/1.1')),
  bad(400, 'bad-target', 'RFC 9112 3.2.3', 'CONNECT to a path', line('CONNECT /x HTTP/1.1')),
  bad(
    400,
    'bad-target',
    'RFC 9110 4.2.4',
    'userinfo in absolute-form',
    line('GET http://u@ringlet.test/ HTTP/1.1'),
  ),
  bad(400, 'bad-target', 'RFC 9110 4.2.1', 'no host in absolute-form', line('GET http:///x HTTP/1.1')),
  bad(400, 'bare-cr', 'RFC 9112 2.2', 'a bare CR before the request', `\r${line('GET / HTTP/1.1')}`),
  bad(400, 'bare-lf', 'RFC 9112 2.2', 'a bare LF before the request', `\n${line('GET / HTTP/1.1')}`),
  bad(400, 'too-many-empty-lines', 'RFC 9112 2.2', 'only empty lines', '\r\n'.repeat(40)),
  bad(400, 'bad-method', 'RFC 9112 3', 'a TLS handshake', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'),
]

const chunks: BadMessage[] = [
  bad(400, 'bad-chunk-size', 'RFC 9112 7.1', 'a size that is no number', chunked('x\r\nabc\r\n0\r\n\r\n')),
  bad(400, 'bad-chunk-size', 'RFC 9112 7.1', 'a size with a prefix', chunked('0x3\r\nabc\r\n0\r\n\r\n')),
  bad(400, 'bad-chunk-size', 'RFC 9112 7.1', 'a negative size', chunked('-3\r\nabc\r\n0\r\n\r\n')),
  bad(400, 'bad-chunk-size', 'RFC 9112 7.1', 'an empty size', chunked('\r\nabc\r\n0\r\n\r\n')),
  bad(400, 'bad-chunk-size', 'RFC 9112 7.1', 'a space before the size', chunked(' 3\r\nabc\r\n0\r\n\r\n')),
  bad(
    400,
    'bad-chunk-size',
    'RFC 9112 7.1',
    'a size of 2^64 + 3',
    chunked('10000000000000003\r\nabc\r\n0\r\n\r\n'),
  ),
  bad(
    400,
    'bad-chunk-end',
    'RFC 9112 7.1',
    'a chunk longer than its size',
    chunked('3\r\nabcd\r\n0\r\n\r\n'),
  ),
  bad(400, 'bad-chunk-end', 'RFC 9112 7.1', 'LF alone after a chunk', chunked('3\r\nabc\n0\r\n\r\n')),
  bad(
    400,
    'bad-chunk-extension',
    'RFC 9112 7.1.1',
    'an unfinished quoted value',
    chunked('3;a="b\r\nabc\r\n0\r\n\r\n'),
  ),
  bad(400, 'bare-lf', 'RFC 9112 2.2', 'LF alone after a size', chunked('3\nabc\r\n0\r\n\r\n')),
  bad(400, 'bare-lf', 'RFC 9112 2.2', 'LF alone after an extension', chunked('3;a\nabc\r\n0\r\n\r\n')),
  bad(400, 'bare-cr', 'RFC 9112 2.2', 'CR alone after a size', chunked('3\rabc\r\n0\r\n\r\n')),
  bad(400, 'bad-trailer', 'RFC 9112 7.1.2', 'a trailer without a colon', chunked('0\r\nX-A\r\n\r\n')),
  bad(
    400,
    'bad-trailer',
    'RFC 9112 5.1',
    'a space before a trailer’s colon',
    chunked('0\r\nX-A : 1\r\n\r\n'),
  ),
  bad(400, 'bad-trailer', 'RFC 9112 5.2', 'a folded trailer', chunked('0\r\nX-A: 1\r\n 2\r\n\r\n')),
]

export const REFUSALS: readonly BadMessage[] = [
  ...framing,
  ...fieldLines,
  ...hosts,
  ...requestLines,
  ...chunks,
]
