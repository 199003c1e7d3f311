import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { answer } from '../work.js'
import { listening } from './node.mjs'

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const app = new Hono()
app.get('/', (c) => c.json({ hello: 'world' }))
app.get('/page', (c) => c.html(answer('/page')))
app.get('/compute', (c) => c.body(answer('/compute'), 200, { 'content-type': 'application/json' }))
app.get('/later', async (c) =>
  c.body(await answer('/later', '', later), 200, { 'content-type': 'application/json' }),
)
app.post('/order', async (c) => {
  const { order, customer, items } = await c.req.json()
  return c.json({ order, name: customer.name, items: items.length })
})
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => listening(port))
