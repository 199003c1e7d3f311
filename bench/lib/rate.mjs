import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CLIENT = fileURLToPath(new URL('./rate-client.mjs', import.meta.url))
const WARM_UP_SECONDS = 0.5

/**
 * Requests at a constant rate, with latencies from when each was due. The client is one thread of Node.js, good for some 20,000
 * requests/s; like every load generator here it runs on the same machine as the servers.
 * @param {{port: number, path: string, headers?: Record<string, string>, body?: string, connections: number, perSecond: number, seconds: number, warmUpSeconds?: number, maySeeFailures?: boolean}} options `maySeeFailures`: failed requests are counted, not an error
 * @returns {Promise<{requests: number, failed: number, perSecond: number, p50Ms: number, p99Ms: number, p999Ms: number, maxMs: number}>}
 */
export async function constantRate({ warmUpSeconds = WARM_UP_SECONDS, maySeeFailures = false, ...options }) {
  const { body } = options
  const method = body === undefined ? 'GET' : 'POST'
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const task = { method, ...options, headers: { ...headers, ...options.headers }, warmUpSeconds }
  const timeout = (options.seconds + warmUpSeconds) * 1000 + 30_000
  const { stdout } = await run(process.execPath, [CLIENT, JSON.stringify(task)], { timeout })
  const result = JSON.parse(stdout)
  if (result.failed > 0 && !maySeeFailures)
    throw new Error(`${result.failed} of ${result.requests} requests failed`)
  return result
}
