import type { ChunkedLimits } from '../../../src/http/chunked.ts'
import type { ErrorKey } from './codes.ts'

export const CHUNKED_LIMITS: ChunkedLimits = {
  bodyBytes: 64,
  extensionBytes: 32,
  overheadBytes: 96,
  trailerBytes: 24,
  trailerFields: 2,
}

export interface ChunkedCase {
  input: string
  /** The payload of a complete body, an error, or null for partial. */
  expected: { body: string; rest?: string } | ErrorKey | null
  comment: string
}

const end = '0\r\n\r\n'
const each = (inputs: string[], expected: ChunkedCase['expected'], comment: string): ChunkedCase[] =>
  inputs.map((input) => ({ input, expected, comment }))

const ACCEPTED: ChunkedCase[] = [
  { input: end, expected: { body: '' }, comment: 'an empty body, RFC 9112 7.1' },
  { input: `5\r\nhello\r\n${end}`, expected: { body: 'hello' }, comment: 'one chunk, RFC 9112 7.1' },
  {
    input: `3\r\nabc\r\n2\r\nde\r\n${end}GET /`,
    expected: { body: 'abcde', rest: 'GET /' },
    comment: 'two, RFC 9112 7.1',
  },
  {
    input: `a\r\n0123456789\r\nA\r\n0123456789\r\n${end}`,
    expected: { body: '01234567890123456789' },
    comment: 'HEXDIG',
  },
  {
    input: `0005\r\nhello\r\n000\r\n\r\n`,
    expected: { body: 'hello' },
    comment: 'leading zeros are in 1*HEXDIG',
  },
  { input: `4\r\n\r\n\r\n\r\n${end}`, expected: { body: '\r\n\r\n' }, comment: 'data may be CRLF' },
  {
    input: `5\r\n0\r\n\r\n\r\n${end}`,
    expected: { body: '0\r\n\r\n' },
    comment: 'data may look like the end',
  },
  {
    input: `40\r\n${'x'.repeat(64)}\r\n${end}`,
    expected: { body: 'x'.repeat(64) },
    comment: 'as large as the limit',
  },
  ...each(
    [
      ';a',
      ';a=b',
      ' ;\ta',
      ';a;b;c',
      ';a = b ; c',
      ';a="b"',
      ';a="x;y \\" \\\\"',
      ';a=""',
      ';a="\xff\t" ;b',
    ].map((extension) => `1${extension}\r\nx\r\n0${extension}\r\n\r\n`),
    { body: 'x' },
    'extensions are read and ignored, RFC 9112 7.1.1',
  ),
  ...each(
    ['a: b\r\n', 'a:\r\n', 'a: \xff\t\r\nb:c\r\n', 'Content-Length: 5\r\n', `a: ${'x'.repeat(19)}\r\n`].map(
      (trailers) => `1\r\nx\r\n0\r\n${trailers}\r\n`,
    ),
    { body: 'x' },
    'trailers are read and dropped, RFC 9110 6.5.1',
  ),
]

const PARTIAL: ChunkedCase[] = each(
  [
    '',
    '5',
    '5\r',
    '5\r\n',
    '5\r\nhell',
    '5\r\nhello',
    '5\r\nhello\r',
    '5\r\nhello\r\n',
    '0\r\n',
    '0\r\n\r',
    '0\r\na: b\r\n\r',
  ],
  null,
  'more is due, RFC 9112 7.1',
)

