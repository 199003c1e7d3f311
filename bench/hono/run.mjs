// npm run bench -- hono: one Hono app of ten routes on Ringlet, on workerd, and on node:http by @hono/node-server; each route alone, and
// all of them in turn on every connection.
import { fileURLToPath } from 'node:url'
import { loadGenerator } from '../lib/load.mjs'
import { processCpuMs, residentBytes, startProgram } from '../lib/server.mjs'
import { rotated, summary } from '../lib/stats.mjs'
import { PEERS } from '../peers/peers.mjs'
import { checkAnswer, REQUESTS } from './cases.mjs'
import { makeWorker } from './worker.mjs'

const CONNECTIONS = 32
const BASE = 'ringlet'
const FULL = { rounds: 5, seconds: 3, warmUp: 2, routeRounds: 3, routeSeconds: 1 }
const QUICK = { rounds: 1, seconds: 1, warmUp: 0, routeRounds: 0, routeSeconds: 0 }
const path = (name) => fileURLToPath(new URL(name, import.meta.url))

/** The same app on each, started as `bench -- peers` starts its own. */
function programs(workerConfig) {
  const own = (name) => PEERS.find((peer) => peer.name === name)
  const ringlet = (name, file = 'app.js') => ({
    ...own(name),
    args: [...own(name).args.slice(0, -1), path(file)],
  })
  const workerd = own('workerd')
  return [
    ringlet('ringlet'),
    ringlet('ringlet, request'),
    { ...ringlet('ringlet, request', 'warmed.js'), name: 'ringlet, request, warmed' },
    { ...workerd, args: [...workerd.args.slice(0, -1), workerConfig] },
    { ...own('hono on node'), args: [path('serve-node.mjs')] },
  ]
}

export async function run({ quick, report }) {
  const generator = loadGenerator()
  report(`load generator: ${generator.name}, one thread, on the same machine as the servers`)
  const times = quick ? QUICK : FULL
  const worker = await makeWorker()
  const servers = []
  try {
    for (const { skip, ...peer } of programs(worker.config)) {
      if (skip !== undefined) report(`skipped: ${peer.name}: ${skip}`)
      else servers.push({ ...peer, ...(await startProgram(peer.command, peer.args, path('.'))) })
    }
    return await measure(servers, times, generator, report)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await worker.remove()
  }
}

async function measure(servers, times, generator, report) {
  await checkAll(servers)
  const turn = async (name, requests, rounds, seconds) => {
    const samples = new Map(servers.map((server) => [server.name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const server of rotated(servers, round)) {
        report(`${name}, round ${round + 1} of ${rounds}: ${server.name}`)
        samples.get(server.name).push(await load(server, requests, seconds, generator))
      }
    }
    return rowsOf(name, servers, samples, generator.name)
  }
  if (times.warmUp > 0) {
    for (const server of servers) await load(server, REQUESTS, times.warmUp, generator)
  }
  const rows = await turn('all routes', REQUESTS, times.rounds, times.seconds)
  if (times.routeRounds > 0) {
    for (const request of REQUESTS) {
      rows.push(...(await turn(request.name, [request], times.routeRounds, times.routeSeconds)))
    }
  }
  await checkAll(servers)
  return rows
}

async function checkAll(servers) {
  for (const { name, port } of servers) {
    for (const request of REQUESTS) {
      await checkAnswer(port, request).catch((cause) => {
        throw new Error(`${name}: ${cause.message}`, { cause })
      })
    }
  }
}

async function load(server, requests, seconds, generator) {
  const before = processCpuMs(server.pid)
  const sample = await generator.loadMix({ requests, port: server.port, connections: CONNECTIONS, seconds })
  const cpuMicros = ((processCpuMs(server.pid) - before) * 1000) / sample.requests
  return { ...sample, cpuMicros, residentMiB: residentBytes(server.pid) / 2 ** 20 }
}

function rowsOf(name, servers, samples, generator) {
  const medianOf = (peer, key) => summary(samples.get(peer).map((sample) => sample[key])).median
  return servers.map(({ name: peer, facts }) => ({
    bench: 'hono',
    case: name,
    peer,
    unit: 'req/s',
    ...summary(samples.get(peer).map(({ perSecond }) => perSecond)),
    p50Ms: medianOf(peer, 'p50Ms'),
    p99Ms: medianOf(peer, 'p99Ms'),
    p999Ms: medianOf(peer, 'p999Ms'),
    cpuMicros: medianOf(peer, 'cpuMicros'),
    residentMiB: medianOf(peer, 'residentMiB'),
    // How many times as many Ringlet serves.
    ratio: medianOf(BASE, 'perSecond') / medianOf(peer, 'perSecond'),
    generator,
    ...facts,
  }))
}
