/** `RINGLET_*` variables. One that sets no key is an error: a misspelt limit must not be no limit. */
import { coerce, environmentName, settableKeys } from './keys.ts'
import type { Problems } from './problems.ts'
import { didYouMean } from './suggest.ts'

const PREFIX = 'RINGLET_'
/** Not a key: the variable for `--config`. */
export const CONFIG_VARIABLE = 'RINGLET_CONFIG'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Setting {
  /** Dotted path of the key. */
  readonly path: string
  readonly value: string | number
  /** What set it, for error lines. */
  readonly source: string
}

export function readEnvironment(environment: Environment, problems: Problems): Setting[] {
  const given = Object.keys(environment).filter(
    (name) => name.startsWith(PREFIX) && environment[name] !== undefined,
  )
  if (given.length === 0) return []
  const keys = new Map(settableKeys().map((key) => [environmentName(key.path), key]))
  const settings: Setting[] = []
  for (const name of given.sort()) {
    if (name === CONFIG_VARIABLE) continue
    const key = keys.get(name)
    if (key) settings.push({ path: key.path, value: coerce(key.info, environment[name]!), source: name })
    else if (name === `${PREFIX}FUNCTIONS`)
      problems.add(`${name}: functions can only be set in a configuration file`)
    else if (name === `${PREFIX}STATIC`)
      problems.add(`${name}: static can only be set in a configuration file, or by --static`)
    else problems.add(`unknown variable ${name}${didYouMean(name, keys.keys())}`)
  }
  return settings
}
