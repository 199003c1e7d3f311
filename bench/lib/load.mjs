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
 *   Promise<{requests: number, perSecond: number, p50Ms: number, p99Ms: number}>}}
 */
export function loadGenerator() {
  const found = spawnSync(WRK, ['--version'], { stdio: 'ignore' })
  if (found.error) return { name: 'autocannon', load: loadWithAutocannon }
  return { name: 'wrk', load: loadWithWrk }
}

async function loadWithWrk({ port, path, headers = {}, body, connections, seconds }) {
  const folder = await mkdtemp(join(tmpdir(), 'ringlet-bench-'))
  try {
    const args = [
      '--threads',
      '1',
      '--connections',
      `${connections}`,
      '--duration',
      `${seconds}s`,
      '--latency',
      ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    ]
    if (body !== undefined) {
      const script = join(folder, 'post.lua')
      await writeFile(script, postScript(body))
      args.push('--script', script)
    }
    const { stdout } = await run(WRK, [...args, `http://127.0.0.1:${port}${path}`], {
      maxBuffer: OUTPUT_BYTES_MAX,
    })
    return parseWrk(stdout)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function postScript(body) {
  return [
    'wrk.method = "POST"',
    'wrk.headers["Content-Type"] = "application/json"',
    `wrk.body = [==[${body}]==]`,
    '',
  ].join('\n')
}

function parseWrk(text) {
  const problems = /^ {2}(Non-2xx or 3xx responses: .*|Socket errors: .*)$/m.exec(text)
  if (problems) throw new Error(`wrk reports: ${problems[1]}`)
  const requests = /(\d+) requests in/.exec(text)
  const perSecond = /^Requests\/sec:\s+([\d.]+)/m.exec(text)
  if (!requests || !perSecond) throw new Error(`not understood of wrk:\n${text}`)
  return {
    requests: Number(requests[1]),
    perSecond: Number(perSecond[1]),
    p50Ms: percentile(text, '50'),
    p99Ms: percentile(text, '99'),
  }
}

const UNIT_MS = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

function percentile(text, name) {
  const match = new RegExp(`^\\s+${name}%\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(text)
  if (!match) throw new Error(`no ${name}% in what wrk says:\n${text}`)
  return Number(match[1]) * UNIT_MS[match[2]]
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
  }
}
