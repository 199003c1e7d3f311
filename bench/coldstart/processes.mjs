import { checkAnswer, ringlet } from '../http/peers.mjs'
import { rotated, summary } from '../lib/stats.mjs'
import { CASES } from '../peers/cases.mjs'
import { startPeer } from '../peers/peers.mjs'
import { available } from '../peers/run.mjs'

const NAMES = ['node:http', 'workerd', 'Bun.serve', 'Deno.serve']

/** From the start of the process to the first checked answer. */
export async function processes({ quick, report }) {
  const rivals = available(report, NAMES).map((peer) => ({ name: peer.name, start: () => startPeer(peer) }))
  const peers = [ringlet(2), ringlet(2, { cache: 'off' }), ...rivals]
  const samples = new Map(peers.map(({ name }) => [name, []]))
  // The client's first fetch loads code, and the cache is warm from here on.
  const first = await peers[0].start()
  await checkAnswer(first.port, CASES[0])
  await first.stop()
  const rounds = quick ? 1 : 11
  for (let round = 0; round < rounds; round++) {
    report(`coldstart: processes, round ${round + 1} of ${rounds}`)
    for (const peer of rotated(peers, round)) {
      const server = await peer.start()
      await checkAnswer(server.port, CASES[0])
      samples.get(peer.name).push(performance.now() - server.startedAt)
      await server.stop()
    }
  }
  const base = summary(samples.get(peers[0].name)).median
  return peers.map(({ name: peer }) => {
    const row = summary(samples.get(peer))
    return {
      bench: 'coldstart',
      case: 'process to first answer',
      peer,
      unit: 'ms',
      ...row,
      ratio: row.median / base,
    }
  })
}
