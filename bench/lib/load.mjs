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
 * @returns {{name: string, load(options: {port: number, path: string, headers?: Record<string, string>, body?: string, connections: number, seconds: number, maySeeFailures?: boolean}):
 *   Promise<{requests: number, failed: number, perSecond: number, p50Ms: number, p99Ms: number, p999Ms: number}>}}
 *   and `loadMix`, which sends several `requests` ({method, path, headers, body, status}) in turn. A `status` of 400 or more is
 *   what is expected of that one: any other number of such answers than its share is a failure.
 */
export function loadGenerator() {
  const found = spawnSync(WRK, ['--version'], { stdio: 'ignore' })
  if (found.error) return { name: 'autocannon', load: loadWithAutocannon, loadMix: loadMixWithAutocannon }
  return { name: 'wrk', load: loadWithWrk, loadMix: loadMixWithWrk }
}

async function loadWithWrk({ port, path, headers = {}, body, connections, seconds, maySeeFailures = false }) {
  const fields = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
  const result = await runWrk({ port, path, fields, script: loadScript(body), connections, seconds })
  const failed = result.failed + result.refused
  if (!maySeeFailures) refuseFailed('wrk', failed)
  return { ...result, failed }
}

async function loadMixWithWrk({ port, requests, connections, seconds }) {
  const script = mixScript(requests)
  const result = await runWrk({ port, path: '/', fields: [], script, connections, seconds })
  refuseFailed('wrk', result.failed + unexpectedRefusals(requests, result, connections))
  return result
}

/** How many more or fewer answers of 400 and above there were than requests that expect one, up to those under way at the end. */
function unexpectedRefusals(mix, { requests, refused }, connections) {
  const share = mix.filter(({ status }) => status >= 400).length / mix.length
  const difference = Math.abs(refused - requests * share)
  return share === 0 || difference > connections + mix.length ? difference : 0
}

function refuseFailed(generator, failed) {
  if (failed > 0) throw new Error(`${generator} reports ${failed} failed requests`)
}

async function runWrk({ port, path, fields, script: text, connections, seconds }) {
  const folder = await mkdtemp(join(tmpdir(), 'ringlet-bench-'))
  try {
    const script = join(folder, 'load.lua')
    await writeFile(script, text)
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
      ...fields,
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
  return [...(body === undefined ? [] : post), ...RESULT].join('\n')
}

/** Every request is built once; `request` is asked for the next by whichever connection is free. */
function mixScript(requests) {
  const quoted = (value) => `[==[${value}]==]`
  const built = requests.map(({ method, path, headers = {}, body }) => {
    const fields = Object.entries(headers).map(([name, value]) => `[ ${quoted(name)} ]=${quoted(value)}`)
    const content = body === undefined ? 'nil' : quoted(body)
    return `    wrk.format(${quoted(method)}, ${quoted(path)}, {${fields.join(',')}}, ${content}),`
  })
  return [
    'local requests, at = {}, 0',
    'init = function()',
    '  requests = {',
    ...built,
    '  }',
    'end',
    'request = function()',
    '  at = at % #requests + 1',
    '  return requests[at]',
    'end',
    ...RESULT,
  ].join('\n')
}

const RESULT = [
  'done = function(summary, latency, requests)',
  '  local e = summary.errors',
  '  io.write(string.format(\'RESULT {"requests":%d,"micros":%d,"failed":%d,"refused":%d,"p50":%d,"p99":%d,"p999":%d}\\n\',',
  '    summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout, e.status,',
  '    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))',
  'end',
  '',
]

function parseWrk(text) {
  const match = /^RESULT (.*)$/m.exec(text)
  if (match === null) throw new Error(`not understood of wrk:\n${text}`)
  const { requests, micros, failed, refused, p50, p99, p999 } = JSON.parse(match[1])
  return {
    requests,
    failed,
    refused,
    perSecond: (requests * 1e6) / micros,
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    p999Ms: p999 / 1000,
  }
}

async function loadWithAutocannon(options) {
  const { port, path, headers = {}, body, connections, seconds, maySeeFailures = false } = options
  const args = Object.entries(headers).flatMap(([name, value]) => ['--headers', `${name}=${value}`])
  if (body !== undefined) {
    args.push('--method', 'POST', '--headers', 'content-type=application/json', '--body', body)
  }
  const result = await runAutocannon({ port, path, args, connections, seconds })
  const failed = result.failed + result.refused
  if (!maySeeFailures) refuseFailed('autocannon', failed)
  return { ...result, failed }
}

async function loadMixWithAutocannon({ port, requests, connections, seconds }) {
  const folder = await mkdtemp(join(tmpdir(), 'ringlet-bench-'))
  try {
    const file = join(folder, 'requests.har')
    await writeFile(file, JSON.stringify(harOf(port, requests)))
    const result = await runAutocannon({ port, path: '/', args: ['--har', file], connections, seconds })
    refuseFailed('autocannon', result.failed + unexpectedRefusals(requests, result, connections))
    return result
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** HTTP Archive 1.2, as far as autocannon reads it: each of its connections sends all entries in turn. */
function harOf(port, requests) {
  const entries = requests.map(({ method, path, headers = {}, body }) => ({
    request: {
      method,
      url: `http://127.0.0.1:${port}${path}`,
      headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
      ...(body === undefined ? {} : { postData: { text: body } }),
    },
  }))
  return { log: { entries } }
}

async function runAutocannon({ port, path, args, connections, seconds }) {
  const cli = require.resolve('autocannon/autocannon.js')
  const all = [cli, '--json', '--no-progress', '--connections', `${connections}`, '--duration', `${seconds}`]
  const { stdout } = await run(process.execPath, [...all, ...args, `http://127.0.0.1:${port}${path}`], {
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  const result = JSON.parse(stdout)
  return {
    requests: result.requests.total,
    failed: result.errors + result.timeouts,
    refused: result.non2xx,
    perSecond: result.requests.total / result.duration,
    // Whole milliseconds: autocannon does not measure finer.
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    p999Ms: result.latency.p99_9,
  }
}
