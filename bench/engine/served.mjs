import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ANSWER, SCRIPT } from '../coldstart/function-source.mjs'
import { loadGenerator } from '../lib/load.mjs'
import { constantRate } from '../lib/rate.mjs'
import { residentBytes, startProgram } from '../lib/server.mjs'
import { rotated, summary } from '../lib/stats.mjs'
import { row } from './first.mjs'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const MIB = 2 ** 20
/** How many small functions, and in which budget for the whole process. */
const CROWDS = [
  { count: 1000, budgetMiB: 512 },
  { count: 10_000, budgetMiB: 1024 },
]
/** What stands ready for large functions and many clients takes nothing from the budget here. */
const SMALL = {
  limits: { memoryBytes: 20 * MIB },
  connection: { bufferedBytes: 8 * MIB },
  acceptor: { maxConnections: 100 },
}
/** Ten thousand functions are bundled and initialised one after the other when nothing of them is in the cache. */
const START_MS_MAX = 540_000
/** A pause in which a shard makes the blanks that the next function needs. */
const PAUSE_MS = 20
const HELLO = `export default () => Response.json({ hello: 'world' })`
const HELLO_ANSWER = '{"hello":"world"}'
const CONNECTIONS = 32
const UNLIMITED_RATE = 20_000

/** Runs `work` with a server on one core, with a folder and a cache of its own. */
async function withServers(config, work) {
  const folder = await mkdtemp(join(tmpdir(), 'ringlet-bench-'))
  const file = join(folder, 'config.json')
  const cache = { folder: join(folder, 'cache') }
  await writeFile(file, JSON.stringify({ cores: 1, port: 0, cache, ...config }))
  const servers = []
  const start = async () => {
    const server = await startProgram(process.execPath, [MAIN, '--config', file], folder, START_MS_MAX)
    servers.push(server)
    return server
  }
  try {
    return await work(start)
  } finally {
    for (const server of servers) await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

function fetchText(port, path) {
  return new Promise((resolve, reject) => {
    const request = get({ port, path, agent, host: '127.0.0.1' }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    request.on('error', reject)
  })
}

async function check(port, path, answer) {
  const { status, text } = await fetchText(port, path)
  if (status !== 200 || text !== answer) throw new Error(`${path}: ${status} ${text.slice(0, 200)}`)
}

const named = (count, code) =>
  Array.from({ length: count }, (_, i) => ({ name: `f${i}`, routes: [`/f${i}`], code: code(i) }))

/** Over HTTP: each of many functions is asked once, after a pause in which a blank could be made ready. */
export function firstServed({ quick, report }) {
  const count = quick ? 4 : 100
  const source = `${SCRIPT}\nexport default () => new Response(handler('/'))`
  const functions = [{ name: 'warm', routes: ['/warm'], code: HELLO }, ...named(count, () => source)]
  report(`first requests over HTTP to ${count} functions`)
  return withServers({ functions, pool: { prewarm: 0 } }, async (start) => {
    const { port } = await start()
    const times = { first: [], second: [] }
    for (let i = 0; i < count; i++) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      await check(port, '/warm', HELLO_ANSWER)
      for (const which of ['first', 'second']) {
        const from = performance.now()
        await check(port, `/f${i}`, ANSWER)
        times[which].push(performance.now() - from)
      }
    }
    const name = `a function of ${Math.round(SCRIPT.length / 1000)} KB over HTTP`
    return [row(name, 'first request', times.first), row(name, 'second request', times.second)]
  })
}

/** One actor core, each way of isolation and each build of the engine: how many requests, and the tail at half of that. */
export async function isolation({ quick, report }) {
  const all = [
    { peer: 'reuse' },
    { peer: 'request' },
    { peer: 'reuse, quickjs-ng', engine: 'quickjs-ng' },
    { peer: 'request, quickjs-ng', engine: 'quickjs-ng' },
  ]
  const ways = quick ? all.slice(1, 3) : all
  const { load, name } = loadGenerator()
  const seconds = quick ? 1 : 6
  const rounds = quick ? 1 : 3
  const rates = new Map(ways.map(({ peer }) => [peer, []]))
  const tails = new Map()
  for (let round = 0; round < rounds; round++) {
    for (const { peer, engine = 'quickjs' } of rotated(ways, round)) {
      report(`isolation ${peer} by ${name}, round ${round + 1} of ${rounds}`)
      const functions = [{ name: 'hello', routes: ['/'], code: HELLO }]
      await withServers({ functions, engine, isolation: peer.split(',')[0] }, async (start) => {
        const { port } = await start()
        await check(port, '/', HELLO_ANSWER)
        if (!quick) await load({ port, path: '/', connections: CONNECTIONS, seconds: 1 })
        const { perSecond } = await load({ port, path: '/', connections: CONNECTIONS, seconds })
        rates.get(peer).push(perSecond)
        if (round < rounds - 1) return
        const half = Math.min(UNLIMITED_RATE, Math.round(summary(rates.get(peer)).median / 2))
        tails.set(
          peer,
          await constantRate({ port, path: '/', connections: CONNECTIONS, perSecond: half, seconds }),
        )
      })
    }
  }
  return ways.flatMap(({ peer }) => {
    const { perSecond, p50Ms, p99Ms, p999Ms } = tails.get(peer)
    const base = { bench: 'engine', peer }
    const rate = { ...base, case: 'hello-JSON, 1 core', unit: 'requests/s', ...summary(rates.get(peer)) }
    const tail = { ...base, case: `hello-JSON at ${Math.round(perSecond)}/s, p99`, unit: 'ms', median: p99Ms }
    return [rate, { ...tail, p50Ms, p99Ms, p999Ms }]
  })
}

/** From the start of the process to the first checked answer, all of its functions in the cache. */
export function start({ quick, report }) {
  const rounds = quick ? 1 : 11
  report(`start to the first answer, ${rounds} rounds`)
  return withServers({ functions: [{ name: 'hello', routes: ['/'], code: HELLO }] }, async (startOne) => {
    const times = { ringlet: [], node: [] }
    for (let round = -1; round < rounds; round++) {
      const server = await startOne()
      await check(server.port, '/', HELLO_ANSWER)
      // The first start has filled the cache.
      if (round >= 0) times.ringlet.push(performance.now() - server.startedAt)
      await server.stop()
      const from = performance.now()
      spawnSync(process.execPath, ['-e', '0'])
      if (round >= 0) times.node.push(performance.now() - from)
    }
    const name = 'start to first answer, warm cache'
    return [row(name, 'ringlet, 1 core', times.ringlet), row(name, 'node -e 0, to its end', times.node)]
  })
}

/** Many small functions in one budget, each asked once; and how many may be registered. */
export async function many({ quick, report }) {
  const rows = []
  for (const { count, budgetMiB } of quick ? [{ count: 40, budgetMiB: 512 }] : CROWDS) {
    report(`${count} functions`)
    const code = (i) => `export default () => Response.json({ function: ${i} })`
    const config = { ...SMALL, functions: named(count, code), memoryBudget: budgetMiB * MIB }
    const found = await withServers(config, (startOne) => crowd(startOne, count, budgetMiB))
    const base = { bench: 'engine', peer: `ringlet, 1 core, ${budgetMiB} MiB` }
    rows.push(
      {
        ...base,
        case: `${count} functions, each asked once: functions a GiB`,
        unit: 'functions',
        median: (count * 1024) / found.residentMiB,
        residentMiB: found.residentMiB,
      },
      {
        ...base,
        case: `${count} functions registered, warm start`,
        unit: 'ms',
        median: found.warmMs,
        residentMiB: found.registeredMiB,
      },
      { ...base, case: `${count} functions registered, first start`, unit: 'ms', median: found.coldMs },
    )
  }
  return rows
}

async function crowd(startOne, count, budgetMiB) {
  const cold = await startOne()
  const coldMs = performance.now() - cold.startedAt
  await cold.stop()
  const server = await startOne()
  const warmMs = performance.now() - server.startedAt
  const registeredMiB = residentBytes(server.pid) / MIB
  for (let i = 0; i < count; i++) await check(server.port, `/f${i}`, `{"function":${i}}`)
  const residentMiB = residentBytes(server.pid) / MIB
  if (residentMiB > budgetMiB) throw new Error(`${residentMiB} MiB resident are more than ${budgetMiB}`)
  return { coldMs, warmMs, registeredMiB, residentMiB }
}
