// Content-Length: beside Transfer-Encoding (CL.TE, TE.CL), in forms that are read in two ways, and where no content is expected.

import { chunked, Family, get, HOST, head, line, post, SMUGGLED, utf8 } from './desync-entry.ts'

const CL_TE = 'content-length-with-transfer-encoding'
const END = '0\r\n\r\n'

const both = new Family('both lengths')
both.refused(
  CL_TE,
  'CL.TE: the length covers what chunked leaves over',
  post(`${END}G`, 'Content-Length: 6', 'Transfer-Encoding: chunked'),
  'RFC 9112 11.2; CL.TE (Linhart et al. 2005, Kettle 2019), CVE-2005-2088',
)
both.refused(
  CL_TE,
  'CL.TE with a whole request behind the last chunk',
  post(`${END}${SMUGGLED}`, `Content-Length: ${END.length + SMUGGLED.length}`, 'Transfer-Encoding: chunked'),
  'RFC 9112 6.3; CL.TE (Kettle 2019)',
)
both.refused(
  CL_TE,
  'TE.CL: the length ends within the chunk',
  post(
    `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${END}`,
    'Content-Length: 4',
    'Transfer-Encoding: chunked',
  ),
  'RFC 9112 6.3; TE.CL (Kettle 2019), CVE-2024-6827',
)
both.refused(
  CL_TE,
  'TE.CL, the coding first',
  post(`5\r\nhello\r\n${END}`, 'Transfer-Encoding: chunked', 'Content-Length: 3'),
  'RFC 9112 6.1; TE.CL (Kettle 2019)',
)
both.refused(
  CL_TE,
  'a length of zero beside chunked',
  post(`5\r\nhello\r\n${END}`, 'Content-Length: 0', 'Transfer-Encoding: chunked'),
  'RFC 9112 6.1; 0.TE: a zero is taken for none',
)
both.refused(
  CL_TE,
  'lengths that agree by either reading',
  post(END, 'Content-Length: 5', 'Transfer-Encoding: chunked'),
  'RFC 9112 6.1: whoever removes one of the two decides',
)
both.refused(
  CL_TE,
  'a length with leading zeros beside chunked',
  post(`${END}G`, 'Content-Length: 06', 'Transfer-Encoding: chunked'),
  'RFC 9112 6.3; one parser reads octal, another refuses the length and keeps the coding',
)
both.refused(
  CL_TE,
  'both, in small letters',
  post(`${END}G`, 'content-length: 6', 'transfer-encoding: chunked'),
  'RFC 9110 5.1: a filter that compares letters as they are sees neither',
)
both.refused(
  CL_TE,
  'a length beside identity',
  post('hello', 'Content-Length: 5', 'Transfer-Encoding: identity'),
  'RFC 9112 6.1; identity was taken out of the registry: unknown to some, nothing to others',
)
both.refused(
  CL_TE,
  'a length beside an empty coding',
  post('hello', 'Content-Length: 5', 'Transfer-Encoding:'),
  'RFC 9112 6.1; CVE-2022-1705',
)
both.refused(
  CL_TE,
  'a length beside a coding that is not known',
  post('hello', 'Content-Length: 5', 'Transfer-Encoding: xchunked'),
  'TE.TE (Kettle 2019): the coding is ignored, the length is not',
)
both.refused(
  CL_TE,
  'both in a GET',
  `${head('GET /a HTTP/1.1', HOST, 'Content-Length: 6', 'Transfer-Encoding: chunked')}${END}G`,
  'RFC 9110 9.3.1: content in GET is often not looked for',
)
both.refused(
  CL_TE,
  'both, with Connection: close',
  post(`${END}G`, 'Connection: close', 'Content-Length: 6', 'Transfer-Encoding: chunked'),
  'RFC 9112 6.1',
)
both.refused(
  CL_TE,
  'both, each nominated as hop-by-hop',
  post(
    `${END}G`,
    'Connection: Content-Length, Transfer-Encoding',
    'Content-Length: 6',
    'Transfer-Encoding: chunked',
  ),
  'hop-by-hop abuse (Davison 2019): either may be removed on the way',
)
both.refused(
  'transfer-encoding-in-1.0',
  'chunked in HTTP/1.0',
  `${head('POST /a HTTP/1.0', HOST, 'Connection: keep-alive', 'Transfer-Encoding: chunked')}${END}`,
  'RFC 9112 6.1: a 1.0 recipient on the way does not know the coding',
)
both.refused(
  'transfer-encoding-in-1.0',
  'both in HTTP/1.0',
  `${head('POST /a HTTP/1.0', HOST, 'Connection: keep-alive', 'Content-Length: 6', 'Transfer-Encoding: chunked')}${END}G`,
  'RFC 9112 6.1; CL.TE by version',
)
both.served(
  'a length in the trailers of a chunked body',
  chunked('5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n', 'Trailer: Content-Length'),
  'RFC 9110 6.5.1: a trailer merged into the head changes the framing after the fact',
  { body: 'hello', absent: ['content-length'] },
)
both.served(
  'a coding in the trailers of a chunked body',
  chunked('5\r\nhello\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n'),
  'RFC 9110 6.5.1',
  { body: 'hello', headers: { 'transfer-encoding': 'chunked' } },
)

