// Handlers that wait for others: by default a shard lets as many of one function wait at once as the function may have in flight.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Gate } from '../support/gate.ts'
import { type RunningServer, startServer } from '../support/server.ts'

/** The default of limits.concurrency and of pool.maxPerFunction. */
const CONCURRENCY = 64

const HANDLER = `export default async (request) => {
  const { pathname } = new URL(request.url)
  if (pathname !== '/plain') await fetch(GATE)
  return Response.text(pathname)
}`

let gate: Gate
let server: RunningServer

beforeAll(async () => {
  gate = await Gate.open()
  const waits = HANDLER.replace('GATE', JSON.stringify(gate.url))
  server = await startServer({
    handlerFiles: { 'waits.ts': waits, 'plain.ts': HANDLER },
    config: {
      cores: 1,
      // The default of a second is not enough on a machine that is busy: a runtime is opened for each, one after another.
      pool: { queueMs: 60_000 },
      functions: [
        { name: 'waits', file: 'waits.ts', routes: ['/*'], fetch: { allow: [gate.origin] } },
        { name: 'plain', file: 'plain.ts', routes: ['/plain'] },
      ],
    },
  })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  gate?.[Symbol.dispose]()
})

const ask = async (path: string) => {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`)
  return { status: answer.status, text: await answer.text() }
}

test('as many requests of a function wait side by side as it may have in flight, each in a runtime of its own', async () => {
  const asked = Array.from({ length: CONCURRENCY }, (_, index) => ask(`/${index}`))
  await gate.waiting(CONCURRENCY)
  // Nobody else waits for them.
  expect(await ask('/plain')).toEqual({ status: 200, text: '/plain' })
  gate.release()
  const answers = await Promise.all(asked)
  expect(answers).toEqual(asked.map((_, index) => ({ status: 200, text: `/${index}` })))
})
