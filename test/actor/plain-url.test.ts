import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PlainUrls } from '../../src/actor/plain-url.ts'

/** As the parser gives it: somewhere in a ring, with other bytes around. */
function headOf(target: string, fields: string, version = '1.1') {
  const before = 'of another request\r\n'
  const text = `GET ${target} HTTP/${version}\r\n${fields}\r\n`
  const bytes = Buffer.from(`${before}${text}POST / HTTP/1.1\r\nHost: other\r\n\r\n`, 'latin1')
  const start = before.length
  const targetStart = start + 4
  return {
    bytes,
    start,
    end: start + text.length,
    functionIndex: 0,
    methodEnd: start + 3,
    targetStart,
    targetEnd: targetStart + target.length,
    isHead: false,
    keepAlive: true,
    saysKeepAlive: false,
    allowsChunks: true,
  }
}

test.each([
  ['/', 'localhost'],
  ['/', 'example.test:8080'],
  ['/a/b.c?d=e%20f&g=/h', '127.0.0.1:65535'],
  ['/~a/%41:@!$&()*+,;=', 'a-b.c_d.example.test:1'],
])('%s at %s is a URL as it is', (target, host) => {
  const urls = new PlainUrls()
  for (const name of ['Host', 'host', 'HOST']) {
    expect(urls.has(headOf(target, `${name}: ${host}\r\nX: y\r\n`))).toBe(true)
    expect(urls.has(headOf(target, `${name}: ${host}\r\n`, '1.0'))).toBe(true)
  }
  expect(new URL(`http://${host}${target}`).href).toBe(`http://${host}${target}`)
})

test.each([
  ['no Host', '/', 'X: y\r\n'],
  ['a Host that is not the first field', '/', 'X: y\r\nHost: a\r\n'],
  ['an empty Host', '/', 'Host: \r\n'],
  ['other white space', '/', 'Host:a\r\n'],
  ['more white space', '/', 'Host:  a\r\n'],
  ['white space behind it', '/', 'Host: a \r\n'],
  ['another name of that length', '/', 'Hose: a\r\n'],
  ['upper case', '/', 'Host: A\r\n'],
  ['the default port', '/', 'Host: a:80\r\n'],
  ['a port too great', '/', 'Host: a:65536\r\n'],
  ['an address with another form', '/', 'Host: 127.1\r\n'],
  ['an IPv6 address', '/', 'Host: [::1]\r\n'],
  ['a name that may be Punycode', '/', 'Host: xn--a\r\n'],
  ['a very long Host', '/', `Host: ${'a'.repeat(256)}\r\n`],
  ['a dot segment', '/a/../b', 'Host: a\r\n'],
  ['an encoded dot segment', '/a/%2e', 'Host: a\r\n'],
  ['a character that is encoded', '/a|"', 'Host: a\r\n'],
  ['a byte beyond ASCII', '/\xe4', 'Host: a\r\n'],
  ['a target that is a URL', 'http://a/', 'Host: a\r\n'],
  ['a target for the server', '*', 'Host: a\r\n'],
])('not with %s', (_, target, fields) => {
  expect(new PlainUrls().has(headOf(target, fields))).toBe(false)
})

test('a Host after another is looked at anew: one that it begins with, or that begins with it', () => {
  const urls = new PlainUrls()
  const hosts = [
    'a',
    'ab',
    'a',
    'A',
    'aB',
    'a:80',
    'a:8',
    'a:80',
    'a:800',
    'a',
    'x'.repeat(255),
    'x'.repeat(256),
  ]
  const answers = hosts.map((host) => urls.has(headOf('/', `Host: ${host}\r\n`)))
  expect(answers).toEqual([true, true, true, false, false, false, true, false, true, true, true, false])
})

test('what is said to be a URL as it is, the URL parser gives back', () => {
  const label = fc.string({ unit: fc.constantFrom(...'abx-_019'), maxLength: 5 })
  const octet = fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.constantFrom('00', '01', '0x1', ''))
  const name = fc.oneof(
    fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
    fc.array(octet, { minLength: 3, maxLength: 5 }).map((octets) => octets.join('.')),
    fc.constantFrom('xn--a', 'a.xn--bcher-kva', 'A', 'a.', '1.2.3.4.', 'example.test'),
  )
  const port = fc.oneof(
    fc.constant(''),
    fc.integer({ min: 0, max: 70_000 }).map((number) => `:${number}`),
    fc.constantFrom(':', ':80', ':443', ':080', ':a'),
  )
  const piece = fc.oneof(
    fc.constantFrom('/', '.', '..', '%2e', '%2E', '%', 'a', '?', '&', '=', ':', '@'),
    fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  )
  const path = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`.replaceAll('#', ''))
  const urls = new PlainUrls()
  let plain = 0
  fc.assert(
    fc.property(name, port, path, (host, suffix, target) => {
      if (!urls.has(headOf(target, `Host: ${host}${suffix}\r\n`))) return
      plain++
      expect(new URL(`http://${host}${suffix}${target}`).href).toBe(`http://${host}${suffix}${target}`)
    }),
    { numRuns: 5000 },
  )
  expect(plain).toBeGreaterThan(100)
})
