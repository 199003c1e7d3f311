// Chunked bodies whose chunks end elsewhere for another parser.

import { chunked, Family, SMUGGLED } from './desync-entry.ts'

const END = '0\r\n\r\n'
const FUNKY = 'Funky chunks (Weikop 2025)'

const sizes = new Family('chunk sizes')
for (const [error, name, size, why] of [
  ['bad-chunk-size', '0x before it', '0x5', 'CVE-2022-24761: read as 5, or as 0'],
  ['bad-chunk-size', 'a plus sign', '+5', 'CVE-2022-24761'],
  ['bad-chunk-size', 'a minus sign', '-5', 'RFC 9112 7.1'],
  ['bad-chunk-size', 'an underscore within', '5_', 'RFC 9112 7.1; int(x, 16) of Python takes 5_0'],
  ['bad-chunk-size', 'an underscore before it', '_5', 'RFC 9112 7.1'],
  ['bad-chunk-size', '2^64 and five', '10000000000000005', 'RFC 9112 7.1: wraps to 5'],
  ['bad-chunk-size', '2^63 and five', '8000000000000005', 'RFC 9112 7.1: wraps below zero'],
  ['bad-chunk-size', '2^64 less one', 'FFFFFFFFFFFFFFFF', 'RFC 9112 7.1: -1, no end'],
  ['bad-chunk-size', '2^53', '20000000000000', 'RFC 9112 7.1: a float loses its ones'],
  ['bad-chunk-size', 'sixteen zeros and a digit', '00000000000000005', 'RFC 9112 7.1: only the last digits'],
  ['body-too-large', '2^32 and five', '100000005', 'RFC 9112 7.1: wraps to 5'],
  ['body-too-large', '2^31 and five', '80000005', 'RFC 9112 7.1: wraps below zero'],
  ['bad-chunk-size', 'a space before it', ' 5', 'RFC 9112 7.1: no whitespace in the grammar'],
  ['bad-chunk-extension', 'a space behind it', '5 ', 'RFC 9112 7.1.1: whitespace only before a semicolon'],
  ['bad-chunk-extension', 'a tab behind it', '5\t', 'RFC 9112 7.1.1'],
  ['bad-chunk-extension', 'two sizes', '5 0', 'RFC 9112 7.1: 5, 50, or the second'],
  ['bad-chunk-size', 'a comma', '5,0', 'RFC 9112 7.1'],
  ['bad-chunk-size', 'a point', '5.0', 'RFC 9112 7.1'],
  ['bad-chunk-size', 'a letter beyond f', '5g', 'RFC 9112 7.1: read up to the g'],
  ['bad-chunk-size', 'h for hexadecimal', '5h', 'RFC 9112 7.1'],
  ['bad-chunk-size', 'NUL behind it', '5\x000', 'RFC 9112 7.1: the end of a string in C'],
  ['bad-chunk-size', 'a vertical tab behind it', '5\x0b', 'RFC 9112 7.1'],
  ['bad-chunk-size', 'a no-break space behind it', '5\xa0', 'RFC 9112 7.1'],
  ['bad-chunk-size', 'a superscript', '\xb2', 'RFC 9112 7.1'],
  ['bad-chunk-size', 'Arabic digits', '\xd9\xa5', 'RFC 9112 7.1: digits of Unicode'],
  ['bad-chunk-size', 'nothing', '', 'RFC 9112 7.1: taken for zero'],
  ['bad-chunk-size', 'an extension alone', ';a', 'RFC 9112 7.1: taken for zero'],
  ['bad-chunk-size', 'in quotes', '"5"', 'RFC 9112 7.1'],
] as const) {
  sizes.refused(error, name, chunked(`${size}\r\nhello\r\n${END}`), why)
}
for (const [error, name, last] of [
  ['bad-chunk-size', 'minus zero as the last', '-0'],
  ['bad-chunk-size', '0x0 as the last', '0x0'],
  ['bad-chunk-size', 'seventeen zeros as the last', '0'.repeat(17)],
  ['bad-chunk-extension', 'a zero and a space as the last', '0 '],
] as const) {
  sizes.refused(error, name, chunked(`5\r\nhello\r\n${last}\r\n\r\n`), 'RFC 9112 7.1: last-chunk = 1*"0"')
}
for (const [name, size, last] of [
  ['leading zeros', '0005', '0'],
  ['sixteen digits', '0000000000000005', '0000000000000000'],
  ['a last chunk of several zeros', '5', '000'],
] as const) {
  sizes.served(name, chunked(`${size}\r\nhello\r\n${last}\r\n\r\n`), 'RFC 9112 7.1: 1*HEXDIG', {
    body: 'hello',
  })
}
sizes.served('capital letters', chunked(`A\r\n0123456789\r\n${END}`), 'RFC 9112 7.1', { body: '0123456789' })

