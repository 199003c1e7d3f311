import { handle } from '../fetch.js'

const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: handle })
console.log(JSON.stringify({ msg: 'listening', port: server.port }))
process.on('SIGTERM', () => process.exit(0))