const lengths = new Family('Content-Length')
for (const [error, name, value, why] of [
  ['bad-content-length', 'a plus sign', ' +5', 'RFC 9110 8.6; CVE-2022-24761, CVE-2023-38697'],
  ['bad-content-length', 'a minus sign', ' -5', 'RFC 9110 8.6'],
  ['bad-content-length', 'minus zero', ' -0', 'RFC 9110 8.6: zero to who parses an integer'],
  ['bad-content-length', 'hexadecimal', ' 0x5', 'RFC 9110 8.6; CVE-2023-38697'],
  ['bad-content-length', 'a list of equals', ' 5, 5', 'RFC 9112 6.3: merged by some, by others the first'],
  ['bad-content-length', 'a list of unequals', ' 5,6', 'RFC 9112 6.3'],
  ['bad-content-length', 'a list with an empty element', ' 5,', 'RFC 9112 6.3; CVE-2023-40225'],
  ['bad-content-length', 'nothing', '', 'CVE-2023-40225: present and empty'],
  ['bad-content-length', 'two numbers', ' 5 0', 'RFC 9110 8.6: the first, or both joined'],
  ['bad-content-length', 'a decimal point', ' 5.0', 'RFC 9110 8.6'],
  ['bad-content-length', 'an exponent', ' 5e0', 'RFC 9110 8.6'],
  ['bad-content-length', 'an underscore', ' 5_0', 'RFC 9110 8.6; int() of Python takes it'],
  ['bad-content-length', 'a parameter', ' 5;q=1', 'RFC 9110 8.6'],
  ['bad-content-length', 'in quotes', ' "5"', 'RFC 9110 8.6'],
  ['bad-content-length', 'Arabic digits', ` ${utf8('\u0665')}`, 'RFC 9110 8.6: digits of Unicode'],
  ['bad-content-length', 'a fullwidth digit', ` ${utf8('\uff15')}`, 'RFC 9110 8.6'],
  ['bad-content-length', 'a superscript', ' 5\xb2', 'RFC 9110 8.6: isdigit() of some languages takes it'],
  ['bad-content-length', 'a no-break space behind it', ' 5\xa0', 'RFC 9110 5.6.3: no whitespace of HTTP'],
  ['bad-content-length', '2^64 and five', ' 18446744073709551621', 'RFC 9110 8.6: wraps to 5'],
  ['bad-content-length', '2^63', ' 9223372036854775808', 'RFC 9110 8.6: wraps below zero'],
  ['bad-content-length', '2^53, where numbers lose their ones', ' 9007199254740992', 'RFC 9110 8.6'],
  ['bad-content-length', 'a hundred nines', ` ${'9'.repeat(100)}`, 'RFC 9110 8.6: infinite as a float'],
  ['body-too-large', '2^32 and five', ' 4294967301', 'RFC 9110 8.6: wraps to 5'],
  ['body-too-large', '2^31', ' 2147483648', 'RFC 9110 8.6: wraps below zero'],
  ['bad-field-value', 'a vertical tab behind it', ' 5\x0b', 'RFC 9110 5.5'],
  ['bad-field-value', 'NUL behind it', ' 5\x000', 'RFC 9110 5.5: 5, or 50'],
  ['bare-cr', 'CR behind it', ' 5\rX: y', 'RFC 9112 2.2; CVE-2023-30589'],
  ['bare-lf', 'LF behind it', ' 5\nX: y', 'RFC 9112 2.2; CVE-2022-32214'],
  ['obs-fold', 'on the next line', '\r\n 5', 'RFC 9112 5.2'],
  ['obs-fold', 'continued on the next line', ' 5\r\n 0', 'RFC 9112 5.2: 5, 50, or two numbers'],
] as const) {
  lengths.refused(error, name, post('hello', `Content-Length:${value}`), why)
}
for (const [name, first, second] of [
  ['twice, the same', '5', '5'],
  ['twice, not the same', '5', '0'],
  ['zero, then a length', '0', '5'],
] as const) {
  lengths.refused(
    'conflicting-content-length',
    name,
    post('hello', `Content-Length: ${first}`, `content-length: ${second}`),
    'RFC 9112 6.3; CVE-2019-16792, CVE-2019-20445',
  )
}
for (const [name, value] of [
  ['leading zeros', ' 0005'],
  ['forty leading zeros', ` ${'0'.repeat(40)}5`],
  ['spaces and tabs around it', '\t 5 \t'],
  ['no space before it', '5'],
] as const) {
  lengths.served(name, post('hello', `Content-Length:${value}`), 'RFC 9110 8.6: 1*DIGIT, decimal always', {
    body: 'hello',
  })
}

const without = new Family('content where none is expected')
const smuggledLength = `Content-Length: ${SMUGGLED.length}`
for (const method of ['GET', 'DELETE', 'OPTIONS', 'TRACE', 'HEAD', 'PROPFIND']) {
  without.served(
    `${method} with a request for content`,
    `${line(`${method} /a HTTP/1.1`, smuggledLength)}${SMUGGLED}`,
    'RFC 9112 6.3; CL.0 (Kettle 2022): the length is not looked at where no content is expected',
    { body: SMUGGLED },
  )
}
without.served(
  'GET with a request in its only chunk',
  `${line('GET /a HTTP/1.1', 'Transfer-Encoding: chunked')}${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${END}`,
  'RFC 9112 6.3; TE.0 (2024)',
  { body: SMUGGLED },
)
without.served(
  'a length of zero and nothing behind it',
  post('', 'Content-Length: 0'),
  '0.CL (Kettle 2025): the next request is not content',
)
without.served('POST without any framing', post(''), 'RFC 9112 6.3: no content, not all up to the end')
without.served(
  'a query of another length in the target',
  line('GET /a?Content-Length:%2035 HTTP/1.1'),
  'RFC 9112 3.2: nothing in a target is decoded',
  { url: 'http://ringlet.test/a?Content-Length:%2035' },
)
without.served('an empty chunked body in GET', chunked(END).replace('POST', 'GET'), 'RFC 9112 6.3')
without.served(
  'GET with fields that only look like framing',
  get('Content-Range: bytes 0-4/5'),
  'RFC 9110 14.4',
)

export const LENGTHS: readonly Family[] = [both, lengths, without]
