import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { checkAnswer, nodeHttp, ringlet } from '../http/peers.mjs'
import { CASES } from '../http/work.mjs'
import { bundleEntry } from '../lib/bundle.mjs'
import { loadGenerator } from '../lib/load.mjs'
import { processCpuMs, startServer } from '../lib/server.mjs'
import { rotated, summary } from '../lib/stats.mjs'

const ECHO = fileURLToPath(new URL('./echo-server.mjs', import.meta.url))
const HERE = fileURLToPath(new URL('.', import.meta.url))
const CONNECTIONS = 64
const CORES_MAX = 8

/**
 * Requests a second, and processor time a request, over the number of actors; beside it the acceptor's own ceiling: the same
 * sockets, rings and doorbells with actors that answer every record at once, without a parser or a guest.
 */
export async function run({ quick, report }) {
  const generator = loadGenerator()
  await bundleEntry('bench/scale/entry.ts', 'scale')
  const counts = Array.from({ length: Math.min(availableParallelism(), CORES_MAX) }, (_, i) => i + 1)
  const echo = (cores) => ({
    name: `acceptor alone, ${cores} echoing`,
    start: () => startServer(ECHO, [`${cores}`], HERE),
  })
  const peers = [nodeHttp, ...counts.map((cores) => ringlet(cores)), ...counts.map(echo)]
  const samples = new Map(peers.map(({ name }) => [name, []]))
  const rounds = quick ? 1 : 5
  for (let round = 0; round < rounds; round++) {
    for (const peer of rotated(peers, round)) {
      report(`scale, round ${round + 1} of ${rounds}: ${peer.name}`)
      samples.get(peer.name).push(await measure(peer, generator, quick ? 0.5 : 4))
    }
  }
  return peers.map(({ name: peer }) => {
    const own = samples.get(peer)
    return {
      bench: 'scale',
      case: `hello-json c${CONNECTIONS}`,
      peer,
      unit: 'req/s',
      ...summary(own.map(({ perSecond }) => perSecond)),
      p50Ms: summary(own.map(({ p50Ms }) => p50Ms)).median,
      p99Ms: summary(own.map(({ p99Ms }) => p99Ms)).median,
      cpuMicros: summary(own.map(({ cpuMicros }) => cpuMicros)).median,
      generator: generator.name,
    }
  })
}

async function measure(peer, generator, seconds) {
  const server = await peer.start()
  try {
    await checkAnswer(server.port, CASES[0])
    const load = { ...CASES[0], port: server.port, connections: CONNECTIONS }
    await generator.load({ ...load, seconds: seconds / 2 })
    const before = processCpuMs(server.pid)
    const sample = await generator.load({ ...load, seconds })
    const cpuMicros = ((processCpuMs(server.pid) - before) * 1000) / sample.requests
    await checkAnswer(server.port, CASES[0])
    return { ...sample, cpuMicros }
  } finally {
    await server.stop()
  }
}
