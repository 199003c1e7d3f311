// npm run bench -- [ring|parser|http ...] [--quick]: runs the benchmarks named (all without a name), prints a table, and
// appends every row to bench/history.ndjson.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { appendHistory, circumstances } from './lib/history.mjs'
import { table } from './lib/table.mjs'

const BENCHES = {
  ring: () => import('./ring/run.mjs'),
  parser: () => import('./parser/run.mjs'),
  http: () => import('./http/run.mjs'),
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
  ['ratio', 'ratio'],
  ['against', 'against'],
  ['p50Ratio', 'p50 ratio'],
  ['growthPercent', 'growth %'],
]
const root = fileURLToPath(new URL('..', import.meta.url))
const report = (text) => console.error(`  ${text}`)

const names = process.argv.slice(2).filter((argument) => argument !== '--quick')
const quick = process.argv.includes('--quick')
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name))
if (unknown.length > 0) {
  console.error(
    `unknown: ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}, and the flag --quick`,
  )
  process.exit(2)
}
if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
  console.error('dist/main.js is not there: run `npm run build` first')
  process.exit(1)
}

const run = { ...circumstances(root), quick }
const rows = []
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  console.error(`${name}${quick ? ' (quick: figures are a rough look only)' : ''}`)
  const bench = await BENCHES[name]()
  const found = await bench.run({ quick, report })
  await appendHistory(new URL('./history.ndjson', import.meta.url), found, run)
  rows.push(...found)
}

console.log(`\n${run.machine.cpu}, ${run.machine.cores} cores, ${run.machine.platform}, Node.js ${run.node}`)
console.log(`${run.commit ?? 'no commit'}${run.dirty ? ', changed since' : ''}\n`)
console.log(
  table(
    rows,
    COLUMNS.filter(([key]) => rows.some((row) => row[key] !== undefined)),
  ),
)
