/**
 * Valid requests, as bytes, with what a server must make of them. One table for every way of sending them:
 * whole, split at each byte, byte by byte, many in one segment, and to the oracle.
 */

export type ValidRequest = {
  readonly name: string
  readonly bytes: Buffer
  readonly method: string
  /** What `request.url` must be; undefined where the contract leaves it open. */
  readonly url: string | undefined
  /** Fields the handler must see, lower-cased. */
  readonly headers: Readonly<Record<string, string>>
  /** Fields the handler must not see, because they do not belong to the message. */
  readonly absent: readonly string[]
  /** The body the handler must be given; undefined where a Request of this method has none to read. */
  readonly body: Buffer | undefined
  /** The server must end the connection after its answer. */
  readonly closes: boolean
}

type Expected = Partial<Omit<ValidRequest, 'name' | 'bytes' | 'body'>> & {
  body?: string | Buffer | undefined
}

const HOST = 'Host: ringlet.test'
const BASE = 'http://ringlet.test'

/** Joins lines with CRLF and ends the head. */
export function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`
}

function valid(name: string, message: string | Buffer, expected: Expected = {}): ValidRequest {
  const bytes = typeof message === 'string' ? Buffer.from(message, 'latin1') : message
  const body = typeof expected.body === 'string' ? Buffer.from(expected.body, 'latin1') : expected.body
  return {
    name,
    bytes,
    method: expected.method ?? 'GET',
    url: 'url' in expected ? expected.url : `${BASE}/`,
    headers: expected.headers ?? {},
    absent: expected.absent ?? [],
    body: 'body' in expected ? body : Buffer.alloc(0),
    closes: expected.closes ?? false,
  }
}

const get = (...fields: string[]) => head('GET / HTTP/1.1', HOST, ...fields)
const post = (length: number | string, body: string, ...fields: string[]) =>
  `${head('POST / HTTP/1.1', HOST, `Content-Length: ${length}`, ...fields)}${body}`
const chunked = (coded: string, ...fields: string[]) =>
  `${head('POST / HTTP/1.1', HOST, 'Transfer-Encoding: chunked', ...fields)}${coded}`

const targets: ValidRequest[] = [
  valid('the smallest request', get()),
  valid('a path', head('GET /a/b.html HTTP/1.1', HOST), { url: `${BASE}/a/b.html` }),
  valid('a query', head('GET /p?a=1&b=2 HTTP/1.1', HOST), { url: `${BASE}/p?a=1&b=2` }),
  valid('an empty query', head('GET /p? HTTP/1.1', HOST), { url: `${BASE}/p?` }),
  valid('a question mark inside a query', head('GET /p?a=? HTTP/1.1', HOST), { url: `${BASE}/p?a=?` }),
  valid('percent-encoding, kept as sent', head('GET /%7Ea%2Fb?c=%20 HTTP/1.1', HOST), {
    url: `${BASE}/%7Ea%2Fb?c=%20`,
  }),
  valid('every character a path may have', head("GET /-._~!$&'()*+,;=:@ HTTP/1.1", HOST), {
    url: `${BASE}/-._~!$&'()*+,;=:@`,
  }),
  valid('a path that starts with two slashes is no authority', head('GET //evil.test/x HTTP/1.1', HOST), {
    url: `${BASE}//evil.test/x`,
  }),
  valid('a colon in the first segment', head('GET /http://x HTTP/1.1', HOST), { url: `${BASE}/http://x` }),
  valid('absolute-form', head('GET http://ringlet.test/abs?x=1 HTTP/1.1', HOST), { url: `${BASE}/abs?x=1` }),
  valid('absolute-form with no path', head('GET http://ringlet.test HTTP/1.1', HOST)),
  valid('absolute-form with a port', head('GET http://ringlet.test:81/ HTTP/1.1', 'Host: ringlet.test:81'), {
    url: 'http://ringlet.test:81/',
  }),
  valid('OPTIONS of the server', head('OPTIONS * HTTP/1.1', HOST), { method: 'OPTIONS', url: undefined }),
  valid('OPTIONS of a resource', head('OPTIONS /x HTTP/1.1', HOST), { method: 'OPTIONS', url: `${BASE}/x` }),
  valid('Host with a port', head('GET / HTTP/1.1', 'Host: ringlet.test:8080'), {
    url: 'http://ringlet.test:8080/',
  }),
  valid('Host that is an IPv6 address', head('GET / HTTP/1.1', 'Host: [::1]:8080'), {
    url: 'http://[::1]:8080/',
  }),
  valid('Host as an IPv4 address', head('GET / HTTP/1.1', 'Host: 127.0.0.1'), { url: 'http://127.0.0.1/' }),
  valid('a target of 4,000 bytes', head(`GET /${'t'.repeat(4000)} HTTP/1.1`, HOST), {
    url: `${BASE}/${'t'.repeat(4000)}`,
  }),
]

