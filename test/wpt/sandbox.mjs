// Runs test files in Ringlet: one function whose image has the harness in it, reset after each request, one request a file.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MIB = 1 << 20
const WALL_MS = 270_000
const CPU_MS = 60_000

/**
 * @param {string} harness text of testharness.js and guest.js
 * @param {number} jobs files at once, on two shards
 * @returns {Promise<{ run(file: object): Promise<object>, stop(): Promise<void> }>}
 */
export async function openSandbox(harness, jobs, level) {
  const { start, defaultConfig } = await import('../../dist/server.js')
  const folder = fileURLToPath(new URL('../../.cache/wpt/', import.meta.url))
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'harness.cjs')
  await writeFile(file, harness)
  const perShard = Math.ceil(jobs / 2)
  const server = await start(
    defaultConfig({
      port: 0,
      cores: 2,
      isolation: 'request',
      log: { level },
      cache: { mode: 'off' },
      limits: {
        cpuMs: CPU_MS,
        wallMs: WALL_MS,
        memoryBytes: 256 * MIB,
        bodyBytes: 32 * MIB,
        inlineBodyBytes: 32 * MIB,
        responseBytes: 64 * MIB,
        hostCalls: 10_000_000,
        timers: 100_000,
      },
      pool: { maxPerFunction: perShard, queueMs: 60_000, blanks: perShard },
      watchdog: { strikes: 1000 },
      penalty: { offences: 0 },
      restart: { max: 1000 },
      functions: [{ name: 'wpt', file, routes: ['/*'] }],
    }),
  )
  return {
    async run(description) {
      const answer = await fetch(server.url, { method: 'POST', body: JSON.stringify(description) })
      if (answer.status === 200) return answer.json()
      const { error, message } = await answer.json()
      return { status: 1, message: `${error}: ${message}`, tests: [] }
    },
    stop: () => server.stop(),
  }
}
