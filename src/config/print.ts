/** The effective configuration as `--print-config` shows it: what can be fed back as a file, except secrets. */
import type { Config } from './schema.ts'

/** Stands for a secret. Refused as a value, so that nobody runs a function with it (checks.ts). */
export const REDACTED = '[redacted]'

export function printConfig(config: Config): string {
  const functions = config.functions.map((each) =>
    each.env
      ? { ...each, env: Object.fromEntries(Object.keys(each.env).map((name) => [name, REDACTED])) }
      : each,
  )
  return `${JSON.stringify({ ...config, functions }, null, 2)}\n`
}
