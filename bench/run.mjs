// npm run bench -- [names] [--quick] [--case NAME]: runs the benchmarks named (all without a name), prints a table, and appends every
// row to bench/history.ndjson. --case, which may be given again, keeps those cases of peers, or of noisy, only. Three other words do something else: install, report, compare REVISION.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { appendHistory, circumstances } from './lib/history.mjs'
import { table } from './lib/table.mjs'

const BENCHES = {
  ring: () => import('./ring/run.mjs'),
  parser: () => import('./parser/run.mjs'),
  engine: () => import('./engine/run.mjs'),
  http: () => import('./http/run.mjs'),
  peers: () => import('./peers/run.mjs'),
  coldstart: () => import('./coldstart/run.mjs'),
  density: () => import('./density/run.mjs'),
  scale: () => import('./scale/run.mjs'),
  noisy: () => import('./noisy/run.mjs'),
  static: () => import('./static/run.mjs'),
  hono: () => import('./hono/run.mjs'),
}
const COLUMNS = [
  ['bench', 'bench'],
  ['case', 'case'],
  ['peer', 'peer'],
  ['median', 'median'],
  ['unit', 'unit'],
  ['min', 'min'],
  ['max', 'max'],
  ['p50Ms', 'p50 ms'],
  ['p99Ms', 'p99 ms'],
  ['p999Ms', 'p99.9 ms'],
  ['failed', 'failed'],
  ['cpuMicros', 'cpu µs'],
  ['residentMiB', 'resident MiB'],
  ['ratio', 'ratio'],
  ['low', 'from'],
  ['high', 'to'],
  ['against', 'against'],
  ['p50Ratio', 'p50 ratio'],
  ['growthPercent', 'growth %'],
  ['perFunctionKB', 'KB each'],
]
const root = fileURLToPath(new URL('..', import.meta.url))
const report = (text) => console.error(`  ${text}`)
const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, case: { type: 'string', multiple: true } },
})
const quick = values.quick === true

function fail(code, text) {
  console.error(text)
  process.exit(code)
}

async function runBenches(names) {
  const rows = []
  for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
    console.error(`${name}${quick ? ' (quick: figures are a rough look only)' : ''}`)
    const bench = await BENCHES[name]()
    rows.push(...(await bench.run({ quick, report, cases: values.case })))
  }
  return rows
}

/** What the words ask for: rows, or nothing when all is done. */
async function work([first, ...rest]) {
  if (first === 'install') return (await import('./install.mjs')).install(report)
  if (first === 'report') return (await import('./report/run.mjs')).report(report)
  if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
    fail(1, 'dist/main.js is not there: run `npm run build` first')
  }
  if (first === 'compare') {
    const [revision] = rest
    if (revision === undefined || rest.length > 1)
      fail(2, 'compare takes one revision: npm run bench -- compare HEAD~1')
    return (await import('./compare/run.mjs')).compare({ revision, quick, report })
  }
  const names = first === undefined ? [] : [first, ...rest]
  const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name))
  if (unknown.length > 0) {
    const known = [...Object.keys(BENCHES), 'install', 'report', 'compare'].join(', ')
    fail(2, `unknown: ${unknown.join(', ')}; there are ${known}, and the flag --quick`)
  }
  return runBenches(names)
}

const run = { ...circumstances(root), quick }
const rows = await work(words)
if (rows !== undefined) {
  await appendHistory(new URL('./history.ndjson', import.meta.url), rows, run)
  const { machine, node, commit, dirty } = run
  console.log(`\n${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node.js ${node}`)
  console.log(`${commit ?? 'no commit'}${dirty ? ', changed since' : ''}\n`)
  const columns = COLUMNS.filter(([key]) => rows.some((row) => row[key] !== undefined))
  console.log(table(rows, columns))
}
