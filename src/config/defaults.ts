/** The configuration as a library sees it: defaults, changed by what the caller gives. */
import { inspect } from './inspect.ts'
import { Problems } from './problems.ts'
import { type Config, type ConfigInput, configSchema } from './schema.ts'
import { validate } from './validate.ts'

/**
 * Every key that is not given has its default; relative function files count from `folder`.
 * Throws `ConfigError` for what a configuration file could not hold either.
 */
export function defaultConfig(overrides: ConfigInput = {}, folder: string = process.cwd()): Config {
  const problems = new Problems()
  const input = inspect(overrides, configSchema, 'options', problems)
  return validate(input ?? {}, folder, () => 'options', problems)
}
