// sirv on node:http, as its README has it for production: the folder is read once, at the start.
import { createServer } from 'node:http'
import sirv from 'sirv'

const serve = sirv(process.argv[2], { etag: true })
const server = createServer((request, response) => serve(request, response))
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ msg: 'listening', port: server.address().port }))
})
