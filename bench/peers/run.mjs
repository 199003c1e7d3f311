import { checkAnswer } from '../http/peers.mjs'
import { loadGenerator } from '../lib/load.mjs'
import { constantRate } from '../lib/rate.mjs'
import { processCpuMs, residentBytes } from '../lib/server.mjs'
import { rotated, summary } from '../lib/stats.mjs'
import { CASES } from './cases.mjs'
import { PEERS, startPeer } from './peers.mjs'

const CONNECTIONS = [1, 32, 256]
const RATE_CONNECTIONS = 32
const BASE = 'ringlet'
/** A rival's failed requests (wrk: no answer within two seconds) are a figure of its own, ours an error. */
const maySeeFailures = (name) => !name.startsWith(BASE)
const FULL = { rounds: 3, seconds: 3, warmUp: 2, rateSeconds: 2, connections: CONNECTIONS, isQuick: false }
const QUICK = {
  rounds: 1,
  seconds: 1,
  warmUp: 0,
  rateSeconds: 0.5,
  connections: [RATE_CONNECTIONS],
  isQuick: true,
}

/** Every peer that can be started, and lines about those that cannot. */
export function available(report, names = []) {
  const chosen = PEERS.filter(({ name }) => names.length === 0 || names.includes(name))
  for (const { name, skip } of chosen) if (skip !== undefined) report(`skipped: ${name}: ${skip}`)
  return chosen.filter(({ skip }) => skip === undefined)
}

/**
 * All peers in one run, started together, loaded in turns: each case at each number of connections, then at half of the rate
 * that the peer itself reached, at a constant rate. Answers are checked before and after.
 */
export async function run({ quick, report, cases }) {
  const unknown = (cases ?? []).filter((name) => CASES.every((work) => work.name !== name))
  if (unknown.length > 0)
    throw new Error(`no case ${unknown.join(', ')}: there are ${CASES.map(({ name }) => name).join(', ')}`)
  const chosen = CASES.filter(({ name }) => cases === undefined || cases.includes(name))
  const generator = loadGenerator()
  report(`load generator: ${generator.name}, one thread, on the same machine as the servers`)
  const times = quick ? QUICK : FULL
  const rows = []
  const servers = []
  try {
    for (const peer of available(report)) servers.push({ ...peer, ...(await startPeer(peer)) })
    for (const work of chosen) {
      const able = servers.filter(({ cases: own }) => own?.includes(work.name) !== false)
      rows.push(...(await runCase(work, able, times, generator, report)))
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
  return rows
}

async function runCase(work, servers, times, generator, report) {
  for (const server of servers) {
    await checkAnswer(server.port, work)
    if (times.warmUp === 0) continue
    await generator.load({ ...work, port: server.port, connections: RATE_CONNECTIONS, seconds: times.warmUp })
  }
  const rows = []
  let rates = new Map()
  for (const connections of times.connections) {
    const samples = new Map(servers.map(({ name }) => [name, []]))
    for (let round = 0; round < times.rounds; round++) {
      for (const server of rotated(servers, round)) {
        report(
          `${work.name}, ${connections} connections, round ${round + 1} of ${times.rounds}: ${server.name}`,
        )
        const before = processCpuMs(server.pid)
        const load = { ...work, port: server.port, connections, seconds: times.seconds }
        const sample = await generator.load({ ...load, maySeeFailures: maySeeFailures(server.name) })
        sample.cpuMicros = ((processCpuMs(server.pid) - before) * 1000) / sample.requests
        sample.residentMiB = residentBytes(server.pid) / 2 ** 20
        samples.get(server.name).push(sample)
      }
    }
    const found = rowsOf(`${work.name} c${connections}`, servers, samples, generator.name)
    if (connections === RATE_CONNECTIONS) rates = new Map(found.map(({ peer, median }) => [peer, median]))
    rows.push(...found)
  }
  // A rough look needs one of these.
  if (!times.isQuick || work === CASES[0]) rows.push(...(await halfLoad(work, servers, times, rates, report)))
  for (const { port } of servers) await checkAnswer(port, work)
  return rows
}

const medianOf = (samples, key) => summary(samples.map((sample) => sample[key])).median

function rowsOf(name, servers, samples, generator) {
  const base = samples.get(BASE)
  return servers.map(({ name: peer, facts }) => {
    const own = samples.get(peer)
    const rate = summary(own.map(({ perSecond }) => perSecond))
    return {
      bench: 'peers',
      case: name,
      peer,
      unit: 'req/s',
      ...rate,
      p50Ms: medianOf(own, 'p50Ms'),
      p99Ms: medianOf(own, 'p99Ms'),
      p999Ms: medianOf(own, 'p999Ms'),
      cpuMicros: medianOf(own, 'cpuMicros'),
      residentMiB: medianOf(own, 'residentMiB'),
      failed: own.reduce((sum, { failed }) => sum + failed, 0),
      // How many times as many Ringlet serves.
      ratio: base === undefined ? undefined : medianOf(base, 'perSecond') / rate.median,
      generator,
      ...facts,
    }
  })
}

/** Latencies at half of what each peer can do. */
async function halfLoad(work, servers, { rounds, rateSeconds }, rates, report) {
  const samples = new Map(servers.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const server of rotated(servers, round)) {
      report(`${work.name}, half load, round ${round + 1} of ${rounds}: ${server.name}`)
      const perSecond = rates.get(server.name) / 2
      const load = {
        ...work,
        port: server.port,
        connections: RATE_CONNECTIONS,
        perSecond,
        seconds: rateSeconds,
        maySeeFailures: maySeeFailures(server.name),
      }
      samples.get(server.name).push(await constantRate(load))
    }
  }
  return servers.map(({ name: peer }) => {
    const own = samples.get(peer)
    return {
      bench: 'peers',
      case: `${work.name} half load`,
      peer,
      unit: 'ms, p99',
      ...summary(own.map(({ p99Ms }) => p99Ms)),
      p50Ms: medianOf(own, 'p50Ms'),
      p99Ms: medianOf(own, 'p99Ms'),
      p999Ms: medianOf(own, 'p999Ms'),
      perSecond: rates.get(peer) / 2,
      generator: 'constant rate',
    }
  })
}
