import { rotated } from '../lib/stats.mjs'
import { openEngine } from './engine.mjs'

const MIB = 2 ** 20
/** 200 KB of cycles a request. */
const GARBAGE = `() => {
  for (let i = 0; i < 690; i++) { const a = { i }, b = { a, list: new Array(6).fill(i) }; a.b = b }
  return new Response('ok')
}`
const GARBAGE_KB = 200
const MODES = [
  { peer: 'marks that follow', gcSoftBytes: 2 * MIB, pauses: true },
  { peer: 'the same, no pauses', gcSoftBytes: 2 * MIB, pauses: false },
  { peer: 'own policy of the engine', gcSoftBytes: 2 * MIB, own: true, pauses: false },
]
const WARM_UP = 500

/**
 * One runtime at half load: requests come at even times, twice as far apart as one takes on average; one that comes while the
 * thread is busy waits, be it with a request or with a collection. The sequence is the same in every round, so of each step
 * the shortest time counts: the others are what other programs on the same cores took.
 */
export async function gc({ quick, report }) {
  const engine = await openEngine()
  const image = await engine.image(GARBAGE)
  const requests = quick ? 400 : 20_000
  const rounds = quick ? 1 : 8
  const runs = new Map(MODES.map(({ peer }) => [peer, undefined]))
  for (let round = 0; round < rounds; round++) {
    report(`gc: round ${round + 1} of ${rounds}`)
    for (const mode of rotated(MODES, round)) {
      const run = await measure(engine, image, mode, requests)
      const known = runs.get(mode.peer)
      if (known === undefined) runs.set(mode.peer, run)
      else for (const key of ['took', 'after', 'paused']) shortest(known[key], run[key])
    }
  }
  return MODES.map(({ peer }) => {
    const run = runs.get(peer)
    const { p50, p99, p999 } = atHalfLoad(run)
    return {
      bench: 'engine',
      case: '200 KB of cyclic garbage a request, half load, p99.9',
      peer,
      unit: 'ms',
      median: p999,
      rounds,
      p50Ms: p50,
      p99Ms: p99,
      p50Ratio: p999 / p50,
      collections: run.collections,
      requests,
      heapPeakKB: Math.round(run.heapPeak / 1000),
    }
  })
}

function shortest(known, next) {
  for (let i = 0; i < known.length; i++) known[i] = Math.min(known[i], next[i])
}

/** How long each request's answer took from its arrival, with the steps' times known. */
function atHalfLoad({ took, after, paused }) {
  const busy = took.reduce((sum, ms, i) => sum + ms + after[i] + paused[i], 0)
  const interval = (2 * busy) / took.length
  let free = 0
  const latencies = took.map((ms, i) => {
    const starts = Math.max(i * interval, free)
    free = starts + ms + after[i] + paused[i]
    return starts + ms - i * interval
  })
  latencies.sort()
  const at = (share) => latencies[Math.floor((latencies.length - 1) * share)]
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

/** Milliseconds of each request, of what followed its answer, and of what was done in the pause after that. */
async function measure(engine, image, { gcSoftBytes, own = false, pauses }, requests) {
  const counts = { collected: 0 }
  const pools = engine.pools([image], { gcSoftBytes, gcHighBytes: 1024 * MIB }, counts)
  await pools.prewarm(1)
  const first = pools.lease(0)
  engine.ask(first.instance)
  // The first one has filled the gaps that the image has.
  const { topBytes } = first.instance.memory
  for (let i = 0; i < 8; i++) engine.ask(first.instance)
  const garbageKB = (first.instance.memory.topBytes - topBytes) / 8 / 1000
  if (Math.abs(garbageKB - GARBAGE_KB) > GARBAGE_KB / 10)
    throw new Error(`${garbageKB} KB of garbage, not ${GARBAGE_KB}`)
  if (own) engine.useOwnPolicy(first.instance, image)
  else pools.giveBack(first, 0, false)
  const [took, after, paused] = [1, 2, 3].map(() => new Float64Array(requests))
  let heapPeak = 0
  let collectedBefore = 0
  for (let i = -WARM_UP; i < requests; i++) {
    if (i === 0) collectedBefore = counts.collected
    const from = performance.now()
    const runtime = own ? first : pools.lease(0)
    engine.ask(runtime.instance)
    const answered = performance.now()
    const heap = runtime.instance.memory.topBytes - runtime.loaded.topBytes
    const measured = performance.now()
    if (!own) pools.giveBack(runtime, measured, false)
    const free = performance.now()
    while (pauses && pools.tidyAtMs === 0) await pools.tidy(free)
    if (i < 0) continue
    heapPeak = Math.max(heapPeak, heap)
    took[i] = answered - from
    after[i] = free - measured
    paused[i] = performance.now() - free
  }
  return { took, after, paused, collections: counts.collected - collectedBefore, heapPeak }
}
