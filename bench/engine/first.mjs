import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ANSWER, SCRIPT } from '../coldstart/function-source.mjs'
import { rotated, summary } from '../lib/stats.mjs'
import { openEngine } from './engine.mjs'

const HANDLER = `(() => { ${SCRIPT}\nreturn () => new Response(handler('/')) })()`
const LIMITS = { gcSoftBytes: 2 ** 21, gcHighBytes: 2 ** 24 }

/** In the engine alone: the first request to a function of 100 KB that this shard has not loaded, a blank instance ready. */
export async function first({ quick, report }) {
  const engine = await openEngine()
  const image = await engine.image(HANDLER)
  const folder = mkdtempSync(join(tmpdir(), 'ringlet-bench-'))
  const path = join(folder, 'image')
  writeFileSync(path, engine.toFile(image))
  const ready = async (of) => {
    const pools = engine.pools([of], LIMITS, {}, 1)
    while (pools.blanks === 0) await pools.tidy(performance.now())
    return pools
  }
  const ask = (pools) => {
    if (engine.text(pools.lease(0).instance) !== ANSWER) throw new Error('the function gave another answer')
  }
  const ways = [
    { peer: 'image in memory', start: ask },
    {
      peer: 'image in the disk cache',
      // Read, verified and put into shared memory; from there on it is as above, with the same bytes.
      start: (pools) => {
        engine.fromFile(path, readFileSync(path))
        ask(pools)
      },
    },
    {
      peer: 'from source',
      start: async () => {
        const fresh = engine.pools([await engine.image(HANDLER)], LIMITS, {}, 0)
        await fresh.prewarm(1)
        ask(fresh)
      },
    },
  ]
  const times = new Map(ways.map(({ peer }) => [peer, []]))
  const rounds = quick ? 5 : 200
  report(`first request, ${rounds} rounds`)
  for (let round = 0; round < rounds; round++) {
    for (const { peer, start } of rotated(ways, round)) {
      const pools = await ready(image)
      const from = performance.now()
      await start(pools)
      times.get(peer).push(performance.now() - from)
    }
  }
  rmSync(folder, { recursive: true })
  return ways.map(({ peer }) =>
    row(`first request to a function of ${Math.round(SCRIPT.length / 1000)} KB`, peer, times.get(peer)),
  )
}

/** A row of latencies in milliseconds. */
export function row(name, peer, values) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return {
    bench: 'engine',
    case: name,
    peer,
    unit: 'ms',
    ...summary(values),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}
