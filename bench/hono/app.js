// Ten routes as a small service has them, and an answer for everything else: for Ringlet, workerd and Node.js, unchanged.
import { Hono } from 'hono'
import { html } from 'hono/html'

const app = new Hono()

app.use('/api/*', async (c, next) => {
  if (c.req.header('authorization') !== 'Bearer open-sesame') return c.json({ error: 'who are you?' }, 401)
  c.set('user', 'ada')
  await next()
  c.header('x-service', 'orders')
})

app.get('/', (c) => c.json({ hello: 'world' }))
app.get('/health', (c) => c.text('ok'))
app.get('/users/:id', (c) => c.json({ id: c.req.param('id') }))
app.get('/posts/:post/comments/:comment', (c) => {
  const { post, comment } = c.req.param()
  return c.json({ post, comment })
})
app.get('/search', (c) => c.json({ q: c.req.query('q'), page: Number(c.req.query('page')) }))
app.get('/agent', (c) => c.json({ agent: c.req.header('user-agent') }, 200, { 'cache-control': 'no-store' }))
app.get('/page', (c) => c.html(html`<!doctype html><title>Hello</title><p>${'<Ada> & "Grace"'}</p>`))
app.post('/orders', async (c) => {
  const { order, customer, items } = await c.req.json()
  return c.json({ order, name: customer.name, items: items.length }, 201)
})
app.get('/api/me', (c) => c.json({ user: c.get('user') }))
app.delete('/api/orders/:id', (c) => c.body(null, 204))
app.notFound((c) => c.json({ missing: c.req.path }, 404))

export default app
