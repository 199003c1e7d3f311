/** One request to each route of the app and one to none, each with what must be answered. */
import { CASES as HTTP_CASES } from '../http/work.mjs'

const [, order] = HTTP_CASES
const AGENT = 'ringlet-bench/1'
const json = (value) => ({ text: JSON.stringify(value), type: 'application/json' })
const signedIn = { authorization: 'Bearer open-sesame' }

const get = (name, path, answer, headers = {}) => ({
  name,
  method: 'GET',
  path,
  headers: { 'user-agent': AGENT, ...headers },
  status: 200,
  ...answer,
})

export const REQUESTS = [
  get('json', '/', json({ hello: 'world' })),
  get('text', '/health', { text: 'ok', type: 'text/plain;charset=utf-8' }),
  get('param', '/users/42', json({ id: '42' })),
  get('params', '/posts/7/comments/abc%20d', json({ post: '7', comment: 'abc d' })),
  get('query', '/search?q=ring+buffer&page=3', json({ q: 'ring buffer', page: 3 })),
  get('header', '/agent', { ...json({ agent: AGENT }), fields: { 'cache-control': 'no-store' } }),
  get('html', '/page', {
    text: '<!doctype html><title>Hello</title><p>&lt;Ada&gt; &amp; &quot;Grace&quot;</p>',
    type: 'text/html;charset=utf-8',
  }),
  {
    ...get('body', '/orders', { ...json(JSON.parse(order.answer)), status: 201 }),
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: order.body,
  },
  get('middleware', '/api/me', { ...json({ user: 'ada' }), fields: { 'x-service': 'orders' } }, signedIn),
  {
    ...get('no content', '/api/orders/9', { text: '', type: null, status: 204 }, signedIn),
    method: 'DELETE',
    fields: { 'x-service': 'orders' },
  },
  get('not found', '/nowhere', { ...json({ missing: '/nowhere' }), status: 404 }),
]

/** One request and its answer, checked: a wrong answer must not be timed. */
export async function checkAnswer(
  port,
  { name, method, path, headers, body, status, text, type, fields = {} },
) {
  const init = { method, headers: { ...headers, connection: 'close' }, body }
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
  const expected = { status, text, type, ...fields }
  const given = { status: response.status, text: await response.text() }
  // Servers differ in the blank and in the case of the charset.
  given.type = response.headers.get('content-type')?.toLowerCase().replace('; ', ';') ?? null
  for (const field of Object.keys(fields)) given[field] = response.headers.get(field)
  if (JSON.stringify(given) !== JSON.stringify(expected)) {
    throw new Error(`${name}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(given)}`)
  }
}
