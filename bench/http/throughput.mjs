import { rotated, summary } from '../lib/stats.mjs'
import { checkAnswer, nodeHttp, ringlet, startAll } from './peers.mjs'
import { CASES } from './work.mjs'

const CONNECTIONS = [1, 32, 256]
const WARM_UP_CONNECTIONS = 32

/** Requests per second and latency of each peer, case and number of connections; peers take turns within each round. */
export async function throughput({ quick, report, generator }) {
  const rounds = quick ? 1 : 3
  const seconds = quick ? 2 : 5
  const peers = await startAll([nodeHttp, ringlet(1), ringlet(2)])
  try {
    const rows = []
    for (const work of CASES) {
      for (const { port } of peers) {
        await checkAnswer(port, work)
        await generator.load({ port, ...work, connections: WARM_UP_CONNECTIONS, seconds: quick ? 1 : 3 })
      }
      for (const connections of CONNECTIONS) {
        const results = new Map(peers.map(({ name }) => [name, []]))
        for (let round = 0; round < rounds; round++) {
          for (const { name, port } of rotated(peers, round)) {
            report(`${work.name}, ${connections} connections, round ${round + 1} of ${rounds}: ${name}`)
            results.get(name).push(await generator.load({ port, ...work, connections, seconds }))
          }
        }
        for (const { port } of peers) await checkAnswer(port, work)
        rows.push(...rowsOf(work, connections, results, generator.name))
      }
    }
    return rows
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()))
  }
}

function rowsOf(work, connections, results, generator) {
  const base = summary(results.get(nodeHttp.name).map(({ perSecond }) => perSecond)).median
  const baseP50 = summary(results.get(nodeHttp.name).map(({ p50Ms }) => p50Ms)).median
  return [...results].map(([peer, samples]) => {
    const rate = summary(samples.map(({ perSecond }) => perSecond))
    const p50Ms = summary(samples.map((sample) => sample.p50Ms)).median
    return {
      bench: 'http',
      case: `${work.name} c${connections}`,
      peer,
      unit: 'req/s',
      ...rate,
      p50Ms,
      p99Ms: summary(samples.map((sample) => sample.p99Ms)).median,
      ratio: rate.median / base,
      p50Ratio: p50Ms / baseP50,
      generator,
    }
  })
}