const ends = new Family('chunk ends')
for (const [error, name, coded, why] of [
  ['bare-lf', 'LF alone after a size', `5\nhello\r\n${END}`, 'RFC 9112 2.2; CVE-2025-22871'],
  ['bare-cr', 'CR alone after a size', `5\rhello\r\n${END}`, 'RFC 9112 2.2'],
  ['bare-cr', 'CR twice after a size', `5\r\rhello\r\n${END}`, `ZERO.TWO, ${FUNKY}: any byte for LF`],
  ['bare-cr', 'CR and another byte after a size', `5\rXhello\r\n${END}`, `ONE.TWO, ${FUNKY}`],
  ['bad-chunk-end', 'LF twice after a size', `5\r\n\nhello\r\n${END}`, FUNKY],
  ['bad-chunk-end', 'LF alone after the data', `5\r\nhello\n${END}`, `ONE.TWO, ${FUNKY}`],
  ['bad-chunk-end', 'CR alone after the data', `5\r\nhello\r${END}`, `ONE.TWO, ${FUNKY}`],
  ['bad-chunk-end', 'LF twice after the data', `5\r\nhello\n\n${END}`, `TWO.ONE, ${FUNKY}`],
  ['bad-chunk-end', 'nothing after the data', `5\r\nhello${END}`, `ZERO.TWO, ${FUNKY}`],
  ['bad-chunk-size', 'CRLF twice after the data', `5\r\nhello\r\n\r\n${END}`, `TWO.ZERO, ${FUNKY}`],
  [
    'bad-chunk-end',
    'two other bytes after the data',
    `5\r\nhelloXX${END}`,
    'CVE-2025-43859: two bytes skipped',
  ],
  ['bad-chunk-end', 'data longer than its size', `5\r\nhelloworld\r\n${END}`, `SPILL.TERM, ${FUNKY}`],
  ['bad-chunk-size', 'data shorter than its size', `8\r\nhello\r\n${END}`, `TERM.SPILL, ${FUNKY}`],
  ['bad-chunk-end', 'a longer size that hides a request', `2\r\nxx45\r\n${SMUGGLED}`, `SPILL.TERM, ${FUNKY}`],
  ['bad-chunk-size', 'a space before the next size', `5\r\nhello\r\n ${END}`, 'RFC 9112 7.1'],
  ['bare-lf', 'LF alone at the last end', '0\r\n\n', 'RFC 9112 7.1.2'],
  ['bare-lf', 'LF alone after the last size', '0\n\r\n', 'RFC 9112 2.2; CVE-2025-22871'],
  ['bare-lf', 'LF alone, twice, at the end', '0\n\n', 'RFC 9112 2.2'],
  ['bare-cr', 'CR twice at the last end', '0\r\n\r\r', 'RFC 9112 2.2'],
  ['bare-cr', 'CR and another byte at the last end', '0\r\n\rX', `ONE.TWO, ${FUNKY}`],
  ['bad-trailer', 'no end: the next request would be a trailer', '0\r\n', 'RFC 9112 7.1.2; CVE-2025-53643'],
] as const) {
  ends.refused(error, name, chunked(coded), why)
}
ends.served(
  'data that looks like an end',
  chunked(`7\r\n0\r\n\r\nGE\r\n${END}`),
  'RFC 9112 7.1: data is not read',
  {
    body: '0\r\n\r\nGE',
  },
)
ends.served(
  'data that is a request',
  chunked(`${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${END}`),
  'RFC 9112 7.1',
  { body: SMUGGLED },
)
ends.served('CRLF behind the last end', chunked(`${END}\r\n`), 'RFC 9112 2.2: an empty line before a request')

