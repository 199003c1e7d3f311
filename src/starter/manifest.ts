// The package.json of a new project: its own, or that of the folder with what it lacks.

type Entries = Readonly<Record<string, unknown>>

/** What `npm init` writes for want of a test. */
const NO_TEST = /^echo .*no test specified/

const isEntries = (value: unknown): value is Entries =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What the project needs of its package.json. `source`: of this package, for `dependencies`. */
function needed(source: string) {
  return {
    scripts: { start: 'ringlet', test: 'node --test', typecheck: 'tsc' },
    dependencies: { ringlet: source },
    devDependencies: { typescript: '^7.0.2' },
  }
}

export function newManifest(name: string, source: string): Entries {
  return { name, version: '0.0.0', private: true, type: 'module', ...needed(source) }
}

/** A manifest with what is needed and not there: no value changes, but for a test that is none. Undefined for what is no manifest. */
export function completeManifest(text: string, source: string): Entries | undefined {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isEntries(given)) return undefined
  const complete: Record<string, unknown> = { ...given }
  for (const [key, entries] of Object.entries(needed(source))) {
    const known = given[key] ?? {}
    if (!isEntries(known)) return undefined
    const { test, ...others } = known
    complete[key] = { ...entries, ...(typeof test === 'string' && NO_TEST.test(test) ? others : known) }
  }
  return complete
}
