// The time of a request head: both parsers of Ringlet, llhttp in WebAssembly, and http-parser-js, on the same bytes.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { summary } from '../lib/stats.mjs'
import { CASES } from './heads.mjs'

const ROUNDS = 7
const QUICK_ROUNDS = 5
/** Before the first round, once a peer: until its code is compiled for good. */
const FIRST_WARM_UP_SECONDS = 0.3
const WARM_UP_SECONDS = 0.05
const SECONDS = 0.2
const QUICK_WARM_UP_SECONDS = 0.005
const QUICK_SECONDS = 0.015

/** The rivals, which the ratios are taken against. */
const LLHTTP = 'llhttp wasm simd'
const HTTP_PARSER_JS = 'http-parser-js'
const PEERS = [
  { name: 'simd', framing: true },
  { name: 'scalar', framing: true },
  { name: LLHTTP, framing: false },
  { name: 'llhttp wasm', framing: false },
  { name: HTTP_PARSER_JS, framing: false },
]

/**
 * Runs the bench against the built parsers. `report` is told of each round.
 * @param {{ quick: boolean, report: (text: string) => void }} options
 * @returns rows of bench, case, peer, unit, median, min, max, rounds; `ratio` says how many times as many heads as
 *   `against` the peer parses in the same time: the median of the ratios of the rounds
 */
export async function run({ quick, report }) {
  const peers = PEERS.map((peer) => ({ ...peer, thread: threadOf(peer.name) }))
  try {
    report('warm-up')
    for (const { thread } of peers) await measure(thread, CASES[0], FIRST_WARM_UP_SECONDS, QUICK_SECONDS)
    const rounds = quick ? QUICK_ROUNDS : ROUNDS
    const samples = CASES.map(() => new Map())
    for (let round = 0; round < rounds; round++) {
      report(`round ${round + 1} of ${rounds}`)
      await runRound(round % 2 === 0 ? peers : peers.toReversed(), samples, quick)
    }
    return CASES.flatMap((work, at) => rowsOf(work, samples[at]))
  } finally {
    await Promise.all(peers.map(({ thread }) => thread.terminate()))
  }
}

function threadOf(peer) {
  return new Worker(new URL('./worker.mjs', import.meta.url), { workerData: { peer } })
}

/** Every case with every peer, one peer after the other within a case. */
async function runRound(peers, samples, quick) {
  for (const [at, work] of CASES.entries()) {
    for (const { name, thread, framing } of peers) {
      if (work.framing && !framing) continue
      const ns = await measure(
        thread,
        work,
        quick ? QUICK_WARM_UP_SECONDS : WARM_UP_SECONDS,
        quick ? QUICK_SECONDS : SECONDS,
      )
      samples[at].set(name, [...(samples[at].get(name) ?? []), ns])
    }
  }
}

/** Nanoseconds a head. An error in the thread rejects. */
async function measure(thread, { name }, warmUpSeconds, seconds) {
  const answer = once(thread, 'message')
  thread.postMessage({ name, warmUpSeconds, seconds })
  return (await answer)[0]
}

function rowsOf(work, samples) {
  const bytes = work.head.text.length
  return [...samples].flatMap(([peer, ns]) => {
    const row = (unit, values, rival) => ({
      bench: 'parser',
      case: work.name,
      peer,
      unit,
      ...summary(values),
      ...ratioOf(ns, rival === undefined ? undefined : samples.get(rival), rival),
    })
    const rows = [
      row('ns/head', ns, LLHTTP),
      row(
        'GB/s',
        ns.map((each) => bytes / each),
        HTTP_PARSER_JS,
      ),
    ]
    if (!work.perField) return rows
    return [
      ...rows,
      row(
        'ns/field',
        ns.map((each) => each / work.head.fields.length),
      ),
    ]
  })
}

/** Round by round, since what else the machine does in a round slows both. */
function ratioOf(ns, rivalNs, against) {
  if (rivalNs === undefined) return {}
  return { ratio: summary(ns.map((each, round) => rivalNs[round] / each)).median, against }
}
