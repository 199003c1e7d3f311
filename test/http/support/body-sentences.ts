import { chunked, get, head, line, old, post, type Sentence, sentence } from './sentences.ts'

const BODIES: Sentence[] = [
  sentence(
    'RFC 9112 6',
    'content is announced by a field, for every method',
    [`${get('Content-Length: 3')}abc`, `${head('DELETE / HTTP/1.1', 'Host: a', 'Content-Length: 3')}abc`],
    { body: 'abc' },
  ),
  sentence(
    'RFC 9112 6.1',
    'chunked is understood, in any letter case',
    [chunked('1\r\nx\r\n0\r\n\r\n'), post('1\r\nx\r\n0\r\n\r\n', 'transfer-encoding: CHUNKED')],
    { chunked: true, body: 'x' },
  ),
  sentence(
    'RFC 9112 6.1',
    'chunked is not applied more than once',
    [
      post('', 'Transfer-Encoding: chunked, chunked'),
      post('', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    ],
    'badTransferEncoding',
  ),
  sentence(
    'RFC 9112 6.1',
    'a coding that is not understood is answered 501',
    [post('', 'Transfer-Encoding: gzip, chunked'), post('', 'Transfer-Encoding: x, chunked')],
    'unknownTransferCoding',
  ),
  sentence(
    'RFC 9112 6.1',
    'Content-Length beside Transfer-Encoding may be rejected',
    [
      post('0\r\n\r\n', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
      post('0\r\n\r\n', 'Transfer-Encoding: chunked', 'Content-Length: 5'),
    ],
    'contentLengthWithTransferEncoding',
  ),
  sentence(
    'RFC 9112 6.1',
    'Transfer-Encoding in HTTP/1.0 is faulty framing',
    [
      old('Transfer-Encoding: chunked'),
      old('Host: a', 'Transfer-Encoding: chunked', 'Connection: keep-alive'),
    ],
    'transferEncodingIn10',
  ),
  sentence(
    'RFC 9112 6.3',
    'where chunked is not the last coding, the length cannot be known: 400',
    [
      post('', 'Transfer-Encoding: chunked, gzip'),
      post('', 'Transfer-Encoding: gzip'),
      post('', 'Transfer-Encoding: x'),
      post('', 'Transfer-Encoding: chunked', 'Transfer-Encoding: gzip'),
    ],
    'badTransferEncoding',
  ),
  sentence(
    'RFC 9112 6.3',
    'an invalid Content-Length is answered 400',
    ['x', '', '-1', '+1', '1.0', '0x1', '1, 2', '1 2', '1,1'].map((length) =>
      post('', `Content-Length: ${length}`),
    ),
    'badContentLength',
  ),
  sentence(
    'RFC 9110 8.6',
    'a length said twice may be rejected, though equal',
    [
      post('a', 'Content-Length: 1', 'Content-Length: 1'),
      post('a', 'Content-Length: 1', 'Content-Length: 2'),
    ],
    'conflictingContentLength',
  ),
  sentence(
    'RFC 9110 8.6',
    'large lengths do not overflow',
    ['9007199254740992', '18446744073709551616', '9'.repeat(300)].map((length) =>
      post('', `Content-Length: ${length}`),
    ),
    'badContentLength',
  ),
  sentence(
    'RFC 9110 8.6',
    'a length is decimal, leading zeros and all',
    [post('0123456789', 'Content-Length: 010')],
    { contentLength: 10, body: '0123456789', rest: '' },
  ),
  sentence('RFC 9112 6.3', 'a valid Content-Length is the length', [post('abcGET', 'Content-Length: 3')], {
    body: 'abc',
    rest: 'GET',
  }),
  sentence(
    'RFC 9112 6.3',
    'without either field there is no content',
    [`${post('')}abc`, `${head('PUT / HTTP/1.1', 'Host: a')}abc`],
    { body: '', rest: 'abc' },
  ),
]

const CHUNKS: Sentence[] = [
  sentence(
    'RFC 9112 7.1',
    'a chunk is a hexadecimal size, CRLF, so much data, CRLF',
    [chunked('a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\nGET')],
    { body: '0123456789x', rest: 'GET' },
  ),
  sentence(
    'RFC 9112 7.1',
    'a size is digits and nothing else',
    ['x', '-1', '+1', '0x1', ' 1', '1_', '', ';a'].map((size) => chunked(`${size}\r\n`)),
    'badChunkSize',
  ),
  sentence(
    'RFC 9112 7.1',
    'large sizes do not overflow',
    ['20000000000000', 'ffffffffffffffff', '10000000000000001'].map((size) => chunked(`${size}\r\n`)),
    'badChunkSize',
  ),
  sentence(
    'RFC 9112 7.1',
    'the last chunk is any number of zeros',
    [chunked('0\r\n\r\n'), chunked('0000\r\n\r\n')],
    { body: '', rest: '' },
  ),
  sentence(
    'RFC 9112 7.1',
    'data is followed by CRLF',
    [chunked('1\r\nxy'), chunked('1\r\nx\n'), chunked('1\r\nx0\r\n\r\n'), chunked('1\r\nx\rx')],
    'badChunkEnd',
  ),
  sentence(
    'RFC 9112 7.1',
    'parameters of chunked are an error',
    [post('', 'Transfer-Encoding: chunked;a=b'), post('', 'Transfer-Encoding: chunked ; a')],
    'badTransferEncoding',
  ),
  sentence(
    'RFC 9112 7.1.1',
    'extensions that are not known are ignored',
    [chunked('1;a;b=c;d="e"\r\nx\r\n0;f\r\n\r\n')],
    { body: 'x' },
  ),
  sentence(
    'RFC 9112 7.1.1',
    'and held to their grammar',
    ['1;', '1;=a', '1;a=', '1;a b', '1 ', '1;a="b'].map((size) => chunked(`${size}\r\n`)),
    'badChunkExtension',
  ),
  sentence('RFC 9112 7.1.1', 'and bounded', [chunked(`1;${'a'.repeat(2000)}`)], 'chunkExtensionTooLarge'),
  sentence(
    'RFC 9112 7.1.2',
    'a trailer section is read by the rules of fields',
    ['X', 'X : y', ' X: y', ': y', 'X: \0', 'X: y\r\n z'].map((field) => chunked(`0\r\n${field}\r\n`)),
    'badTrailer',
  ),
  sentence(
    'RFC 9112 7.1.2',
    'and may be discarded, what may be a trailer',
    [chunked('0\r\nX-Sum: 1\r\nServer-Timing: a\r\n\r\n')],
    {
      body: '',
      fields: [
        ['Host', 'a'],
        ['Transfer-Encoding', 'chunked'],
      ],
    },
  ),
  sentence(
    'RFC 9110 6.5.1',
    'and what may not',
    [
      'Content-Length: 9',
      'Transfer-Encoding: x',
      'Host: b',
      'Authorization: x',
      'Content-Type: x',
      'Expect: x',
      'Trailer: x',
      'TE: x',
      'Set-Cookie: x',
      'Cache-Control: x',
      'Content-Encoding: x',
      'Content-Range: x',
    ].map((field) => chunked(`1\r\nx\r\n0\r\n${field}\r\n\r\nGET`)),
    {
      host: 'a',
      body: 'x',
      contentLength: -1,
      fields: [
        ['Host', 'a'],
        ['Transfer-Encoding', 'chunked'],
      ],
      rest: 'GET',
    },
  ),
  sentence(
    'RFC 9110 5.4',
    'and bounded',
    [chunked(`0\r\nX: ${'y'.repeat(9000)}`), chunked(`0\r\n${'X:\r\n'.repeat(101)}`)],
    'trailerTooLarge',
  ),
  sentence(
    'RFC 9110 15.5.14',
    'content larger than wanted is answered 413',
    [chunked('100001\r\n'), chunked('ffffffff\r\n')],
    'bodyTooLarge',
  ),
  sentence(
    'RFC 9112 7.2',
    'compression codings of transfer are not implemented',
    ['gzip', 'compress', 'deflate', 'x-gzip'].map((coding) =>
      post('', `Transfer-Encoding: ${coding}, chunked`),
    ),
    'unknownTransferCoding',
  ),
]

const CONNECTIONS: Sentence[] = [
  sentence(
    'RFC 9112 9.3',
    'close closes',
    [
      get('Connection: close'),
      get('Connection: x, CLOSE'),
      get('Connection: keep-alive', 'Connection: close'),
    ],
    { keepAlive: false },
  ),
  sentence(
    'RFC 9112 9.3',
    'else HTTP/1.1 persists',
    [get(), get('Connection: keep-alive'), get('Connection: x')],
    { keepAlive: true },
  ),
  sentence(
    'RFC 9112 9.3',
    'and HTTP/1.0 where it says so',
    [old('Connection: keep-alive'), old('Connection: x, Keep-Alive')],
    { keepAlive: true },
  ),
  sentence('RFC 9112 9.3', 'else it closes', [old(), old('Connection: x'), old('Keep-Alive: timeout=5')], {
    keepAlive: false,
  }),
  sentence(
    'RFC 9110 7.8',
    'Upgrade counts with its option, and not from HTTP/1.0',
    [get('Upgrade: h2c', 'Connection: upgrade')],
    { upgrade: true },
  ),
  sentence(
    'RFC 9110 7.8',
    'else it is ignored',
    [get('Upgrade: h2c'), old('Upgrade: h2c', 'Connection: upgrade')],
    { upgrade: false },
  ),
  sentence(
    'RFC 9110 7.2',
    'Host is a host and maybe a port',
    ['a', 'A.b', '1.2.3.4:80', '[::1]:80', 'a:'].map((host) => head('GET / HTTP/1.1', `Host: ${host}`)),
    { method: 'GET' },
  ),
  sentence(
    'RFC 9110 9.3.6',
    'CONNECT to an empty or invalid port is rejected',
    ['a', 'a:', 'a:x', 'a:65536', ':80'].map((target) => line(`CONNECT ${target} HTTP/1.1`)),
    'badTarget',
  ),
  sentence(
    'RFC 9110 9.3.6',
    'an origin server need not implement CONNECT',
    [line('CONNECT a:80 HTTP/1.1'), line('CONNECT [::1]:80 HTTP/1.1')],
    'connectNotImplemented',
  ),
  sentence(
    'RFC 9110 10.1.1',
    'an expectation that is not known may be answered 417',
    [post('', 'Expect: x'), post('', 'Expect: 100-continue, x')],
    'unknownExpectation',
  ),
  sentence(
    'RFC 9110 10.1.1',
    '100-continue has no letter case',
    [post('a', 'Expect: 100-Continue', 'Content-Length: 1')],
    { expectContinue: true },
  ),
  sentence(
    'RFC 9110 10.1.1',
    'it is ignored in HTTP/1.0',
    [`${old('Expect: 100-continue', 'Content-Length: 1')}a`],
    { expectContinue: false, body: 'a' },
  ),
  sentence(
    'RFC 9110 10.1.1',
    'and where there is no content to wait for',
    [post('', 'Expect: 100-continue'), post('', 'Expect: 100-continue', 'Content-Length: 0')],
    { expectContinue: false },
  ),
]

export const BODY_SENTENCES: readonly Sentence[] = [...BODIES, ...CHUNKS, ...CONNECTIONS]
