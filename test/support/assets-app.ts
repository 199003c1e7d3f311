// An application as one writes it for Cloudflare Workers: routes, else files.
import { Hono } from 'hono'

const app = new Hono<{ Bindings: { ASSETS: { fetch: typeof fetch }; NAME: string } }>()
app.use('/private/*', async (c, next) => {
  if (c.req.header('authorization') !== 'yes') return c.text('no', 401)
  await next()
  c.header('x-private', 'yes')
  return undefined
})
app.get('/api/hello', (c) => c.json({ hello: c.env.NAME }))
app.get('/changed', async (c) => {
  const page = await c.env.ASSETS.fetch(new URL('/page.html', c.req.url))
  const headers = new Headers(page.headers)
  headers.set('x-changed', page.headers.get('content-type')!)
  return new Response((await page.text()).toUpperCase(), { status: 203, headers })
})
app.get('/slice', async (c) => {
  const part = await c.env.ASSETS.fetch('http://any.where/digits.txt', { headers: { range: 'bytes=2-4' } })
  return c.text([part.status, part.statusText, part.ok, part.url, part.redirected, await part.text()].join())
})
app.get('/lost', async (c) => {
  const lost = await c.env.ASSETS.fetch(new URL('/nothing/here', c.req.url))
  return lost.status === 404 ? c.html('<h1>lost</h1>', 404) : lost
})
app.all('*', (c) => c.env.ASSETS.fetch(c.req.raw))
export default app
