// What is expected of each folder: expectations/FOLDER.json names the files that cannot apply and every subtest that fails,
// each with its reason. A difference in either direction is an error: a regression, or an entry that is no longer true.
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { FOLDERS } from './files.mjs'

/** Stands for the file itself in a list of subtests: it threw, ran out of time, or ended the sandbox. */
export const FILE = '(file)'

const place = (folder) => new URL(`expectations/${folder}.json`, import.meta.url)

/**
 * One folder's expectations.
 * @typedef {object} Expectations
 * @property {Record<string, string>} skipped files, by path (`*` stands for any text), and why they cannot apply
 * @property {Record<string, string>} slow files that take minutes, as above: left out by --quick
 * @property {Record<string, Record<string, string>>} notApplicable of a file that does apply: subtests that cannot, as a pattern, and why
 * @property {Record<string, Record<string, string[]>>} failing subtests that fail, by file and reason
 */

/** @returns {Promise<Map<string, Expectations>>} by folder */
export async function readExpectations() {
  const all = new Map()
  for (const folder of FOLDERS) {
    const known = existsSync(place(folder)) ? JSON.parse(await readFile(place(folder), 'utf8')) : {}
    all.set(folder, { skipped: {}, slow: {}, notApplicable: {}, failing: {}, ...known })
  }
  return all
}

/** Why a file is not run; undefined when it is. */
export function skipReason({ skipped }, name) {
  return matching(skipped, name)
}

/** Why a file is left out of a quick run; undefined when it is not. */
export function slowReason({ slow }, name) {
  return matching(slow, name)
}

function matching(reasons, name) {
  for (const [pattern, reason] of Object.entries(reasons)) if (glob(pattern).test(name)) return reason
  return undefined
}

function glob(pattern) {
  return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`)
}

/** The subtests of a result that count, with names made unique: a failing file is a failing subtest. */
export function subtests({ notApplicable }, { path }, { status, message, tests }) {
  const patterns = Object.keys(notApplicable[path] ?? {}).map((pattern) => new RegExp(pattern))
  const seen = new Map()
  const found = []
  for (const [name, outcome, text] of tests) {
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    const unique = times === 1 ? name : `${name} #${times}`
    if (!patterns.some((pattern) => pattern.test(name)))
      found.push({ name: unique, passed: outcome === 0, message: text })
  }
  if (status !== 0) found.push({ name: FILE, passed: false, message })
  return found
}

/**
 * Compares a run with what was expected of it.
 * @returns {{ regressions: object[], stale: string[], unexplained: string[], expected: number }}
 *   failing subtests not listed; listed ones that pass or are not there; listed ones without a reason; how many fail as listed
 */
export function compare({ failing }, { name }, found) {
  const reasons = reasonsOf(failing, name)
  const failed = new Set(found.filter(({ passed }) => !passed).map((subtest) => subtest.name))
  return {
    regressions: found.filter((subtest) => !subtest.passed && !reasons.has(subtest.name)),
    stale: [...reasons.keys()].filter((subtest) => !failed.has(subtest)),
    unexplained: [...reasons].filter(([, reason]) => reason === '').map(([subtest]) => subtest),
    expected: [...failed].filter((subtest) => reasons.has(subtest)).length,
  }
}

function reasonsOf(failing, name) {
  const reasons = new Map()
  for (const [reason, names] of Object.entries(failing[name] ?? {}))
    for (const subtest of names) reasons.set(subtest, reason)
  return reasons
}

/** Entries that no file of the suite matches. */
export function unmatched({ skipped, slow, failing, notApplicable }, files) {
  const names = new Set(files.map(({ name }) => name))
  const paths = new Set(files.map(({ path }) => path))
  return [
    ...Object.keys(failing).filter((name) => !names.has(name)),
    ...Object.keys(notApplicable).filter((path) => !paths.has(path)),
    ...Object.keys({ ...skipped, ...slow }).filter(
      (pattern) => ![...names].some((name) => glob(pattern).test(name)),
    ),
  ]
}

/** Makes the entry of a file what has just been found; reasons that were given stay, new entries have none. */
export function update({ failing }, { name }, found) {
  const reasons = reasonsOf(failing, name)
  const entry = {}
  for (const subtest of found) {
    if (subtest.passed) continue
    const reason = reasons.get(subtest.name) ?? ''
    entry[reason] = [...(entry[reason] ?? []), subtest.name]
  }
  if (Object.keys(entry).length === 0) delete failing[name]
  else failing[name] = entry
}

/** Writes a folder's file, in the order of the files' names. */
export async function writeExpectations(folder, { skipped, slow, notApplicable, failing }) {
  const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
  const content = {
    skipped: sorted(skipped),
    slow: sorted(slow),
    notApplicable: sorted(notApplicable),
    failing: sorted(failing),
  }
  await writeFile(place(folder), `${JSON.stringify(content, null, 2)}\n`)
}
