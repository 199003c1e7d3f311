import { fileURLToPath } from 'node:url'
import { startServer } from '../lib/server.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const HANDLER = fileURLToPath(new URL('./handler.js', import.meta.url))
const NODE_HTTP = fileURLToPath(new URL('./node-http.mjs', import.meta.url))

/** Ringlet with so many cores, as it is when installed: defaults, no access lines. */
export function ringlet(cores, { cache = 'on' } = {}) {
  const args = ['--cores', `${cores}`, '--port', '0', '--host', '127.0.0.1', '--access-log', 'off']
  args.push('--cache', cache, HANDLER)
  return {
    name: `ringlet ${cores} core${cores === 1 ? '' : 's'}${cache === 'on' ? '' : ', no cache'}`,
    start: () => startServer(MAIN, args, HERE),
  }
}

/** What everything is compared with. */
export const nodeHttp = { name: 'node:http', start: () => startServer(NODE_HTTP, [], HERE) }

/** Each peer's name with what its `start` gives. */
export async function startAll(peers) {
  const started = []
  for (const { name, start } of peers) started.push({ name, ...(await start()) })
  return started
}

/** One request and its answer, checked: a wrong answer must not be timed. */
export async function checkAnswer(port, work) {
  const init = work.body === undefined ? {} : { method: 'POST', body: work.body }
  // The connection is this request's only, whatever the fields of the work say.
  const headers = new Headers(work.headers)
  headers.set('content-type', 'application/json')
  headers.set('connection', 'close')
  const response = await fetch(`http://127.0.0.1:${port}${work.path}`, { ...init, headers })
  const text = await response.text()
  if (response.status !== 200 || text !== work.answer) {
    throw new Error(`${work.name}: expected ${work.answer}, got ${response.status} ${text.slice(0, 200)}`)
  }
}
