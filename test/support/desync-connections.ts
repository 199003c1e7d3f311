// Fields that speak to the next hop: expectations, upgrades, tunnels, options of the connection.

import { Family, get, HOST, head, line, post, SMUGGLED } from './desync-entry.ts'

const expectations = new Family('Expect')
const length = 'Content-Length: 5'
for (const [error, name, value, why] of [
  ['unknown-expectation', 'a word before it', ' y 100-continue', 'Expect tricks (Kettle 2025)'],
  ['unknown-expectation', 'a list', ' 100-continue, 100-continue', 'RFC 9110 10.1.1'],
  ['unknown-expectation', 'a parameter', ' 100-continue;x=y', 'RFC 9110 10.1.1'],
  ['unknown-expectation', 'nothing', '', 'RFC 9110 10.1.1'],
  ['unknown-expectation', 'a no-break space behind it', ' 100-continue\xa0', 'RFC 9110 10.1.1'],
  ['unknown-expectation', 'another', ' 200-ok', 'RFC 9110 10.1.1'],
  ['bad-field-value', 'NUL behind it', ' 100-continue\0', 'RFC 9110 5.5'],
  ['obs-fold', 'on the next line', '\r\n 100-continue', 'RFC 9112 5.2; CVE-2025-32094'],
] as const) {
  expectations.refused(error, name, post('hello', `Expect:${value}`, length), why)
}
expectations.refused(
  'obs-fold',
  'on the next line of OPTIONS',
  `${line('OPTIONS /a HTTP/1.1', 'Expect:\r\n 100-continue', length)}hello`,
  'CVE-2025-32094',
)
expectations.refused(
  'body-too-large',
  'for more than the limit',
  post('', 'Expect: 100-continue', 'Content-Length: 1000000000'),
  'RFC 9110 10.1.1: a final status, and what follows is content or not',
)
for (const [name, message, one] of [
  ['with the content behind it', post('hello', 'Expect: 100-continue', length), { body: 'hello' }],
  ['of GET with content', `${get('Expect: 100-continue', length)}hello`, { body: 'hello' }],
  ['of GET without content', get('Expect: 100-continue'), {}],
  ['with a length of zero', post('', 'Expect: 100-continue', 'Content-Length: 0'), {}],
  ['in small letters', post('hello', 'expect: 100-Continue', length), { body: 'hello' }],
  [
    'of chunked content',
    post('5\r\nhello\r\n0\r\n\r\n', 'Expect: 100-continue', 'Transfer-Encoding: chunked'),
    { body: 'hello' },
  ],
  ['in two fields', post('hello', 'Expect: 100-continue', 'Expect: 100-continue', length), { body: 'hello' }],
] as const) {
  expectations.served(
    name,
    message,
    'RFC 9110 10.1.1; 0.CL by Expect (Kettle 2025): the content is read once',
    one,
  )
}
expectations.served(
  'in HTTP/1.0',
  `${head('POST /a HTTP/1.0', HOST, 'Expect: 100-continue', length)}hello`,
  'RFC 9110 10.1.1: ignored',
  { body: 'hello', closes: true },
)

