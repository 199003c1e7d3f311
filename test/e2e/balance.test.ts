// Idle connections leave a shard that one client keeps busy, through the whole server.

import { expect, test } from 'vitest'
import { type LogLine, type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ringlet.test\r\n\r\n`

const FUNCTIONS = [
  {
    name: 'quiet',
    routes: ['/quiet'],
    code: 'export default (request) => Response.text(new URL(request.url).search)',
  },
  {
    name: 'busy',
    routes: ['/busy'],
    code: 'export default () => { const end = Date.now() + 30; while (Date.now() < end) {} return Response.text("busy") }',
    limits: { cpuMs: 5000 },
  },
]

/** The shard that served a request, by its access line. */
const shardOf = (line: LogLine) => Number(String(line['requestId']).split('-')[0])
const access = (server: RunningServer, name: string) =>
  server.logs().filter((line) => line['name'] === 'access' && line['function'] === name)

test('the neighbours of a busy client go to the other shard, every request answered once and in order', async () => {
  await using server = await startServer({
    args: ['--cores', '2', '--access-log', 'on'],
    config: { functions: FUNCTIONS, balance: { stayMs: 600_000 } },
  })
  // Connections are dealt out in turn: every other one is the busy client's shard's.
  const busy = await Wire.connect(server.port)
  const wires = await Promise.all(Array.from({ length: 7 }, () => Wire.connect(server.port)))
  let isOver = false
  const burning = (async () => {
    while (!isOver) {
      await busy.send(get('/busy'))
      expect((await busy.read()).status).toBe(200)
    }
  })()
  try {
    let count = 0
    const isApart = () => {
      const busyShards = access(server, 'busy').slice(-3).map(shardOf)
      const quietShards = access(server, 'quiet').slice(-14).map(shardOf)
      const all = [...busyShards, ...quietShards]
      return all.length === 17 && quietShards.every((shard) => shard !== busyShards[0])
    }
    while (!isApart()) {
      for (const wire of wires) {
        await wire.send(get(`/quiet?${count}`))
        expect((await wire.read()).body.toString()).toBe(`?${count++}`)
      }
    }
    // It was not so from the start: some were served where the busy one is.
    const shards = new Set(access(server, 'quiet').map(shardOf))
    expect(shards.size).toBe(2)
    expect(new Set(access(server, 'busy').map(shardOf)).size).toBe(1)
  } finally {
    isOver = true
    await burning
    for (const wire of [busy, ...wires]) wire[Symbol.dispose]()
  }
})
