/** The configuration as a library sees it: defaults, changed by what the caller gives. */

import * as v from 'valibot'
import { type Config, type ConfigInput, configSchema, type FunctionConfig } from './schema.ts'

/** Every key that is not given has its default. */
export const defaultConfig = (overrides: ConfigInput = {}): Config => v.parse(configSchema, overrides)

export type FunctionLimits = Required<NonNullable<FunctionConfig['limits']>>

/** The limits one function runs under: its own over those of the `limits` section. */
export function functionLimits(
  config: Pick<Config, 'limits'>,
  overrides: FunctionConfig['limits'],
): FunctionLimits {
  const { cpuMs, wallMs, memoryBytes, stackBytes, responseBytes, timers, hostCalls, concurrency } =
    config.limits
  return {
    cpuMs,
    wallMs,
    memoryBytes,
    stackBytes,
    responseBytes,
    timers,
    hostCalls,
    concurrency,
    ...overrides,
  }
}
