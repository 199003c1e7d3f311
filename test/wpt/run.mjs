// npm run test:wpt: web-platform-tests inside the sandbox, compared with what is expected of each subtest.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import {
  compare,
  readExpectations,
  skipReason,
  slowReason,
  subtests,
  unmatched,
  update,
  writeExpectations,
} from './expectations.mjs'
import { describeRun, listFiles } from './files.mjs'
import { openNode } from './node-peer.mjs'
import { newTotals, printDifferences, printTable } from './report.mjs'
import { openSandbox } from './sandbox.mjs'
import { testFolder } from './source.mjs'

/** More than cores: many tests wait for timers. */
const JOBS = 6
const SLOW_MS = 10_000

const program = new Command('npm run test:wpt --')
  .argument('[prefixes...]', 'run only files whose path begins so, as in url/ or streams/piping/abort')
  .option('--verbose', 'name each file and each failing subtest with its message')
  .option('--update', 'make the expectations what is found; reasons that are there stay')
  .option(
    '--node',
    "run the same files on Node's own globals, and name what passes there and is expected to fail here",
  )
  .option('--quick', 'leave out what takes minutes: the files that the expectations name as slow')
  .option('--jobs <n>', 'files at once', Number, JOBS)
  .option('--tarball <file>', 'a copy of the tarball, where there is no apt')
  .option('--log <level>', "the server's log level", 'silent')
program.parse()
const options = program.opts()

const root = await testFolder(options.tarball)
const all = listFiles(root, program.args)
const expectations = await readExpectations()
const harness = [
  await readFile(join(root, 'resources/testharness.js'), 'utf8'),
  await readFile(new URL('guest.js', import.meta.url), 'utf8'),
].join('\n')
const peer = options.node ? openNode(harness) : await openSandbox(harness, options.jobs, options.log)

const totals = new Map()
const differences = { regressions: [], stale: [], unexplained: [] }
const onlyNode = []
const leftOut = []

async function runFile(file) {
  const expected = expectations.get(file.folder)
  const counts = totals.get(file.folder)
  const reason = skipReason(expected, file.name)
  if (reason === undefined && options.quick && slowReason(expected, file.name) !== undefined) {
    leftOut.push(file.name)
    return
  }
  if (reason !== undefined) {
    counts.skipped++
    if (options.verbose) console.log(`skip ${file.name}: ${reason}`)
    return
  }
  const from = performance.now()
  const result = await peer.run(describeRun(root, file))
  const ms = performance.now() - from
  const found = subtests(expected, file, result)
  const { regressions, stale, unexplained, expected: failing } = compare(expected, file, found)
  const passed = found.filter((subtest) => subtest.passed)
  counts.files++
  counts.subtests += found.length
  counts.passed += passed.length
  counts.expected += failing
  counts.ms += ms
  if (options.verbose || ms > SLOW_MS) tell(file, found, passed, ms)
  if (options.node) {
    const listed = new Set(stale)
    for (const { name } of passed) if (listed.has(name)) onlyNode.push(`${file.name}: ${name}`)
    return
  }
  if (options.update) {
    update(expected, file, found)
    return
  }
  differences.regressions.push(...regressions.map(({ name, message }) => `${file.name}: ${name}\n${message}`))
  differences.stale.push(...stale.map((name) => `${file.name}: ${name}`))
  differences.unexplained.push(...unexplained.map((name) => `${file.name}: ${name}`))
}

function tell(file, found, passed, ms) {
  console.log(`${file.name}: ${passed.length} of ${found.length}, ${Math.round(ms)} ms`)
  if (!options.verbose) return
  for (const { name, passed, message } of found) if (!passed) console.log(`  - ${name}: ${message}`)
}

for (const { folder } of all) if (!totals.has(folder)) totals.set(folder, newTotals())
const queue = all.values()
const jobs = Array.from({ length: options.jobs }, async () => {
  for (const file of queue) await runFile(file)
})
await Promise.all(jobs)
await peer.stop()

for (const folder of totals.keys()) {
  const expected = expectations.get(folder)
  if (options.update) await writeExpectations(folder, expected)
  else if (!options.node && program.args.length === 0)
    differences.stale.push(
      ...unmatched(
        expected,
        all.filter((file) => file.folder === folder),
      ),
    )
}
const sum = printTable(totals)
if (leftOut.length > 0) console.log(`\n${leftOut.length} slow ones left out: ${leftOut.join(', ')}`)
if (options.node) {
  console.log(`\n${onlyNode.length} pass on Node ${process.version} and are expected to fail in the sandbox`)
  if (options.verbose) for (const name of onlyNode) console.log(`  ${name}`)
} else {
  printDifferences(differences)
  const failed = Object.values(differences).reduce((count, list) => count + list.length, 0)
  console.log(`\n${sum.passed} passed, ${failed} failed, ${sum.expected} expected to fail`)
  if (failed > 0) process.exitCode = 1
}
