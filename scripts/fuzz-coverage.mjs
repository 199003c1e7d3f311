// Coverage-guided fuzzing of the HTTP layer with Jazzer.js, which is fetched into a temporary folder: it is no dependency.
//   node scripts/fuzz-coverage.mjs --seconds 120 [--target head] [--seed 1] [--keep]
// What is called is in fuzz-targets.ts, what must hold in test/fuzz/support/checks.ts. After a finding the folder stays, with the
// input in a file whose name is printed; with --keep it always does, and with it the corpus.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { relink } from './fuzz-relink.mjs'

const ENGINE = '@jazzer.js/core@4.0.0'
const TARGETS = ['head', 'framing', 'chunked', 'copyFields']
const INPUT_BYTES_MAX = 6004
const root = fileURLToPath(new URL('..', import.meta.url))

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    target: { type: 'string', multiple: true, default: TARGETS },
    keep: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const seed = Number(values.seed)
if (!(seconds > 0) || !Number.isSafeInteger(seed) || values.target.some((name) => !TARGETS.includes(name))) {
  console.error(
    `usage: fuzz-coverage.mjs [--seconds N] [--seed S] [--target ${TARGETS.join('|')}]... [--keep]`,
  )
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'ringlet-fuzz-'))
const at = (...parts) => join(folder, ...parts)

/** Installs the fuzzer beside the bundles, and sees to it that its addon loads. */
function installEngine() {
  writeFileSync(at('package.json'), '{ "private": true }')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ENGINE], {
    cwd: folder,
    stdio: 'inherit',
  })
  if (engineLoads().status === 0) return
  const prebuilds = at('node_modules', '@jazzer.js', 'fuzzer', 'prebuilds')
  const addon = readdirSync(prebuilds).find((name) => name.includes(`${process.platform}-${process.arch}`))
  if (process.platform === 'linux' && addon !== undefined) relink(join(prebuilds, addon))
  const { status, stderr } = engineLoads()
  if (status !== 0) throw new Error(`${ENGINE} does not load here: ${stderr}`)
}

function engineLoads() {
  return spawnSync(process.execPath, ['-e', "require('@jazzer.js/fuzzer')"], {
    cwd: folder,
    encoding: 'utf8',
  })
}

/** The modules of src/http stay apart from what calls them, so that the fuzzer follows their branches only. */
const modulesApart = {
  name: 'modules-apart',
  setup(build) {
    build.onResolve({ filter: /\.ts$/ }, ({ kind, path, importer }) => {
      if (kind === 'entry-point') return undefined
      const isInside = importer.includes(`${sep}src${sep}http${sep}`)
      if (isInside) return { path: path.replace(/ts$/, 'cjs'), external: true }
      const name = /src\/http\/(.*)\.ts$/.exec(path)?.[1]
      return name === undefined ? undefined : { path: `./http/${name}.cjs`, external: true }
    })
  },
}

async function bundle() {
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    conditions: ['ringlet-source'],
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    plugins: [modulesApart],
    logLevel: 'warning',
  }
  const modules = readdirSync(join(root, 'src/http')).filter((name) => name.endsWith('.ts'))
  await build({
    ...common,
    entryPoints: Object.fromEntries(modules.map((name) => [`http/${name.slice(0, -3)}`, `src/http/${name}`])),
  })
  await build({
    ...common,
    entryPoints: { target: 'scripts/fuzz-targets.ts' },
    // Where test/http/support/simd.ts looks for the parser that was built.
    define: {
      'import.meta.url': JSON.stringify(pathToFileURL(join(root, 'test/http/support/simd.ts')).href),
    },
  })
}

function jazzer(target, options, engineOptions) {
  const command = at('node_modules', '@jazzer.js', 'core', 'dist', 'cli.js')
  const args = [
    command,
    at('target.cjs'),
    at(`corpus-${target}`),
    '--sync',
    '-f',
    target,
    '-i',
    at('http', sep),
  ]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...args, ...options, '--', ...engineOptions],
    {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  )
  return { status, output: `${stdout}${stderr}` }
}

/** Fuzzes one target; returns its row of the report, or says what was found and sets the exit code. */
function run(target, firstInputs) {
  const corpus = at(`corpus-${target}`)
  mkdirSync(corpus)
  firstInputs(target, seed).forEach((bytes, i) => {
    writeFileSync(join(corpus, `first-${i}`), bytes)
  })
  const share = Math.ceil(seconds / values.target.length)
  const fuzzed = jazzer(
    target,
    ['--disableBugDetectors', '.*'],
    [`-max_total_time=${share}`, `-seed=${seed}`, `-max_len=${INPUT_BYTES_MAX}`, '-print_final_stats=1'],
  )
  const edges = [...fuzzed.output.matchAll(/cov: (\d+)/g)].at(-1)?.[1]
  if (fuzzed.status !== 0 || edges === undefined) {
    process.exitCode = 1
    values.keep = true
    console.error(fuzzed.output.slice(-6000))
  }
  const number = (pattern) => pattern.exec(fuzzed.output)?.[1] ?? '?'
  return {
    target,
    executions: number(/number_of_executed_units: (\d+)/),
    'a second': number(/average_exec_per_sec: +(\d+)/),
    edges: edges ?? 'none',
    inputs: readdirSync(corpus).length,
  }
}

/** Percentages of each module that the corpus of a target reaches, by module. */
function coverageOf(target) {
  jazzer(
    target,
    ['-m', 'regression', '--cov', '--cov_reporters', 'json-summary', '--cov_dir', at('coverage')],
    [],
  )
  const summary = JSON.parse(readFileSync(at('coverage', 'coverage-summary.json'), 'utf8'))
  return Object.entries(summary)
    .filter(([path]) => path !== 'total')
    .map(([path, { lines, branches }]) => [
      basename(path, '.cjs'),
      { lines: lines.pct, branches: branches.pct },
    ])
}

/** The best of all targets, for each module that any of them reaches. */
function coverage(targets) {
  const best = {}
  for (const [name, { lines, branches }] of targets.flatMap(coverageOf)) {
    const known = (best[name] ??= { 'lines %': 0, 'branches %': 0 })
    known['lines %'] = Math.max(known['lines %'], lines)
    known['branches %'] = Math.max(known['branches %'], branches)
  }
  return best
}

try {
  installEngine()
  await bundle()
  const { firstInputs } = createRequire(import.meta.url)(at('target.cjs'))
  console.log(`${ENGINE}, ${seconds} s over ${values.target.join(', ')}; --seed ${seed}`)
  console.table(values.target.map((target) => run(target, firstInputs)))
  console.table(coverage(values.target))
} finally {
  if (values.keep) console.log(`kept: ${folder}`)
  else rmSync(folder, { recursive: true, force: true })
}