const methods: ValidRequest[] = [
  valid('HEAD', head('HEAD /x HTTP/1.1', HOST), { method: 'HEAD', url: `${BASE}/x` }),
  valid('PUT', `${head('PUT /x HTTP/1.1', HOST, 'Content-Length: 3')}abc`, {
    method: 'PUT',
    url: `${BASE}/x`,
    body: 'abc',
  }),
  valid('PATCH', `${head('PATCH /x HTTP/1.1', HOST, 'Content-Length: 2')}{}`, {
    method: 'PATCH',
    url: `${BASE}/x`,
    body: '{}',
  }),
  valid('DELETE without a body', head('DELETE /x HTTP/1.1', HOST), { method: 'DELETE', url: `${BASE}/x` }),
  valid('DELETE with a body', `${head('DELETE /x HTTP/1.1', HOST, 'Content-Length: 4')}why?`, {
    method: 'DELETE',
    url: `${BASE}/x`,
    body: 'why?',
  }),
  valid('a method this server gives no meaning to', head('PURGE /x HTTP/1.1', HOST), {
    method: 'PURGE',
    url: `${BASE}/x`,
  }),
  valid('a method with a hyphen', head('M-SEARCH /x HTTP/1.1', HOST), {
    method: 'M-SEARCH',
    url: `${BASE}/x`,
  }),
  valid('GET with a body, which is read past', `${head('GET / HTTP/1.1', HOST, 'Content-Length: 5')}hello`, {
    body: undefined,
  }),
  valid('POST without any body field', head('POST / HTTP/1.1', HOST), { method: 'POST' }),
]

const fields: ValidRequest[] = [
  valid('spaces and tabs around a value', get('X-Pad: \t a b \t '), { headers: { 'x-pad': 'a b' } }),
  valid('no space after the colon', get('X-Tight:v'), { headers: { 'x-tight': 'v' } }),
  valid('an empty value', get('X-Empty:', 'X-After: 1'), { headers: { 'x-empty': '', 'x-after': '1' } }),
  valid('a value of spaces only', get('X-Blank:   '), { headers: { 'x-blank': '' } }),
  valid('a repeated field', get('X-Many: a', 'X-Other: o', 'x-many: b'), { headers: { 'x-many': 'a, b' } }),
  valid('obs-text in a value', get('X-Latin: caf\xe9 \x80\xff'), {
    headers: { 'x-latin': 'caf\xe9 \x80\xff' },
  }),
  valid('a tab inside a value', get('X-Tab: a\tb'), { headers: { 'x-tab': 'a\tb' } }),
  valid('a colon inside a value', get('X-Colon: a: b:c'), { headers: { 'x-colon': 'a: b:c' } }),
  valid('every character a name may have', get("!#$%&'*+-.^_`|~09aZ: v"), {
    headers: { "!#$%&'*+-.^_`|~09az": 'v' },
  }),
  valid('field names in any case', head('GET / HTTP/1.1', 'hOsT: ringlet.test', 'x-MiXeD: V'), {
    headers: { 'x-mixed': 'V' },
  }),
  valid('Host as the last field', head('GET / HTTP/1.1', 'X-First: 1', HOST), {
    headers: { 'x-first': '1' },
  }),
  valid('a value of 4,000 bytes', get(`X-Long: ${'v'.repeat(4000)}`), {
    headers: { 'x-long': 'v'.repeat(4000) },
  }),
  valid('fifty fields', get(...Array.from({ length: 50 }, (_, at) => `X-F${at}: ${at}`)), {
    headers: { 'x-f0': '0', 'x-f49': '49' },
  }),
  valid('one empty line before', `\r\n${get()}`),
  valid('two empty lines before', `\r\n\r\n${get('X-After: 2')}`, { headers: { 'x-after': '2' } }),
  valid('an upgrade nobody here offers', get('Connection: Upgrade', 'Upgrade: websocket')),
  valid('TE of trailers', get('TE: trailers', 'Connection: TE')),
]

const lifetimes: ValidRequest[] = [
  valid('Connection: keep-alive in 1.1', get('Connection: keep-alive')),
  valid('Connection with options that mean nothing here', get('Connection: Keep-Alive, X-Hop', 'X-Hop: 1')),
  valid('Connection: close', get('Connection: close'), { closes: true }),
  valid('Connection: Close, in another case', get('connection: CLOSE'), { closes: true }),
  valid('close as the second of a list', get('Connection: x-hop ,close'), { closes: true }),
  valid('close in a second Connection field', get('Connection: x-hop', 'Connection: close'), {
    closes: true,
  }),
  valid('HTTP/1.0', head('GET / HTTP/1.0', HOST), { closes: true }),
  valid('HTTP/1.0 without Host', head('GET /old HTTP/1.0'), { url: undefined, closes: true }),
  valid('HTTP/1.0 with keep-alive', head('GET / HTTP/1.0', HOST, 'Connection: keep-alive')),
  valid('HTTP/1.0 with a body', `${head('POST / HTTP/1.0', HOST, 'Content-Length: 2')}ok`, {
    method: 'POST',
    body: 'ok',
    closes: true,
  }),
]

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
const POST: Expected = { method: 'POST' }

