// Whom a request is for, and where its line ends: hosts, targets, methods, versions.

import { Family, get, HOST, head, line, SMUGGLED, utf8 } from './desync-entry.ts'

const TROUBLES = 'Host of Troubles (Chen et al. 2016)'

const hosts = new Family('Host')
for (const [error, name, fields, why] of [
  ['missing-host', 'none', ['X: y'], 'RFC 9112 3.2'],
  ['duplicate-host', 'two that differ', [HOST, 'Host: evil.test'], `RFC 9112 3.2; ${TROUBLES}`],
  ['duplicate-host', 'two that agree', [HOST, HOST], 'RFC 9112 3.2'],
  ['duplicate-host', 'two in different letter case', [HOST, 'hOST: evil.test'], TROUBLES],
  ['obs-fold', 'a second behind a space', [HOST, ' Host: evil.test'], TROUBLES],
  ['obs-fold', 'a first behind a space', [' Host: evil.test', HOST], `RFC 9112 2.2; ${TROUBLES}`],
  ['space-before-colon', 'a space before the colon', ['Host : evil.test', HOST], TROUBLES],
  ['bad-host', 'a list', ['Host: ringlet.test, evil.test'], `RFC 9112 3.2; ${TROUBLES}`],
  ['bad-host', 'two by a space', ['Host: ringlet.test evil.test'], TROUBLES],
  ['bad-host', 'two by a tab', ['Host: ringlet.test\tevil.test'], TROUBLES],
  ['bad-host', 'userinfo', ['Host: ringlet.test@evil.test'], 'RFC 9110 4.2.4'],
  ['bad-host', 'userinfo that looks like a port', ['Host: ringlet.test:80@evil.test'], 'RFC 9110 4.2.4'],
  ['bad-host', 'a path', ['Host: ringlet.test/evil'], 'RFC 9112 3.2'],
  ['bad-host', 'a query', ['Host: ringlet.test?evil'], 'RFC 9112 3.2'],
  ['bad-host', 'a fragment', ['Host: ringlet.test#evil'], 'RFC 9112 3.2'],
  ['bad-host', 'a backslash', ['Host: ringlet.test\\evil'], 'RFC 3986 3.2.2: a slash to browsers'],
  ['bad-host', 'a scheme', ['Host: http://ringlet.test'], 'RFC 9112 3.2'],
  ['bad-host', 'a port that is no number', ['Host: ringlet.test:evil'], 'RFC 9112 3.2'],
  ['bad-host', 'two ports', ['Host: ringlet.test:80:81'], 'RFC 9112 3.2'],
  ['bad-host', 'a port beyond 65535', ['Host: ringlet.test:65616'], 'RFC 3986 3.2.3: wraps to 80'],
  ['bad-host', 'a port alone', ['Host: :80'], 'RFC 9110 4.2.1'],
  ['bad-host', 'a bracket that does not end', ['Host: [::1'], 'RFC 3986 3.2.2'],
  ['bad-host', 'a name behind an address', ['Host: [::1]evil.test'], 'RFC 3986 3.2.2'],
  ['bad-host', 'a zone', ['Host: [fe80::1%25eth0]'], 'RFC 3986 3.2.2'],
  ['bad-host', 'obs-text', ['Host: ringlet.test\xe9'], 'RFC 9112 3.2'],
  ['bad-host', 'half a percent-encoding', ['Host: ringlet.test%0'], 'RFC 3986 2.1'],
  ['bad-field-value', 'NUL', ['Host: ringlet.test\0.evil.test'], `RFC 9110 5.5; ${TROUBLES}`],
  ['bare-cr', 'CR', ['Host: ringlet.test\rX: y'], 'RFC 9112 2.2'],
  ['obs-fold', 'continued', ['Host: ringlet.test\r\n .evil.test'], `RFC 9112 5.2; ${TROUBLES}`],
] as const) {
  hosts.refused(error, name, head('GET /a HTTP/1.1', ...fields), why)
}
hosts.served(
  'fields of proxies name another',
  get('X-Forwarded-Host: evil.test', 'X-Host: evil.test'),
  TROUBLES,
)
hosts.served('empty, of a client without an authority', head('GET /a HTTP/1.1', 'Host:'), 'RFC 9112 3.2', {
  url: 'http://localhost/a',
})
hosts.served('two lines, one by another name', get('Host_: evil.test', 'Hosts: evil.test'), TROUBLES)

