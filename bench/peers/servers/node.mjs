// What the peers on node:http share: a request's body is read whole, then answered by a function of path and text.
import { createServer } from 'node:http'
import { typeOf } from '../work.js'

export function listening(port) {
  console.log(JSON.stringify({ msg: 'listening', port }))
  process.on('SIGTERM', () => process.exit(0))
}

/** `answer(path, body)`: the text, or a promise of it. */
export function serve(answer) {
  const server = createServer((request, response) => {
    if (request.method !== 'POST') return void reply(response, request.url, answer(request.url, undefined))
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () =>
      reply(response, request.url, answer(request.url, Buffer.concat(parts).toString())),
    )
  })
  server.listen(0, '127.0.0.1', () => listening(server.address().port))
}

async function reply(response, path, answered) {
  try {
    const text = typeof answered === 'string' ? answered : await answered
    response.writeHead(200, { 'content-type': typeOf(path), 'content-length': Buffer.byteLength(text) })
    response.end(text)
  } catch (error) {
    response.writeHead(500)
    response.end(String(error))
  }
}
