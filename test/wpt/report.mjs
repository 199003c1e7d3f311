// What a run prints: a row a folder, then every difference from what was expected.

const DIFFERENCES_MAX = 200

/** Counts of a folder's runs. */
export function newTotals() {
  return { files: 0, subtests: 0, passed: 0, expected: 0, skipped: 0, ms: 0 }
}

export function addTotals(to, from) {
  for (const key of Object.keys(to)) to[key] += from[key]
}

/** @param {Map<string, ReturnType<typeof newTotals>>} folders */
export function printTable(folders) {
  const all = newTotals()
  const rows = [...folders].filter(([, { files, skipped }]) => files + skipped > 0)
  for (const [, totals] of rows) addTotals(all, totals)
  console.log(line('folder', 'files', 'skipped', 'subtests', 'passed', 'expected to fail', ''))
  for (const [name, totals] of [...rows, ['all', all]]) {
    const { files, skipped, subtests, passed, expected } = totals
    console.log(line(name, files, skipped, subtests, passed, expected, percent(passed, subtests)))
  }
  return all
}

function percent(passed, subtests) {
  return subtests === 0 ? '' : `${((100 * passed) / subtests).toFixed(2)} %`
}

function line(name, ...cells) {
  return [name.padEnd(21), ...cells.map((cell) => String(cell).padStart(9))].join(' ')
}

/** @param {{ regressions: object[], stale: string[], unexplained: string[] }} differences */
export function printDifferences({ regressions, stale, unexplained }) {
  print('fail, but are not expected to', regressions)
  print('are expected to fail, but do not (or are not there)', stale)
  print('are expected to fail without a reason', unexplained)
}

function print(what, texts) {
  if (texts.length === 0) return
  console.log(`\n${texts.length} ${what}:`)
  for (const text of texts.slice(0, DIFFERENCES_MAX)) console.log(`  ${text.replaceAll('\n', '\n    ')}`)
  if (texts.length > DIFFERENCES_MAX)
    console.log(`  and ${texts.length - DIFFERENCES_MAX} more: see --verbose`)
}
