// Field lines and line ends that another parser sees more, or fewer, of.

import { Family, get, HOST, head, line, SMUGGLED, utf8 } from './desync-entry.ts'

const names = new Family('field names')
for (const [error, name, field, why] of [
  ['bad-field-name', 'NUL', 'X\0: y', 'RFC 9110 5.1'],
  ['space-before-colon', 'a space', 'X Y: z', 'RFC 9110 5.1; CVE-2019-16276'],
  ['space-before-colon', 'a tab', 'X\tY: z', 'RFC 9110 5.1'],
  ['bad-field-name', 'none', ': y', 'CVE-2023-25725: an empty name ends the list of fields'],
  ['bad-field-name', 'a colon first', ':X: y', 'RFC 9110 5.1'],
  ['bad-field-name', 'no colon', 'X', 'CVE-2019-20444'],
  ['bad-field-name', 'obs-text', 'X\xe9: y', 'RFC 9110 5.1'],
  ['bad-field-name', 'UTF-8', `${utf8('\u0425')}: y`, 'RFC 9110 5.1: looks like an X'],
  ['bad-field-name', 'DEL', 'X\x7f: y', 'RFC 9110 5.1'],
  ['bad-field-name', 'an escape', '\x1b[A: y', 'RFC 9110 5.1'],
  ['bad-field-name', 'a parenthesis', 'X(Y): z', 'RFC 9110 5.6.2'],
  ['bad-field-name', 'a slash', 'X/Y: z', 'RFC 9110 5.6.2'],
  ['bad-field-name', 'an at sign', 'X@Y: z', 'RFC 9110 5.6.2'],
  ['bad-field-name', 'a colon of HTTP/2', ':path: /admin', 'RFC 9113 8.3: a pseudo-header after a downgrade'],
  ['space-before-colon', 'a request line', 'GET /smuggled HTTP/1.1', 'RFC 9112 5: a second start line'],
  ['obs-fold', 'a continuation', 'X: y\r\n z', 'RFC 9112 5.2'],
  ['obs-fold', 'a continuation of spaces only', 'X: y\r\n  ', 'RFC 9112 5.2: an empty line to who trims'],
  ['obs-fold', 'a continuation by a tab', 'X: y\r\n\tz', 'RFC 9112 5.2'],
  ['obs-fold', 'a request on a continuation', `X: y\r\n \r\n${SMUGGLED}`, 'RFC 9112 5.2'],
] as const) {
  names.refused(error, name, get(field), why)
}
names.refused('obs-fold', 'a space before the first', head('GET /a HTTP/1.1', ' X: y', HOST), 'RFC 9112 2.2')
names.refused(
  'obs-fold',
  'a line of one space before the first',
  head('GET /a HTTP/1.1', ' ', HOST),
  'RFC 9112 2.2',
)
names.refused('too-many-fields', 'thirty of one letter', get(...Array<string>(30).fill('X:')), 'RFC 6585 5')
names.served('every character of a token', get("!#$%&'*+-.^_`|~09aZ: v"), 'RFC 9110 5.6.2', {
  headers: { "!#$%&'*+-.^_`|~09az": 'v' },
})
names.served(
  'a name that is a property of every object',
  get('__proto__: 1', 'constructor: 2'),
  'RFC 9110 5.1',
)

