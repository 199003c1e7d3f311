import { rotated, summary } from '../lib/stats.mjs'
import { browserFields } from '../parser/heads.mjs'
import { checkAnswer, nodeHttp, ringlet, startAll } from './peers.mjs'
import { CASES } from './work.mjs'

const CONNECTIONS = 32
const HEAD_BYTES = 1024
const HELLO = CASES[0]
const SMALL = { ...HELLO, name: `${HELLO.name} c${CONNECTIONS}, small head`, headers: {} }
const BIG = {
  ...HELLO,
  name: `${HELLO.name} c${CONNECTIONS}, 1 KB head`,
  headers: Object.fromEntries(browserFields(HEAD_BYTES)),
}

/**
 * What a browser's fields cost: the same request with and without 1 KB of them, in turns within each round. The rows of
 * unit `ratio` are a peer's rate with them, of its own rate without, in the same round.
 */
export async function headSize({ quick, report, generator }) {
  if (generator.name !== 'wrk') {
    report('head size: without wrk the load generator would be what is measured, left out')
    return []
  }
  const rounds = quick ? 3 : 5
  const seconds = quick ? 1 : 4
  const peers = await startAll([nodeHttp, ringlet(1), ringlet(2)])
  try {
    for (const peer of peers)
      for (const work of [SMALL, BIG]) await checkedRate(generator, peer, work, quick ? 1 : 3)
    const rates = new Map(peers.map(({ name }) => [name, new Map([SMALL, BIG].map((work) => [work, []]))]))
    for (let round = 0; round < rounds; round++) {
      for (const peer of rotated(peers, round)) {
        report(`head size, round ${round + 1} of ${rounds}: ${peer.name}`)
        for (const work of rotated([SMALL, BIG], round)) {
          const rate = await checkedRate(generator, peer, work, seconds)
          rates.get(peer.name).get(work).push(rate)
        }
      }
    }
    return rowsOf(rates)
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()))
  }
}

async function checkedRate(generator, { port }, { path, headers, ...work }, seconds) {
  await checkAnswer(port, { path, headers, ...work })
  const { perSecond } = await generator.load({ port, path, headers, connections: CONNECTIONS, seconds })
  return perSecond
}

function rowsOf(rates) {
  const common = { bench: 'http', generator: 'wrk' }
  return [...rates].flatMap(([peer, own]) => {
    const rows = [SMALL, BIG].map((work) => {
      const rate = summary(own.get(work))
      const base = summary(rates.get(nodeHttp.name).get(work)).median
      const ratio = { ratio: rate.median / base, against: nodeHttp.name }
      return { ...common, case: work.name, peer, unit: 'req/s', ...rate, ...ratio }
    })
    const shares = own.get(BIG).map((rate, round) => rate / own.get(SMALL)[round])
    return [...rows, { ...common, case: '1 KB head to small head', peer, unit: 'ratio', ...summary(shares) }]
  })
}