const extensions = new Family('chunk extensions')
for (const [error, name, extension, why] of [
  ['bare-lf', 'LF within', ';\nxx\r\n', `TERM.EXT, ${FUNKY}; CVE-2023-38697`],
  ['bare-lf', 'LF after a name', ';a\n', `EXT.TERM, ${FUNKY}; CVE-2025-22871`],
  ['bare-lf', 'LF in quotes', ';a="\n"\r\n', `TERM.EXT, ${FUNKY}`],
  ['bare-cr', 'CR within', ';a\rb\r\n', FUNKY],
  ['bad-chunk-extension', 'CR after a semicolon', ';\rX\r\n', FUNKY],
  [
    'bad-chunk-extension',
    'CRLF in quotes',
    ';a="\r\n"\r\n',
    'CVE-2021-22960: the quote goes on, or the line ends',
  ],
  ['bad-chunk-extension', 'CRLF behind a backslash in quotes', ';a="\\\r\n"\r\n', 'RFC 9110 5.6.4'],
  ['bad-chunk-extension', 'NUL', ';a\0\r\n', 'RFC 9112 7.1.1'],
  ['bad-chunk-extension', 'NUL in quotes', ';a="\0"\r\n', 'RFC 9110 5.6.4'],
  ['bad-chunk-extension', 'no name', ';\r\n', 'RFC 9112 7.1.1; CVE-2022-24761: not looked at'],
  ['bad-chunk-extension', 'no value', ';a=\r\n', 'RFC 9112 7.1.1'],
  ['bad-chunk-extension', 'two semicolons', ';;a\r\n', 'RFC 9112 7.1.1'],
  ['bad-chunk-extension', 'a space behind it', ';a \r\n', 'RFC 9112 7.1.1'],
  ['bad-chunk-extension', 'two names', ';a b\r\n', 'RFC 9112 7.1.1'],
  ['bad-chunk-extension', 'obs-text in a name', ';\xe9\r\n', 'RFC 9110 5.6.2'],
  ['bad-chunk-extension', 'no semicolon', ' a=b\r\n', 'RFC 9112 7.1.1'],
  ['chunk-extension-too-large', '1,100 bytes', `;${'a'.repeat(1100)}\r\n`, 'CVE-2024-22019, CVE-2023-39326'],
] as const) {
  extensions.refused(error, name, chunked(`5${extension}hello\r\n${END}`), why)
}
extensions.refused(
  'chunk-extension-too-large',
  '1,100 bytes over many chunks',
  chunked(`1;${'a'.repeat(99)}\r\nx\r\n`.repeat(11) + END),
  'CVE-2023-39326: the bound is the body’s',
)
extensions.refused(
  'chunk-overhead-too-large',
  'more framing than data',
  chunked('1\r\nx\r\n'.repeat(300) + END),
  'CVE-2023-39326: tiny chunks without end',
)
for (const [name, extension] of [
  ['a name', ';a'],
  ['a name and a token', ';a=b'],
  ['whitespace around it', ' ;\ta = b'],
  ['quotes that hold a semicolon, a quote and a size', ';a="; \\" 5"'],
  ['obs-text and a tab in quotes', ';a="\xe9\t"'],
] as const) {
  extensions.served(
    name,
    chunked(`5${extension}\r\nhello\r\n0${extension}\r\n\r\n`),
    'RFC 9112 7.1.1: read and ignored',
    { body: 'hello' },
  )
}

const trailers = new Family('trailers')
for (const [error, name, trailer, why] of [
  ['bad-trailer', 'no colon', 'X', 'CVE-2025-53643: the section is skipped unread'],
  ['bad-trailer', 'a request line', 'GET /smuggled HTTP/1.1', 'CVE-2025-53643'],
  ['bad-trailer', 'a space before the colon', 'X : y', 'RFC 9112 5.1'],
  ['bad-trailer', 'a continuation', 'X: y\r\n z', 'RFC 9112 5.2'],
  ['bad-trailer', 'a continuation of nothing', ' X: y', 'RFC 9112 5.2'],
  ['bad-trailer', 'no name', ': y', 'CVE-2023-25725'],
  ['bad-trailer', 'NUL in a value', 'X: \0', 'RFC 9110 5.5'],
  ['bad-trailer', 'NUL in a name', 'X\0: y', 'RFC 9110 5.1'],
  ['bad-trailer', 'obs-text in a name', '\xe9: y', 'RFC 9110 5.1'],
  ['bare-lf', 'LF alone behind it', 'X: y\nZ: a', 'RFC 9112 2.2'],
  ['bare-cr', 'CR alone behind it', 'X: y\rZ: a', 'RFC 9112 2.2'],
  ['trailer-too-large', 'more bytes than the limit', `X: ${'y'.repeat(126)}`, 'RFC 6585 5'],
  ['trailer-too-large', 'more fields than the limit', 'X:\r\n'.repeat(21).trimEnd(), 'RFC 6585 5'],
] as const) {
  trailers.refused(error, name, chunked(`5\r\nhello\r\n0\r\n${trailer}\r\n\r\n`), why)
}
for (const [name, trailer] of [
  ['a field for a trailer', 'X-Sum: 5'],
  ['Host', 'Host: evil.test'],
  ['Connection: close', 'Connection: close'],
  ['Authorization', 'Authorization: Basic eDp5'],
  ['Cookie', 'Cookie: a=b'],
  ['Content-Type', 'Content-Type: text/html'],
  ['Expect', 'Expect: 100-continue'],
  ['Trailer', 'Trailer: X'],
  ['X-Forwarded-For', 'X-Forwarded-For: 127.0.0.1'],
] as const) {
  const field = trailer.slice(0, trailer.indexOf(':')).toLowerCase()
  trailers.served(
    name,
    chunked(`5\r\nhello\r\n0\r\n${trailer}\r\n\r\n`),
    'RFC 9110 6.5.1: merged into the head it passes by whoever checked that',
    field === 'host'
      ? { body: 'hello', headers: { host: 'ringlet.test' } }
      : { body: 'hello', absent: [field] },
  )
}

export const CHUNKS: readonly Family[] = [sizes, ends, extensions, trailers]
