import { residentBytes } from '../lib/server.mjs'
import { summary } from '../lib/stats.mjs'
import { checkAnswer, nodeHttp, ringlet } from './peers.mjs'
import { CASES } from './work.mjs'

const MIB = 2 ** 20
const CONNECTIONS = 32

/** Resident size at start, after a warm-up, and over the requests that follow it; one sample a slice of load. */
export async function memory({ quick, report, generator }) {
  const warmUp = quick ? 50_000 : 200_000
  const total = quick ? 100_000 : 1_000_000
  const rows = []
  for (const peer of [nodeHttp, ringlet(1), ringlet(2)]) {
    const server = await peer.start()
    try {
      await checkAnswer(server.port, CASES[0])
      const atStart = residentBytes(server.pid)
      if (atStart === undefined) {
        report('memory: this system has no /proc, left out')
        return []
      }
      report(`memory: ${peer.name}, ${warmUp} requests of warm-up, then ${total}`)
      await loadFor(generator, server, warmUp, quick)
      const sizes = [residentBytes(server.pid)]
      const requests = await loadFor(generator, server, total, quick, () =>
        sizes.push(residentBytes(server.pid)),
      )
      await checkAnswer(server.port, CASES[0])
      const [first, last] = [sizes[0], sizes.at(-1)]
      const common = { bench: 'http', peer: peer.name, unit: 'MiB' }
      rows.push({ ...common, case: 'resident at start', ...summary([atStart / MIB]) })
      rows.push({
        ...common,
        case: 'resident under load',
        ...summary(sizes.map((size) => size / MIB)),
        requests,
        warmMiB: first / MIB,
        endMiB: last / MIB,
        growthPercent: (last / first - 1) * 100,
        generator: generator.name,
      })
    } finally {
      await server.stop()
    }
  }
  return rows
}

async function loadFor(generator, { port }, requests, quick, each = () => {}) {
  let done = 0
  while (done < requests) {
    const result = await generator.load({
      port,
      ...CASES[0],
      connections: CONNECTIONS,
      seconds: quick ? 1 : 3,
    })
    done += result.requests
    each()
  }
  return done
}