const REFUSED: ChunkedCase[] = [
  ...each(
    [
      '-5\r\n',
      '+5\r\n',
      ' 5\r\n',
      '\t5\r\n',
      '0x5\r\n',
      'x\r\n',
      'g\r\n',
      '5_0\r\n',
      '5,\r\n',
      '5.0\r\n',
      '5h\r\n',
      '\r\n',
      ';a\r\n',
      '5\0\r\n',
      '5\x0b\r\n',
      '\xb2\r\n',
      `5\r\nhello\r\n\r\n`,
      '5\r\nhello\r\n 0\r\n\r\n',
    ],
    'badChunkSize',
    '1*HEXDIG and nothing else, RFC 9112 7.1',
  ),
  ...each(
    [
      '20000000000000\r\n',
      'FFFFFFFFFFFFFFFF\r\n',
      '10000000000000005\r\n',
      `${'0'.repeat(17)}5\r\n`,
      '100000000000000000000',
    ],
    'badChunkSize',
    'overflow is refused, RFC 9112 7.1',
  ),
  ...each(
    ['5\n', '\n', '5\r\nhello\r\n\n', '1;a\n', '1;a="\n', '0\r\n\n', '0\r\na: b\n', '0\r\na\n'],
    'bareLf',
    'RFC 9112 2.2',
  ),
  ...each(['5\rx', '5\r\r', '1;a\rx', '0\r\n\rx', '0\r\na: b\rx', '0\r\na: b\r\r'], 'bareCr', 'RFC 9112 2.2'),
  ...each(
    [
      '5 \r\n',
      '5\t\r\n',
      '5;\r\n',
      '5; \r\n',
      '5;a=\r\n',
      '5;a= \r\n',
      '5;a \r\n',
      '5;a=b \r\n',
      '5;a="b\r\n',
      '5;a="b\\\r\n',
    ],
    'badChunkExtension',
    'not complete where the line ends, RFC 9112 7.1.1',
  ),
  ...each(
    [
      '5 6',
      '5;;',
      '5;a\0',
      '5;a=\x01',
      '5;a="\0',
      '5;a="\\\0',
      '5;a="\\\x01',
      '5;a="\\\x7f',
      '5;a="b"c',
      '5;a=b=c',
      '5;a b',
      '5;a=b c',
      '5;\xe9',
      '5;a=\x7f',
    ],
    'badChunkExtension',
    'outside its grammar, RFC 9112 7.1.1',
  ),
  {
    input: `1;${'a'.repeat(16)}\r\nx\r\n1;${'a'.repeat(15)}`,
    expected: 'chunkExtensionTooLarge',
    comment: 'all extensions together, RFC 9112 7.1.1',
  },
  ...each(
    ['5\r\nhelloX', '5\r\nhello\n', '5\r\nhello\rX', '5\r\nhello0\r\n\r\n', '3\r\nhello\r\n0\r\n\r\n'],
    'badChunkEnd',
    'data longer than its size, or bare LF, RFC 9112 7.1',
  ),
  {
    input: '1\r\nx\r\n'.repeat(30),
    expected: 'chunkOverheadTooLarge',
    comment: 'framing that outweighs the data, RFC 9112 7.1.1 by analogy',
  },
  ...each(
    ['41\r\n', 'ffff\r\n', '1fffffffffffff\r\n', `20\r\n${'x'.repeat(32)}\r\n21\r`, '41;a'],
    'bodyTooLarge',
    'refused at the size, before the data, RFC 9110 15.5.14',
  ),
  ...each(
    [
      ' a: b\r\n',
      'a : b\r\n',
      ': b\r\n',
      'a\r\n',
      'a: b\r\n c\r\n',
      'a: \0\r\n',
      'a: \x7f',
      'a\0: b',
      '\0',
      'a\xe9: b',
    ].map((trailers) => `0\r\n${trailers}`),
    'badTrailer',
    'the field grammar, RFC 9112 7.1.2 and 5',
  ),
  ...each(
    [`0\r\na: ${'x'.repeat(22)}`, '0\r\na:b\r\nc:d\r\ne', `0\r\n${'x'.repeat(25)}`],
    'trailerTooLarge',
    'bounded in bytes and number, RFC 6585 5',
  ),
]

export const CHUNKED_CASES: readonly ChunkedCase[] = [...ACCEPTED, ...PARTIAL, ...REFUSED]
