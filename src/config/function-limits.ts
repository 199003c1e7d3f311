import type { Config, FunctionConfig } from './schema.ts'

export type FunctionLimits = Required<NonNullable<FunctionConfig['limits']>>

/** The limits one function runs under: its own over those of the `limits` section. */
export function functionLimits(
  config: Pick<Config, 'limits'>,
  overrides: FunctionConfig['limits'],
): FunctionLimits {
  const { cpuMs, wallMs, memoryBytes, stackBytes, responseBytes, streamBytes } = config.limits
  const { streamIdleMs, streamMs, timers, pendingCalls, subrequests, hostCalls } = config.limits
  const { concurrency, requestsPerRuntime } = config.limits
  const memory = { memoryBytes, stackBytes, responseBytes, streamBytes }
  const times = { cpuMs, wallMs, streamIdleMs, streamMs }
  const counts = { timers, pendingCalls, subrequests, hostCalls, concurrency, requestsPerRuntime }
  return { ...memory, ...times, ...counts, ...overrides }
}
