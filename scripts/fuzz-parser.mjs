// The fuzzing tests of test/fuzz for as long as wanted: our parsers against each other, their grammar and other people's.
//   node scripts/fuzz-parser.mjs --seconds 300 [--seed 1]
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** Each of the two files has so many time-boxed tests, one after the other; the files run at the same time. */
const TESTS_A_FILE = 4

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
})
const seconds = Number(values.seconds)
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error('usage: fuzz-parser.mjs [--seconds N] [--seed S]')
  process.exit(2)
}

const vitest = createRequire(import.meta.url)
  .resolve('vitest/package.json')
  .replace(/package\.json$/, 'vitest.mjs')
console.log(`fuzzing for ${seconds} s; --seed ${seed} repeats it`)
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/fuzz'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  env: { ...process.env, FUZZ_SECONDS: String(seconds / TESTS_A_FILE), FUZZ_SEED: String(seed) },
  stdio: 'inherit',
})
process.exit(status ?? 1)
