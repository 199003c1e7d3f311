import { rotated, summary } from '../lib/stats.mjs'
import { checkAnswer, nodeHttp, ringlet } from './peers.mjs'
import { CASES } from './work.mjs'

/** From the start of the process to the first checked answer. */
export async function startup({ quick, report }) {
  const rounds = quick ? 3 : 11
  const peers = [nodeHttp, ringlet(1), ringlet(2), ringlet(1, { cache: 'off' })]
  const samples = new Map(peers.map(({ name }) => [name, []]))
  // The client's own first fetch loads code; that is not the server's time.
  const warm = await nodeHttp.start()
  await checkAnswer(warm.port, CASES[0])
  await warm.stop()
  // The cache is warm from here on: what an earlier start has left may be of another version.
  await (await ringlet(1).start()).stop()
  for (let round = 0; round < rounds; round++) {
    report(`startup, round ${round + 1} of ${rounds}`)
    for (const peer of rotated(peers, round)) {
      const server = await peer.start()
      await checkAnswer(server.port, CASES[0])
      samples.get(peer.name).push(performance.now() - server.startedAt)
      await server.stop()
    }
  }
  const base = summary(samples.get(nodeHttp.name)).median
  return [...samples].map(([peer, values]) => {
    const row = summary(values)
    return {
      bench: 'http',
      case: 'startup to first answer',
      peer,
      unit: 'ms',
      ...row,
      ratio: row.median / base,
    }
  })
}
