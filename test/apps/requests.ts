import { createHmac } from 'node:crypto'

/** What each app is asked, and what must be in its answer. */
export interface AppRequest {
  readonly path: string
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Where they are not the test's default: status 200. */
  readonly status?: number
  /** A part of the body, or a pattern for all of it. */
  readonly answer: string | RegExp
}

const json = (body: unknown) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})
const order = {
  id: 7,
  mail: 'ada@ringlet.test',
  at: '2026-01-02T03:04:05Z',
  items: [{ sku: 'ABC-1' }],
  kind: { type: 'sale', price: '9.50' },
}
/** A form as a browser sends it: a text, a file whose name looks like parameters, a name twice. */
const UPLOAD = [
  ['name="note"', 'two\r\nlines'],
  ['name="file"; filename="a; name=%22b%22.txt"\r\nContent-Type: text/css', 'p { }\r\n'],
  ['name="n"', '1'],
  ['name="n"', '2'],
]
  .map(
    ([parameters, content]) =>
      `--edge\r\nContent-Disposition: form-data; ${parameters}\r\n\r\n${content}\r\n`,
  )
  .concat('--edge--\r\n')
  .join('')
const TOKEN = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjQxMDI0NDQ4MDB9'

const SIGNATURE = createHmac('sha256', 'a secret of the test').update(TOKEN).digest('base64url')

