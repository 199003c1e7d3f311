/**
 * What libraries ask of `process` while they are loaded. A function has no process: `env` holds NODE_ENV only (its own is the
 * handler's second argument), and nothing tells of the host.
 */
export const env: Record<string, string | undefined> = { NODE_ENV: 'production' }
export const argv: string[] = []
export const execArgv: string[] = []
export const pid = 1
export const platform = 'linux'
export const title = 'ringlet'
export const version = ''
/** Empty: libraries look for `versions.node` to tell whether they may use all of Node. */
export const versions: Record<string, string> = {}
export const cwd = (): string => '/'
export const uptime = (): number => performance.now() / 1000

export function nextTick(callback: (...args: unknown[]) => void, ...args: unknown[]): void {
  queueMicrotask(() => callback(...args))
}

export function emitWarning(warning: string | Error): void {
  console.warn(warning)
}

const NANOS_PER_MILLI = 1e6

/** [seconds, nanoseconds] since `since`, as Node's. */
export function hrtime(since?: readonly [number, number]): [number, number] {
  const nowMs = performance.now()
  const seconds = Math.floor(nowMs / 1000)
  const nanos = Math.floor((nowMs - seconds * 1000) * NANOS_PER_MILLI)
  if (since === undefined) return [seconds, nanos]
  const borrow = nanos < since[1]
  return [seconds - since[0] - (borrow ? 1 : 0), nanos - since[1] + (borrow ? 1e9 : 0)]
}
hrtime.bigint = (): bigint => BigInt(Math.round(performance.now() * NANOS_PER_MILLI))

export default {
  argv,
  cwd,
  emitWarning,
  env,
  execArgv,
  hrtime,
  nextTick,
  pid,
  platform,
  title,
  uptime,
  version,
  versions,
}