const values = new Family('field values')
for (const [error, name, value, why] of [
  ['bad-field-value', 'NUL', 'a\0b', 'RFC 9110 5.5'],
  ['bad-field-value', 'a vertical tab', 'a\x0bb', 'RFC 9110 5.5'],
  ['bad-field-value', 'an escape', '\x1b[0m', 'RFC 9110 5.5'],
  ['bad-field-value', 'DEL', '\x7f', 'RFC 9110 5.5'],
  ['bare-cr', 'CR', 'a\rb', 'RFC 9112 2.2; CVE-2023-30589'],
  ['bare-cr', 'CR and a space', 'a\r b', 'RFC 9112 2.2'],
  ['bare-lf', 'LF', 'a\nb', 'RFC 9112 2.2; CVE-2022-35256'],
  ['bare-lf', 'LF and another field', 'a\nContent-Length: 5', 'CVE-2019-16785'],
] as const) {
  values.refused(error, name, get(`X: ${value}`), why)
}
for (const [name, bytes, seen] of [
  ['NEL and the line separator are no line ends', `a\x85b${utf8('\u2028')}c`, `a\x85b${utf8('\u2028')}c`],
  ['letters whose low byte is CR or LF', utf8('\u010d\u010a'), utf8('\u010d\u010a')],
  ['a field within', 'a: b, Content-Length: 5', 'a: b, Content-Length: 5'],
  ['percent-encoded CRLF', 'a%0d%0aContent-Length: 5', 'a%0d%0aContent-Length: 5'],
  ['escaped CRLF', 'a\\r\\nContent-Length: 5', 'a\\r\\nContent-Length: 5'],
] as const) {
  values.served(name, get(`X: ${bytes}`), 'RFC 9112 2.2: octets, never characters of Unicode', {
    headers: { x: seen },
    absent: ['content-length'],
  })
}

const ends = new Family('line ends')
for (const [error, name, message, why] of [
  ['bare-lf', 'LF only', `GET /a HTTP/1.1\n${HOST}\n\n`, 'RFC 9112 2.2'],
  ['bare-cr', 'CR only', `GET /a HTTP/1.1\r${HOST}\r\r`, 'RFC 9112 2.2'],
  ['bare-lf', 'LF after the request line', `GET /a HTTP/1.1\n${HOST}\r\n\r\n`, 'RFC 9112 2.2'],
  ['bare-cr', 'CR after the request line', `GET /a HTTP/1.1\r${HOST}\r\n\r\n`, 'RFC 9112 2.2'],
  ['bare-lf', 'LF for the empty line', `GET /a HTTP/1.1\r\n${HOST}\r\n\n`, 'RFC 9112 2.2; CVE-2019-16785'],
  ['bare-cr', 'CR for the empty line', `GET /a HTTP/1.1\r\n${HOST}\r\n\r`, 'RFC 9112 2.2; CVE-2023-30589'],
  ['bare-cr', 'CR twice before LF', `GET /a HTTP/1.1\r\n${HOST}\r\r\n\r\n`, 'RFC 9112 2.2'],
  ['bare-lf', 'LF before CRLF', `GET /a HTTP/1.1\r\n${HOST}\n\r\n\r\n`, 'RFC 9112 2.2'],
  [
    'bare-cr',
    'two fields around a CR',
    `GET /a HTTP/1.1\r\n${HOST}\r\nX:\r\rContent-Length: 5\r\n\r\n`,
    'CVE-2023-30589',
  ],
  ['bare-lf', 'a head within a head', `GET /a HTTP/1.1\r\n${HOST}\r\nX: y\n\n${SMUGGLED}`, 'CVE-2022-32214'],
  ['bare-cr', 'CR before the request', `\r${get()}`, 'RFC 9112 2.2'],
  ['bare-lf', 'LF before the request', `\n${get()}`, 'RFC 9112 2.2'],
  [
    'too-many-empty-lines',
    'many empty lines before the request',
    `${'\r\n'.repeat(20)}${get()}`,
    'RFC 9112 2.2',
  ],
  ['bad-method', 'spaces before the request', `  ${get()}`, 'RFC 9112 2.2'],
  ['bad-method', 'NUL before the request', `\0${get()}`, 'RFC 9112 3.1'],
  [
    'bad-method',
    'the rest of a body before the request',
    `x=1&y=2 ${get()}`.replace(' ', '\r\n'),
    'a body that was not read',
  ],
  [
    'space-before-colon',
    'the end missing: the next request line is a field',
    `GET /a HTTP/1.1\r\n${HOST}\r\n`,
    'RFC 9112 5',
  ],
] as const) {
  ends.refused(error, name, message, why)
}
ends.served(
  'some empty lines before the request',
  `\r\n\r\n\r\n${get()}`,
  'RFC 9112 2.2: at least one is ignored',
)
ends.served('a field at once behind the request line', line('GET /a HTTP/1.1', 'X:'), 'RFC 9112 5', {
  headers: { x: '' },
})

export const FIELDS: readonly Family[] = [names, values, ends]
