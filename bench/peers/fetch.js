// The work as a handler of the Fetch API: for Ringlet, Bun, Deno and workerd, unchanged.
import { answer, typeOf } from './work.js'

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const pathOf = (url) => url.slice(url.indexOf('/', 8))

export async function handle(request) {
  const path = pathOf(request.url)
  if (path === '/') return Response.json({ hello: 'world' })
  const body = request.method === 'POST' ? await request.text() : undefined
  return new Response(await answer(path, body, later), { headers: { 'content-type': typeOf(path) } })
}

export default { fetch: handle }