const upgrades = new Family('upgrades and tunnels')
const SETTINGS = 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'
for (const [name, fields] of [
  ['h2c', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', SETTINGS]],
  ['h2c without its option', ['Connection: HTTP2-Settings', 'Upgrade: h2c', SETTINGS]],
  [
    'websocket',
    [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ],
  ],
  ['websocket of no version', ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 777']],
  ['TLS', ['Connection: Upgrade', 'Upgrade: TLS/1.3']],
  ['a list', ['Connection: Upgrade', 'Upgrade: h2c, websocket']],
] as const) {
  upgrades.served(
    name,
    get(...fields),
    'h2c smuggling (Miller 2020), websocket smuggling (2019): no 101, no tunnel',
  )
}
upgrades.served(
  'websocket with content',
  post(SMUGGLED, 'Connection: Upgrade', 'Upgrade: websocket', `Content-Length: ${SMUGGLED.length}`),
  'RFC 9110 7.8: content is content of the request',
  { body: SMUGGLED },
)
const NO_TUNNEL = 'RFC 9110 9.3.6: after a 2xx all bytes would be the tunnel’s'
const PORT = 'ringlet.test:443'
for (const [name, message] of [
  ['CONNECT', line(`CONNECT ${PORT} HTTP/1.1`)],
  ['CONNECT in HTTP/1.0', line(`CONNECT ${PORT} HTTP/1.0`, 'Connection: keep-alive')],
  ['CONNECT that asks to go on', line(`CONNECT ${PORT} HTTP/1.1`, 'Connection: keep-alive')],
  ['CONNECT with content', `${line(`CONNECT ${PORT} HTTP/1.1`, length)}hello`],
  ['CONNECT with chunks', `${line(`CONNECT ${PORT} HTTP/1.1`, 'Transfer-Encoding: chunked')}0\r\n\r\n`],
] as const) {
  upgrades.refused('connect-not-implemented', name, message, NO_TUNNEL)
}
for (const [error, name, message] of [
  ['bad-target', 'CONNECT to no port', line('CONNECT ringlet.test HTTP/1.1')],
  ['bad-target', 'CONNECT to an empty port', line('CONNECT ringlet.test: HTTP/1.1')],
  ['bad-target', 'CONNECT to a path', line('CONNECT /a HTTP/1.1')],
  ['bad-target', 'CONNECT to a URL', line('CONNECT http://ringlet.test:443/ HTTP/1.1')],
  ['bad-target', 'GET to an authority', line('GET ringlet.test:443 HTTP/1.1')],
] as const) {
  upgrades.refused(error, name, message, NO_TUNNEL)
}

const options = new Family('options of the connection')
const HOP = 'hop-by-hop abuse (Davison 2019)'
options.served(
  'close, and the length nominated',
  post('hello', 'Connection: close, Content-Length', length),
  HOP,
  {
    body: 'hello',
    closes: true,
  },
)
options.served('the length nominated', post('hello', 'Connection: Content-Length', length), HOP, {
  body: 'hello',
})
options.served(
  'the coding nominated',
  post('5\r\nhello\r\n0\r\n\r\n', 'Connection: Transfer-Encoding', 'Transfer-Encoding: chunked'),
  HOP,
  { body: 'hello' },
)
options.served('Host nominated', get('Connection: Host'), HOP, { headers: { host: 'ringlet.test' } })
options.served('a field nominated', get('Connection: X-Real, keep-alive', 'X-Real: 1'), HOP, {
  headers: { 'x-real': '1' },
})
for (const [name, fields] of [
  ['close', ['Connection: close']],
  ['close and keep-alive', ['Connection: close, keep-alive']],
  ['keep-alive, then close', ['Connection: keep-alive', 'Connection: close']],
  ['close within a list of empty elements', ['Connection: ,, close ,,']],
] as const) {
  options.served(name, get(...fields), 'RFC 9112 9.6: no further request is served', { closes: true })
}
for (const [name, fields] of [
  ['close in quotes', ['Connection: "close"']],
  ['close as a part of a word', ['Connection: closed, xclose']],
  ['Proxy-Connection: close', ['Proxy-Connection: close']],
  ['Keep-Alive: timeout=0', ['Connection: keep-alive', 'Keep-Alive: timeout=0, max=0']],
  ['empty', ['Connection:']],
] as const) {
  options.served(name, get(...fields), 'RFC 9110 7.6.1: only the option itself closes')
}
options.served('HTTP/1.0', head('GET /a HTTP/1.0', HOST), 'RFC 9112 9.3: closes unless asked not to', {
  closes: true,
})
options.served(
  'HTTP/1.0 and keep-alive',
  head('GET /a HTTP/1.0', HOST, 'Connection: keep-alive'),
  'RFC 9112 9.3',
)

export const CONNECTIONS: readonly Family[] = [expectations, upgrades, options]