const absolute = new Family('absolute-form against Host')
for (const [name, target, url] of [
  ['another name', 'http://other.test/a', 'http://other.test/a'],
  ['another port', 'http://ringlet.test:81/a', 'http://ringlet.test:81/a'],
  ['another scheme and name', 'https://other.test/a', 'https://other.test/a'],
  ['capital letters in the scheme', 'HTTP://other.test/a', 'http://other.test/a'],
  ['no path', 'http://other.test', 'http://other.test/'],
  ['a query and no path', 'http://other.test?a/b', 'http://other.test/?a/b'],
  ['an address', 'http://[::1]:81/a', 'http://[::1]:81/a'],
] as const) {
  absolute.served(name, line(`GET ${target} HTTP/1.1`), `RFC 9112 3.2.2: the target’s wins; ${TROUBLES}`, {
    url,
  })
}
for (const [error, name, target, why] of [
  ['bad-target', 'userinfo', 'http://ringlet.test@evil.test/', 'RFC 9110 4.2.4'],
  ['bad-target', 'userinfo that looks like a port', 'http://ringlet.test:80@evil.test/', 'RFC 9110 4.2.4'],
  [
    'bad-target',
    'a backslash',
    'http://ringlet.test\\@evil.test/',
    'a slash to browsers, userinfo to others',
  ],
  ['bad-target', 'a fragment', 'http://ringlet.test#@evil.test/', 'RFC 9112 3.2'],
  ['bad-target', 'a list', 'http://ringlet.test,evil.test/', TROUBLES],
  ['bad-target', 'no authority', 'http:///a', 'RFC 9110 4.2.1'],
  ['bad-target', 'one slash', 'http:/ringlet.test/a', 'RFC 9110 4.2.1'],
  ['bad-target', 'no slash', 'http:ringlet.test', 'RFC 9110 4.2.1'],
  ['bad-target', 'a port that is no number', 'http://ringlet.test:evil/', 'RFC 3986 3.2.3'],
  ['bad-target', 'another scheme', 'ftp://ringlet.test/a', 'RFC 9112 3.2.2'],
  ['bad-version', 'a space', 'http://ringlet.test/ evil', 'RFC 9112 3.2'],
] as const) {
  absolute.refused(error, name, line(`GET ${target} HTTP/1.1`), why)
}
absolute.refused('missing-host', 'no Host', head('GET http://ringlet.test/ HTTP/1.1'), 'RFC 9112 3.2')
absolute.refused(
  'bad-host',
  'a Host that is none',
  head('GET http://ringlet.test/ HTTP/1.1', 'Host: a b'),
  'RFC 9112 3.2: invalid even where it is not used',
)
absolute.refused(
  'duplicate-host',
  'two Hosts',
  head('GET http://ringlet.test/ HTTP/1.1', HOST, 'Host: evil.test'),
  `RFC 9112 3.2; ${TROUBLES}`,
)

const targets = new Family('targets')
for (const [error, name, target, why] of [
  ['bad-target', 'NUL', '/a\0b', 'CVE-2016-6816'],
  ['bad-target', 'a control character', '/a\x01', 'CVE-2016-6816'],
  ['bad-target', 'a tab', '/a\tb', 'RFC 9112 3: whitespace to a lenient parser'],
  ['bad-target', 'a vertical tab', '/a\x0bb', 'RFC 9112 3'],
  ['bad-version', 'CR', '/a\rb', 'RFC 9112 3'],
  ['bad-target', 'a no-break space', '/a\xa0b', 'RFC 9112 3.2'],
  ['bad-target', 'UTF-8', `/${utf8('\u00e9')}`, 'RFC 3986 2'],
  ['bad-target', 'a fragment', '/a#b', 'RFC 9112 3.2'],
  ['bad-target', 'no slash', 'a', 'RFC 9112 3.2.1'],
  ['bad-target', 'an at sign first', '@evil.test/', 'RFC 9112 3.2.1: joined to the host it is userinfo'],
  ['bad-target', 'a point first', '.evil.test/', 'RFC 9112 3.2.1: joined to the host it is another host'],
  ['bad-target', 'a port first', ':81/', 'RFC 9112 3.2.1'],
  ['bad-target', 'a query alone', '?a', 'RFC 9112 3.2.1'],
  ['bad-target', 'a backslash first', '\\\\evil.test\\', 'RFC 9112 3.2.1'],
  ['bad-target', 'the asterisk', '*', 'RFC 9112 3.2.4'],
  ['bad-version', 'a second request line', '/a HTTP/1.1 /b', 'RFC 9112 3'],
  ['bad-version', 'a version within', '/a HTTP/1.1', 'RFC 9112 3: the first or the last version'],
  ['bad-version', 'a tab behind it', '/a \t', 'RFC 9112 3'],
] as const) {
  targets.refused(error, name, line(`GET ${target} HTTP/1.1`), why)
}
for (const [name, target, url] of [
  ['two slashes are no authority', '//evil.test/a', 'http://ringlet.test//evil.test/a'],
  ['a URL in a path', '/http://evil.test/', 'http://ringlet.test/http://evil.test/'],
  ['percent-encoded CRLF', '/a%0d%0aX:%20y', 'http://ringlet.test/a%0d%0aX:%20y'],
  ['percent-encoded NUL', '/a%00', 'http://ringlet.test/a%00'],
] as const) {
  targets.served(name, line(`GET ${target} HTTP/1.1`), 'RFC 9112 3.2: nothing is decoded', { url })
}
targets.served('the asterisk of OPTIONS', line('OPTIONS * HTTP/1.1'), 'RFC 9112 3.2.4', {
  url: 'http://ringlet.test/',
})