export const APPS: Readonly<Record<string, readonly AppRequest[]>> = {
  'hono.tsx': [
    { path: '/', answer: /^hello$/ },
    { path: '/users/42?q=a&q=b', answer: '{"id":"42","q":["a","b"]}' },
    { path: '/users/x', status: 404, answer: '{"missing":"/users/x"}' },
    { path: '/files/a/b%20c', answer: '/files/a/b' },
    { path: '/api/echo', ...json({ a: ['ü'] }), status: 201, answer: '{"body":{"a":["ü"]}' },
    {
      path: '/api/echo',
      method: 'OPTIONS',
      headers: { origin: 'https://ringlet.test', 'access-control-request-method': 'POST' },
      status: 204,
      answer: /^$/,
    },
    {
      path: '/form',
      method: 'POST',
      body: 'a=1&b=x+y',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      answer: '{"a":"1","b":"x y"}',
    },
    {
      path: '/upload',
      method: 'POST',
      body: UPLOAD,
      headers: { 'content-type': 'multipart/form-data; boundary=edge' },
      answer:
        '{"note":"two\\r\\nlines","file":["a; name=\\"b\\".txt","text/css",7,"p { }\\r\\n"],"all":["1","2"]}',
    },
    {
      path: '/page',
      answer: '<html lang="en"><body class="a"><li>&lt;one&gt;</li><li>two</li></body></html>',
    },
    { path: '/cookies', headers: { cookie: 'x=1; y=%20z' }, answer: '{"x":"1","y":" z"}' },
    { path: '/secure', answer: /^secure$/ },
    { path: '/stream', answer: /^one two three$/ },
    { path: '/events', answer: 'event: tick\ndata: n 2\nid: 2' },
    { path: '/redirect', status: 303, answer: /^$/ },
    { path: '/error', status: 418, answer: /^a teapot$/ },
    { path: '/nowhere', status: 404, answer: '{"missing":"/nowhere"}' },
  ],
  'hono-auth.ts': [
    { path: '/set', answer: 'set' },
    { path: '/signed', headers: { cookie: 'signed=value.forged' }, answer: '{' },
    { path: '/token', answer: new RegExp(`^${TOKEN.split('.')[0]}\\.`) },
    { path: '/private/me', status: 401, answer: /^Unauthorized$/ },
    {
      path: '/private/me',
      headers: { authorization: `Bearer ${TOKEN}.AAAA` },
      status: 401,
      answer: 'Unauthorized',
    },
    {
      path: '/private/me',
      headers: { authorization: `Bearer ${TOKEN}.${SIGNATURE}` },
      answer: '{"sub":"ada","exp":4102444800}',
    },
    { path: '/basic', status: 401, answer: /^Unauthorized$/ },
    { path: '/basic', headers: { authorization: `Basic ${btoa('ada:lovelace')}` }, answer: /^ada$/ },
    { path: '/bearer', headers: { authorization: 'Bearer nothing' }, status: 401, answer: /^Unauthorized$/ },
    { path: '/bearer', headers: { authorization: 'Bearer a-token' }, answer: /^bearer$/ },
    { path: '/etag', answer: /^tagged$/ },
  ],
  'itty-router.ts': [
    { path: '/hello/Ada', answer: 'Hello, Ada!' },
    { path: '/json?a=1&a=2&b=', answer: '{"query":{"a":["1","2"],"b":""}}' },
    { path: '/echo', ...json({ n: 1 }), answer: '{"got":{"n":1}}' },
    { path: '/greedy/a/b/c', answer: '{"path":"a/b/c"}' },
    { path: '/refused', status: 403, answer: 'not you' },
    { path: '/thrown', status: 409, answer: '"why":"taken"' },
    { path: '/nowhere', status: 404, answer: '"status":404' },
  ],
  'zod.ts': [
    { path: '/', ...json(order), answer: '"price":9.5}' },
    { path: '/', ...json({ ...order, id: 13 }), status: 422, answer: 'unlucky' },
    {
      path: '/',
      ...json({ ...order, mail: 'x', items: [{ sku: 'a', count: 11 }] }),
      status: 422,
      answer: 'Invalid email',
    },
    { path: '/', ...json({ ...order, kind: { type: 'loan' } }), status: 422, answer: 'kind' },
  ],
  'jose.ts': [
    { path: '/hs256', answer: /^"eyJhbGciOiJIUzI1NiJ9\./ },
    { path: '/verify', answer: '{"a":1,"aud":"x"}' },
    { path: '/expired', answer: '{"code":"ERR_JWT_EXPIRED","claim":"exp"}' },
    { path: '/tampered', answer: '"ERR_JWS_SIGNATURE_VERIFICATION_FAILED"' },
    { path: '/es256', answer: '"protectedHeader":{"alg":"ES256"}' },
    { path: '/eddsa', answer: '"protectedHeader":{"alg":"EdDSA"}' },
    { path: '/rs256', answer: '"protectedHeader":{"alg":"RS256"}' },
    { path: '/agreed', answer: '{"c":3}' },
    { path: '/key-set', answer: '["a","ERR_JWKS_NO_MATCHING_KEY"]' },
    { path: '/pem', answer: '[true,true,"ada"]' },
    { path: '/jwe', answer: '{"b":2}' },
    { path: '/thumbprint', answer: /^"[\w-]{43}"$/ },
  ],
  'marked.ts': [
    {
      path: '/',
      method: 'POST',
      body: '# Title\n\n* a\n* **b** [c](https://d.test)\n\n| x | y |\n|---|:-:|\n| 1 | `2` |\n',
      answer: '<td align="center"><code>2</code></td>',
    },
    {
      path: '/',
      method: 'POST',
      body: '```js\nlet a = "<b>"\n```\n\n> quoted\n\n1. one\n2. ~~two~~\n',
      answer: '<del>two</del>',
    },
  ],
  'preact.tsx': [
    {
      path: '/?item=a%26b&item=c',
      answer: '<li class="dark" data-length="3" style="color:red;margin-top:4px;">A&amp;B</li>',
    },
    { path: '/', answer: '<ul><p><b>none</b></p></ul>' },
  ],
  'nanoid.ts': [
    { path: '/', answer: '{"distinct":200,"lengths":[21],"alphabet":true,"custom":true,"seeded":"' },
  ],
  'date-fns.ts': [
    {
      path: '/',
      ...json({ from: '2026-03-01T10:20:30.456Z', to: '2026-12-24T00:00:00Z' }),
      answer: '"german":"Sonntag, 1. März 2026"',
    },
    {
      path: '/',
      ...json({ from: '2024-02-29T00:00:00Z', to: '2024-02-29T00:00:40Z' }),
      answer: '"parsed":"2024-02-29T00:00:00.000Z"',
    },
  ],
  'graphql.ts': [
    {
      path: '/',
      ...json({ query: '{ books(least: 100) { id title pages } }' }),
      answer: '{"data":{"books":[{"id":1,"title":"Rings","pages":120}]}}',
    },
    {
      path: '/',
      ...json({ query: 'query A($n: Int) { books(least: $n) { title } fails }', variables: { n: 1 } }),
      answer: '"code":"MEANT"',
    },
    { path: '/', ...json({ query: '{ nothing }' }), answer: 'Cannot query field' },
    {
      path: '/?query=%7B__schema%7BqueryType%7Bname%7D%7D%7D',
      headers: { accept: 'application/json' },
      answer: '{"data":{"__schema":{"queryType":{"name":"Query"}}}}',
    },
  ],
  'templates.ts': [{ path: '/?name=%3Ca%3E&name=b', answer: /^<li>&lt;a&gt;<\/li><li>b<\/li>6$/ }],
}
