import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const require = createRequire(import.meta.url)
const WRK = 'wrk'
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024

/**
 * The load generator: wrk where it is installed, else autocannon, which is a Node.js program itself and takes more
 * of the processor than most servers it measures. Both run as a child process, on the same machine.
 * @returns {{name: string, load(options: {port: number, path: string, headers?: Record<string, string>, body?: string, connections: number, seconds: number}):
 *   Promise<{requests: number, perSecond: number, p50Ms: number, p99Ms: number, p999Ms: number}>}}
 */
export function loadGenerator() {
  const found = spawnSync(WRK, ['--version'], { stdio: 'ignore' })
  if (found.error) return { name: 'autocannon', load: loadWithAutocannon }
  return { name: 'wrk', load: loadWithWrk }
}

async function loadWithWrk({ port, path, headers = {}, body, connections, seconds }) {
  const folder = await mkdtemp(join(tmpdir(), 'ringlet-bench-'))
  try {
    const script = join(folder, 'load.lua')
    await writeFile(script, loadScript(body))
    const args = [
      '--threads',
      '1',
      '--connections',
      `${connections}`,
      '--duration',
      // Whole seconds are all that wrk takes.
      `${Math.max(1, Math.round(seconds))}s`,
      '--script',
      script,
      ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    ]
    const { stdout } = await run(WRK, [...args, `http://127.0.0.1:${port}${path}`], {
      maxBuffer: OUTPUT_BYTES_MAX,
    })
    return parseWrk(stdout)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What is sent, and the result as one line of JSON: wrk itself prints no 99.9th percentile. Latencies are in microseconds. */
function loadScript(body) {
  const post = [
    'wrk.method = "POST"',
    'wrk.headers["Content-Type"] = "application/json"',
    `wrk.body = [==[${body}]==]`,
  ]
  return [
    ...(body === undefined ? [] : post),
    'done = function(summary, latency, requests)',
    '  local e = summary.errors',
    '  io.write(string.format(\'RESULT {"requests":%d,"micros":%d,"failed":%d,"p50":%d,"p99":%d,"p999":%d}\\n\',',
    '    summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,',
    '    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))',
    'end',
    '',
  ].join('\n')
}

function parseWrk(text) {
  const match = /^RESULT (.*)$/m.exec(text)
  if (match === null) throw new Error(`not understood of wrk:\n${text}`)
  const { requests, micros, failed, p50, p99, p999 } = JSON.parse(match[1])
  if (failed > 0) throw new Error(`wrk reports ${failed} failed requests:\n${text}`)
  return {
    requests,
    perSecond: (requests * 1e6) / micros,
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    p999Ms: p999 / 1000,
  }
}

async function loadWithAutocannon({ port, path, headers = {}, body, connections, seconds }) {
  const cli = require.resolve('autocannon/autocannon.js')
  const args = [cli, '--json', '--no-progress', '--connections', `${connections}`, '--duration', `${seconds}`]
  for (const [name, value] of Object.entries(headers)) args.push('--headers', `${name}=${value}`)
  if (body !== undefined)
    args.push('--method', 'POST', '--headers', 'content-type=application/json', '--body', body)
  const { stdout } = await run(process.execPath, [...args, `http://127.0.0.1:${port}${path}`], {
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  const result = JSON.parse(stdout)
  const failed = result.non2xx + result.errors + result.timeouts
  if (failed > 0) throw new Error(`autocannon reports ${failed} failed requests`)
  return {
    requests: result.requests.total,
    perSecond: result.requests.total / result.duration,
    // Whole milliseconds: autocannon does not measure finer.
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    p999Ms: result.latency.p99_9,
  }
}