const methods = new Family('methods and versions')
for (const [error, name, message, why] of [
  ['bad-method', 'NUL in the method', line('G\0T /a HTTP/1.1'), 'RFC 9112 3.1'],
  ['bad-method', 'a tab behind the method', line('GET\t/a HTTP/1.1'), 'RFC 9112 3'],
  ['bad-method', 'CR behind the method', line('GET\r/a HTTP/1.1'), 'RFC 9112 3'],
  ['bad-method', 'an empty method', line(' /a HTTP/1.1'), 'RFC 9112 3.1'],
  ['bad-method', 'a method in quotes', line('"GET" /a HTTP/1.1'), 'RFC 9112 3.1'],
  ['bad-method', 'a method of obs-text', line('G\xcbT /a HTTP/1.1'), 'RFC 9112 3.1'],
  [
    'bad-method',
    'a status line',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'response queue poisoning (Kettle 2021)',
  ],
  ['bad-method', 'a TLS hello', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 'RFC 9112 2.2'],
  ['bad-method', 'a PROXY line of binary form', '\r\n\r\n\0\r\nQUIT\n', 'RFC 9112 2.2'],
  [
    'bad-version',
    'a PROXY line',
    `PROXY TCP4 10.0.0.1 10.0.0.2 1 80\r\n${get()}`,
    'the address of another client',
  ],
  ['method-too-long', 'a method of 33 letters', line(`${'M'.repeat(33)} /a HTTP/1.1`), 'RFC 9112 3'],
  ['bad-target', 'two spaces before the target', line('GET  /a HTTP/1.1'), 'RFC 9112 3'],
  ['bad-version', 'two spaces before the version', line('GET /a  HTTP/1.1'), 'RFC 9112 3'],
  ['bad-version', 'HTTP/0.9', 'GET /a\r\n', 'RFC 9112 3: the next line is another request, or a field'],
  ['bad-version', 'HTTP/0.9 with fields', head('GET /a', HOST), 'RFC 9112 3'],
  ['unsupported-version', 'HTTP/0.9 by name', line('GET /a HTTP/0.9'), 'RFC 9110 15.6.6'],
  ['bad-version', 'HTTP/1.10', line('GET /a HTTP/1.10'), 'RFC 9112 2.3: 1.1, 1.10, or 1.0'],
  ['bad-version', 'HTTP/1.01', line('GET /a HTTP/1.01'), 'RFC 9112 2.3'],
  ['bad-version', 'HTTP/01.1', line('GET /a HTTP/01.1'), 'RFC 9112 2.3'],
  ['bad-version', 'HTTP/1', line('GET /a HTTP/1'), 'RFC 9112 2.3'],
  ['bad-version', 'HTTP/+1.1', line('GET /a HTTP/+1.1'), 'RFC 9112 2.3'],
  ['bad-version', 'HTTP/1.1 and a tab', line('GET /a HTTP/1.1\t'), 'RFC 9112 3'],
  ['bad-version', 'HTTP/1.1 and NUL', line('GET /a HTTP/1.1\0'), 'RFC 9112 3'],
  ['bad-version', 'http/1.1', line('GET /a http/1.1'), 'RFC 9112 2.3'],
  ['bad-version', 'HTTP / 1.1', line('GET /a HTTP / 1.1'), 'RFC 9112 2.3'],
  ['unsupported-version', 'HTTP/2.0', line('GET /a HTTP/2.0'), 'RFC 9110 15.6.6'],
  ['unsupported-version', 'the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'RFC 9113 3.4'],
  [
    'unsupported-version',
    'the preface, then a request for its frames',
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SMUGGLED}`,
    'RFC 9113 3.4',
  ],
] as const) {
  methods.refused(error, name, message, why)
}
methods.served('HTTP/1.2', line('GET /a HTTP/1.2'), 'RFC 9110 2.5: served as 1.1')
methods.served(
  'a method in small letters',
  line('get /a HTTP/1.1'),
  'RFC 9110 9.1: another method, which may have content',
)
methods.served(
  'a method that ends in another',
  line('XGET /a HTTP/1.1'),
  'RFC 9110 9.1: the rest of a body before it',
)

export const TARGETS: readonly Family[] = [hosts, absolute, targets, methods]