const bodies: ValidRequest[] = [
  valid('a body by length', post(5, 'hello'), { ...POST, body: 'hello', headers: { 'content-length': '5' } }),
  valid('an empty body by length', post(0, ''), { ...POST, body: '' }),
  valid('leading zeros in the length', post('0005', 'hello'), { ...POST, body: 'hello' }),
  valid(
    'a body that looks like a request',
    post(35, 'GET /no HTTP/1.1\r\nHost: no.test\r\n\r\n\r\n'.slice(0, 35)),
    {
      ...POST,
      body: 'GET /no HTTP/1.1\r\nHost: no.test\r\n\r\n\r\n'.slice(0, 35),
    },
  ),
  valid('a body of every byte', Buffer.concat([Buffer.from(post(256, '')), everyByte]), {
    ...POST,
    body: everyByte,
  }),
  valid('a body with its content type', post(7, '{"a":1}', 'Content-Type: application/json'), {
    ...POST,
    body: '{"a":1}',
    headers: { 'content-type': 'application/json' },
  }),
  valid('one chunk', chunked('5\r\nhello\r\n0\r\n\r\n'), { ...POST, body: 'hello' }),
  valid('chunks', chunked('1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n'), { ...POST, body: 'abcdef' }),
  valid('no chunk but the last', chunked('0\r\n\r\n'), { ...POST, body: '' }),
  valid('chunk sizes in both cases', chunked('A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n'), {
    ...POST,
    body: '01234567890123456789a',
  }),
  valid('leading zeros in a chunk size', chunked('0003\r\nabc\r\n000\r\n\r\n'), { ...POST, body: 'abc' }),
  valid('a chunk extension', chunked('3;name=value\r\nabc\r\n0;last\r\n\r\n'), { ...POST, body: 'abc' }),
  valid('a quoted chunk extension', chunked('3;n="a;\\" b"\r\nabc\r\n0\r\n\r\n'), { ...POST, body: 'abc' }),
  valid('trailers', chunked('3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Next: 2\r\n\r\n', 'Trailer: X-Sum, X-Next'), {
    ...POST,
    body: 'abc',
    absent: ['x-sum', 'x-next'],
  }),
  valid(
    'trailers that may not be trailers are not merged',
    chunked('1\r\na\r\n0\r\nX-Auth: root\r\n\r\n', 'X-Real: 1'),
    {
      ...POST,
      body: 'a',
      headers: { 'x-real': '1' },
      absent: ['x-auth'],
    },
  ),
  valid(
    'the coding named in another case',
    `${head('POST / HTTP/1.1', HOST, 'transfer-encoding:Chunked')}1\r\na\r\n0\r\n\r\n`,
    {
      ...POST,
      body: 'a',
    },
  ),
  valid('chunk data that looks like framing', chunked('7\r\n0\r\n\r\nGE\r\n0\r\n\r\n'), {
    ...POST,
    body: '0\r\n\r\nGE',
  }),
  valid('Connection: close with a body', post(3, 'bye', 'Connection: close'), {
    ...POST,
    body: 'bye',
    closes: true,
  }),
  valid('Expect: 100-continue with the body already sent', post(4, 'sent', 'Expect: 100-continue'), {
    ...POST,
    body: 'sent',
  }),
  valid('Expect in another case', post(2, 'ok', 'Expect: 100-Continue'), { ...POST, body: 'ok' }),
  valid('Expect: 100-continue with no body to come', get('Expect: 100-continue')),
]

/** Bodies of other sizes than fit beside the head in one read; sent whole and in a few pieces only. */
const LARGE_BODY_BYTES = 1024 * 1024
const large = Buffer.from(Array.from({ length: LARGE_BODY_BYTES }, (_, at) => (at * 31 + (at >> 8)) & 0xff))

function inChunks(body: Buffer, chunkBytes: number): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; at += chunkBytes) {
    const part = body.subarray(at, at + chunkBytes)
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

function largeByLength(bytes: number): ValidRequest {
  const body = large.subarray(0, bytes)
  return valid(`a body of ${bytes} bytes`, Buffer.concat([Buffer.from(post(bytes, '')), body]), {
    ...POST,
    body,
  })
}

function largeInChunks(bytes: number, chunkBytes: number): ValidRequest {
  const body = large.subarray(0, bytes)
  const coded = Buffer.concat([Buffer.from(chunked('')), inChunks(body, chunkBytes)])
  return valid(`a body of ${bytes} bytes in chunks of ${chunkBytes}`, coded, { ...POST, body })
}

/** Requests short enough to be split at each of their bytes. */
export const SHORT: readonly ValidRequest[] = [...targets, ...methods, ...fields, ...lifetimes, ...bodies]

/** Requests too long for that. */
export const LONG: readonly ValidRequest[] = [
  largeByLength(16 * 1024),
  largeByLength(64 * 1024),
  largeByLength(LARGE_BODY_BYTES),
  largeInChunks(20_000, 7),
  largeInChunks(200_000, 1000),
  largeInChunks(LARGE_BODY_BYTES, 65_536),
]
