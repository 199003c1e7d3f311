import fastify from 'fastify'
import { answer, typeOf } from '../work.js'
import { listening } from './node.mjs'

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const app = fastify()
app.get('/', async () => ({ hello: 'world' }))
for (const path of ['/compute', '/page', '/later']) {
  app.get(path, async (_request, reply) =>
    reply.type(typeOf(path)).send(await answer(path, undefined, later)),
  )
}
// Parsed by fastify, as its users do it.
app.post('/order', async ({ body: { order, customer, items } }) => ({
  order,
  name: customer.name,
  items: items.length,
}))
await app.listen({ port: 0, host: '127.0.0.1' })
listening(app.server.address().port)
