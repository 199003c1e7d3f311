import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkAnswer } from '../http/peers.mjs'
import { CASES } from '../http/work.mjs'
import { loadGenerator } from '../lib/load.mjs'
import { startServer } from '../lib/server.mjs'
import { bootstrapRatio } from '../lib/stats.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HANDLER = fileURLToPath(new URL('../http/handler.js', import.meta.url))
const CONNECTIONS = 32
/** A change smaller than the interval is none that can be seen; so many pairs make it a few per cent wide on a quiet machine. */
const FULL = { pairs: 20, seconds: 2 }
const QUICK = { pairs: 2, seconds: 1 }

/**
 * This checkout against another revision: both are built, and loaded in turns, in an order that changes with each pair, so that what
 * else the machine does meets both. Rows with the ratio of their rates and its 95 % interval (bootstrap over the pairs).
 */
export async function compare({ revision, quick, report, cores = 2 }) {
  const folder = await mkdtemp(join(tmpdir(), 'ringlet-compare-'))
  const other = join(folder, 'other')
  const run = (command, args, cwd) =>
    execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    report(`building ${revision}`)
    run('git', ['worktree', 'add', '--detach', other, revision], ROOT)
    run('npm', ['ci', '--ignore-scripts'], other)
    run('npm', ['run', 'build'], other)
    return await alternate({ 'this checkout': ROOT, [revision]: other }, quick ? QUICK : FULL, cores, report)
  } finally {
    run('git', ['worktree', 'remove', '--force', other], ROOT)
    await rm(folder, { recursive: true, force: true })
  }
}

async function alternate(trees, { pairs, seconds }, cores, report) {
  const generator = loadGenerator()
  const [ours, theirs] = Object.keys(trees)
  const options = ['--cores', `${cores}`, '--port', '0', '--access-log', 'off', '--cache', 'off', HANDLER]
  const servers = {}
  try {
    for (const [name, tree] of Object.entries(trees)) {
      servers[name] = await startServer(join(tree, 'dist/main.js'), options, ROOT)
    }
    const rows = []
    for (const work of CASES) {
      for (const { port } of Object.values(servers)) {
        await checkAnswer(port, work)
        await generator.load({ port, ...work, connections: CONNECTIONS, seconds })
      }
      const samples = { [ours]: [], [theirs]: [] }
      for (let pair = 0; pair < pairs; pair++) {
        report(`${work.name}: pair ${pair + 1} of ${pairs}`)
        for (const name of pair % 2 === 0 ? [ours, theirs] : [theirs, ours]) {
          const { port } = servers[name]
          samples[name].push(await generator.load({ port, ...work, connections: CONNECTIONS, seconds }))
        }
      }
      for (const [key, unit] of [
        ['perSecond', 'req/s'],
        ['p99Ms', 'ms, p99'],
      ]) {
        const [a, b] = [ours, theirs].map((name) => samples[name].map((sample) => sample[key]))
        const { ratio, low, high } = bootstrapRatio(a, b)
        rows.push({
          bench: 'compare',
          case: work.name,
          peer: ours,
          against: theirs,
          unit,
          ratio,
          low,
          high,
          rounds: pairs,
        })
      }
    }
    return rows
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.stop()))
  }
}
