import { handle } from '../fetch.js'

Deno.serve(
  {
    port: 0,
    hostname: '127.0.0.1',
    onListen: ({ port }) => console.log(JSON.stringify({ msg: 'listening', port })),
  },
  handle,
)
Deno.addSignalListener('SIGTERM', () => Deno.exit(0))
