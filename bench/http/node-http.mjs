/** The peer without a sandbox: node:http doing the same work as handler.js. */
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  if (request.method !== 'POST') return answer(response, { hello: 'world' })
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => {
    const { order, customer, items } = JSON.parse(Buffer.concat(parts).toString())
    answer(response, { order, name: customer.name, items: items.length })
  })
})

function answer(response, value) {
  const text = JSON.stringify(value)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ msg: 'listening', port: server.address().port }))
})
process.on('SIGTERM', () => process.exit(0))
