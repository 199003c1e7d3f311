import type { Config, FunctionConfig } from './schema.ts'

export type FunctionLimits = Required<NonNullable<FunctionConfig['limits']>>

/** The limits one function runs under: its own over those of the `limits` section. */
export function functionLimits(
  config: Pick<Config, 'limits'>,
  overrides: FunctionConfig['limits'],
): FunctionLimits {
  const { cpuMs, wallMs, memoryBytes, stackBytes, responseBytes } = config.limits
  const { timers, pendingCalls, hostCalls, concurrency } = config.limits
  const common = {
    cpuMs,
    wallMs,
    memoryBytes,
    stackBytes,
    responseBytes,
    timers,
    pendingCalls,
    hostCalls,
    concurrency,
  }
  return { ...common, ...overrides }
}
