import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningServer, startServer } from '../support/server.ts'

const NAMED = (name: string) =>
  `export default (request) => Response.json({ by: '${name}', url: request.url })`
const COUNTER = 'let count = 0\nexport default () => Response.json({ count: ++count })\n'
const ENV = 'export default { fetch(request, env) { return Response.json({ ...env }) } }'
const SPIN = 'export default (request) => { for (;;); }'

let server: RunningServer

beforeAll(async () => {
  server = await startServer({
    handlerFiles: { 'functions/from-file.ts': NAMED('from-file'), 'counter.ts': COUNTER },
    config: {
      bounded: { requests: 5 },
      limits: { cpuMs: 2_000 },
      functions: [
        { name: 'exact', code: NAMED('exact'), routes: ['/a', '/b/c'] },
        { name: 'prefix', code: NAMED('prefix'), routes: ['/p/*'] },
        { name: 'longer', code: NAMED('longer'), routes: ['/p/q/*'] },
        { name: 'inside', code: NAMED('inside'), routes: ['/p/q/r'] },
        { name: 'from-file', file: 'functions/from-file.ts', routes: ['/file'] },
        { name: 'env-one', code: ENV, routes: ['/env/one'], env: { NAME: 'one', SECRET: 's1' } },
        { name: 'env-two', code: ENV, routes: ['/env/two'], env: { NAME: 'two' } },
        { name: 'count-reuse', file: 'counter.ts', routes: ['/count/reuse'], isolation: 'reuse' },
        { name: 'count-bounded', file: 'counter.ts', routes: ['/count/bounded'], isolation: 'bounded' },
        { name: 'count-request', file: 'counter.ts', routes: ['/count/request'], isolation: 'request' },
        { name: 'short', code: SPIN, routes: ['/short'], limits: { cpuMs: 20 } },
      ],
    },
  })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

async function get(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(server.url + path)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function counts(path: string, requests: number): Promise<unknown[]> {
  const seen: unknown[] = []
  for (let at = 0; at < requests; at++) seen.push((await get(path)).body['count'])
  return seen
}

describe('routes', () => {
  const SERVED: ReadonlyArray<readonly [path: string, by: string]> = [
    ['/a', 'exact'],
    ['/a?query=1', 'exact'],
    ['/b/c', 'exact'],
    ['/p/', 'prefix'],
    ['/p/x', 'prefix'],
    ['/p/x/y/z', 'prefix'],
    ['/p/q/x', 'longer'],
    ['/p/q/r', 'inside'],
    ['/p/q/r/s', 'longer'],
    ['/p/qq', 'prefix'],
    ['/file', 'from-file'],
  ]
  test.each(SERVED)('%s is served by %s', async (path, by) => {
    expect(await get(path)).toEqual({ status: 200, body: { by, url: server.url + path } })
  })

  test.each(['/', '/A', '/a/', '/aa', '/b', '/b/c/d', '/nothing'])('%s is nobody’s: 404', async (path) => {
    expect(await get(path)).toMatchObject({ status: 404, body: { error: 'not-found', status: 404 } })
  })
})

describe('env', () => {
  test('each function sees its own, and nothing of the process', async () => {
    expect((await get('/env/one')).body).toEqual({ NAME: 'one', SECRET: 's1' })
    expect((await get('/env/two')).body).toEqual({ NAME: 'two' })
  })

  test('a secret is not in the log', async () => {
    await get('/env/one')
    expect(JSON.stringify(server.logs())).not.toContain('"s1"')
  })
})

describe('limits of one function', () => {
  test('its own processor time, not the one of all', async () => {
    const start = performance.now()
    expect(await get('/short')).toMatchObject({ status: 503, body: { error: 'cpu-limit' } })
    expect(performance.now() - start).toBeLessThan(1_500)
  })
})

describe('isolation', () => {
  test('reuse: what a handler keeps is there for the next request', async () => {
    expect(await counts('/count/reuse', 12)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  })

  test('request: every request finds the function as it started', async () => {
    expect(await counts('/count/request', 12)).toEqual(Array(12).fill(1))
  })

  test('request: with several at once, too', async () => {
    const all = await Promise.all(Array.from({ length: 40 }, () => get('/count/request')))
    expect(all.map(({ body }) => body['count'])).toEqual(Array(40).fill(1))
  })

  test('bounded: as long as the bound, then as it started', async () => {
    expect(await counts('/count/bounded', 12)).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2])
  })

  test('--isolation sets it for all', async () => {
    const args = ['--isolation', 'request', 'counter.ts']
    await using other = await startServer({ args, handlerFiles: { 'counter.ts': COUNTER } })
    for (let at = 0; at < 5; at++) expect(await (await fetch(other.url)).json()).toEqual({ count: 1 })
  })

  test('random numbers and ids differ from runtime to runtime', async () => {
    const code = 'export default () => Response.json({ random: Math.random(), id: crypto.randomUUID() })'
    await using other = await startServer({ args: ['--isolation', 'request', '--cores', '2', '-e', code] })
    const draws = await Promise.all(Array.from({ length: 60 }, async () => (await fetch(other.url)).json()))
    const seen = (draws as Array<{ random: number; id: string }>).flatMap(({ random, id }) => [random, id])
    expect(new Set(seen).size).toBe(120)
  })
})
