// Transfer-Encoding disguised, by its value or by its name: TE.TE, and what is neither of the two framing fields but looks so.

import { Family, HOST, head, post, utf8 } from './desync-entry.ts'

const BAD_TE = 'bad-transfer-encoding'
const UNKNOWN = 'unknown-transfer-coding'
const END = '0\r\n\r\n'

const values = new Family('transfer coding, its value')
const coding = (value: string, tail = END) => post(tail, `Transfer-Encoding:${value}`)
for (const [error, name, value, why] of [
  ['bad-field-value', 'a vertical tab before it', '\x0bchunked', 'CVE-2019-18277: skipped as whitespace'],
  ['bad-field-value', 'a form feed before it', ' \x0cchunked', 'CVE-2019-16789: skipped as whitespace'],
  ['bad-field-value', 'NUL after it', ' chunked\0', 'RFC 9110 5.5: the end of a string in C'],
  ['bad-field-value', 'NUL within it', ' chun\0ked', 'RFC 9110 5.5'],
  ['bad-field-value', 'DEL after it', ' chunked\x7f', 'RFC 9110 5.5'],
  ['bad-field-value', 'a backspace after it', ' chunkedx\x08', 'RFC 9110 5.5'],
  [BAD_TE, 'a comma after it', ' chunked,', 'RFC 9110 5.6.1: an empty element, or a coding of no name'],
  [BAD_TE, 'a comma before it', ' ,chunked', 'RFC 9110 5.6.1; CVE-2022-32213'],
  [BAD_TE, 'empty elements around it', ' , ,chunked, ,', 'RFC 9110 5.6.1'],
  [BAD_TE, 'nothing', '', 'RFC 9112 6.1; CVE-2022-1705: present and empty'],
  [BAD_TE, 'a comma alone', ' ,', 'RFC 9110 5.6.1'],
  [BAD_TE, 'in double quotes', ' "chunked"', 'RFC 9112 7: a coding is a token'],
  [BAD_TE, 'in single quotes', " 'chunked'", 'RFC 9112 7: quotes of this kind belong to a token'],
  [BAD_TE, 'in brackets', ' [chunked]', 'TE.TE (Kettle 2019)'],
  [BAD_TE, 'a parameter', ' chunked;q=1', 'RFC 9112 7.1: chunked has no parameters'],
  [BAD_TE, 'a semicolon', ' chunked;', 'RFC 9112 7.1'],
  [BAD_TE, 'a word behind it', ' chunked foo', 'TE.TE: only the first word is compared'],
  [BAD_TE, 'a name and a colon before it', ' x: chunked', 'TE.TE (Kettle 2019): X: X[\\n]Transfer-Encoding'],
  [BAD_TE, 'a tab within it', ' chunk\ted', 'TE.TE'],
  [BAD_TE, 'a no-break space before it', '\xa0chunked', 'CVE-2019-16789: whitespace of latin1'],
  [BAD_TE, 'a no-break space after it', ' chunked\xa0', 'CVE-2019-16789'],
  [BAD_TE, 'NEL before it', '\x85chunked', 'whitespace of latin1 in some languages'],
  [BAD_TE, 'a Kelvin sign for the k', ` chun${utf8('\u212a')}ed`, 'Unicode case folding makes it a k'],
  [BAD_TE, 'twice in a list', ' chunked, chunked', 'RFC 9112 6.1: applied once, or twice'],
  [BAD_TE, 'not last', ' chunked, identity', 'RFC 9112 6.3; CVE-2022-32213'],
  [BAD_TE, 'before gzip', ' chunked, gzip', 'RFC 9112 6.3: the length cannot be known'],
  [UNKNOWN, 'after identity', ' identity, chunked', 'CVE-2022-32213: only the first is compared'],
  [UNKNOWN, 'after gzip', ' gzip, chunked', 'RFC 9112 6.1'],
  [BAD_TE, 'identity', ' identity', 'RFC 9112 7: no longer a coding; taken for no body, or refused'],
  [BAD_TE, 'xchunked', ' xchunked', 'TE.TE (Kettle 2019): found by a search for the end of the value'],
  [BAD_TE, 'chunkedx', ' chunkedx', 'TE.TE: found by a comparison of the first seven letters'],
  [BAD_TE, 'chunk', ' chunk', 'TE.TE (Kettle 2019)'],
  [BAD_TE, 'cow', ' cow', 'TE.TE (Kettle 2019)'],
  [BAD_TE, 'deflate', ' deflate', 'RFC 9112 6.1'],
] as const) {
  values.refused(error, name, coding(value), why)
}
values.refused(
  'obs-fold',
  'on the next line',
  coding('\r\n chunked'),
  'RFC 9112 5.2; CVE-2022-32215: a field of several lines',
)
values.refused('obs-fold', 'on the next line, after a tab', coding(' \r\n\tchunked'), 'CVE-2022-32215')
values.refused(
  'obs-fold',
  'continued into another coding',
  coding(' chunked\r\n , identity'),
  'CVE-2022-32215: the second line is dropped by some',
)
values.refused(
  BAD_TE,
  'in two fields',
  post(END, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
  'CVE-2020-8287: two copies of the field',
)
values.refused(
  BAD_TE,
  'a second field that undoes the first',
  post(END, 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'),
  'CVE-2020-8287, TE.TE: the last one wins, or the first',
)
values.refused(
  UNKNOWN,
  'a first field that is undone by the second',
  post(END, 'Transfer-Encoding: identity', 'Transfer-Encoding: chunked'),
  'CVE-2020-8287, TE.TE',
)
values.refused(
  BAD_TE,
  'a second field of another letter case and value',
  post(END, 'Transfer-Encoding: chunked', 'Transfer-encoding: cow'),
  'TE.TE (Kettle 2019)',
)
for (const [name, value] of [
  ['a tab before it', '\tchunked'],
  ['spaces and tabs around it', ' \t chunked \t '],
  ['no space before it', 'chunked'],
  ['in capital letters', ' CHUNKED'],
  ['in both cases', ' cHuNkEd'],
] as const) {
  values.served(name, coding(value, `5\r\nhello\r\n${END}`), 'RFC 9112 7, 5.1: chunked, and nothing else', {
    body: 'hello',
  })
}

const names = new Family('framing fields, their names')
for (const [error, name, field, why] of [
  ['space-before-colon', 'a space behind it', 'Transfer-Encoding : chunked', 'RFC 9112 5.1; CVE-2021-22959'],
  ['space-before-colon', 'a tab behind it', 'Transfer-Encoding\t: chunked', 'RFC 9112 5.1; CVE-2019-16276'],
  ['space-before-colon', 'a space behind the length', 'Content-Length : 5', 'RFC 9112 5.1; CVE-2021-22959'],
  ['space-before-colon', 'a space within', 'Transfer Encoding: chunked', 'RFC 9110 5.1'],
  ['bad-field-name', 'a vertical tab behind it', 'Transfer-Encoding\x0b: chunked', 'RFC 9110 5.1'],
  [
    'bad-field-name',
    'NUL behind it',
    'Transfer-Encoding\0: chunked',
    'RFC 9110 5.1: the end of a string in C',
  ],
  ['bad-field-name', 'NUL before it', '\0Transfer-Encoding: chunked', 'RFC 9110 5.1'],
  ['bad-field-name', 'a no-break space behind it', 'Transfer-Encoding\xa0: chunked', 'RFC 9110 5.1'],
  ['bad-field-name', 'a byte order mark before it', '\xef\xbb\xbfTransfer-Encoding: chunked', 'RFC 9110 5.1'],
  ['bad-field-name', 'a long s in it', `Tran${utf8('\u017f')}fer-Encoding: chunked`, 'Unicode case folding'],
  ['bad-field-name', 'in quotes', '"Transfer-Encoding": chunked', 'RFC 9110 5.1'],
  ['bad-field-name', 'a semicolon behind it', 'Transfer-Encoding;: chunked', 'RFC 9110 5.1'],
  [
    'bad-field-name',
    'an equals sign for the colon',
    'Content-Length=5',
    'CVE-2019-20444: a line without a colon',
  ],
  ['bad-field-name', 'CR before the colon', 'Content-Length\r: 5', 'RFC 9112 2.2; CVE-2023-30589'],
  ['bare-lf', 'LF before the colon', 'Content-Length\n: 5', 'RFC 9112 2.2; CVE-2022-32214'],
  ['bare-lf', 'behind a bare LF', 'X: y\nTransfer-Encoding: chunked', 'TE.TE (Kettle 2019); CVE-2022-32214'],
  ['bare-cr', 'behind a bare CR', 'X: y\rTransfer-Encoding: chunked', 'CVE-2023-30589: CR taken for an end'],
  ['bare-cr', 'behind a field that ends in CR', 'X:\rTransfer-Encoding: chunked', 'CVE-2023-30589'],
  ['obs-fold', 'behind a space', 'X: y\r\n Transfer-Encoding: chunked', 'RFC 9112 5.2'],
  ['obs-fold', 'the length behind a space', 'X: y\r\n Content-Length: 5', 'CVE-2024-27982'],
] as const) {
  names.refused(error, name, post('hello', field), why)
}
names.refused(
  'obs-fold',
  'the length behind a space, before all other fields',
  `${head('POST /a HTTP/1.1', ' Content-Length: 5', HOST)}hello`,
  'RFC 9112 2.2; CVE-2024-27982',
)
for (const [name, field] of [
  ['Content_Length', 'Content_Length: 35'],
  ['Transfer_Encoding', 'Transfer_Encoding: chunked'],
  ['X-Content-Length', 'X-Content-Length: 35'],
  ['Content-Lengt', 'Content-Lengt: 35'],
  ['Content-Length-', 'Content-Length-: 35'],
  ['Content.Length', 'Content.Length: 35'],
  ['Content-Encoding: chunked', 'Content-Encoding: chunked'],
  ['TE: chunked', 'TE: chunked'],
  ['Proxy-Content-Length', 'Proxy-Content-Length: 35'],
  ['a length in another field’s value', 'X: Content-Length: 35'],
  ['a name of 270 letters that starts so', `Content-Length0${'a'.repeat(255)}: 35`],
] as const) {
  const why = name.includes('270')
    ? 'CVE-2021-40346: the length of the name wraps, and a shorter name is left'
    : 'RFC 9110 5.1: another name is another field; CGI makes _ and - one'
  names.served(name, post('', field), why)
}

export const CODINGS: readonly Family[] = [values, names]
