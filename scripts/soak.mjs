// npm run soak -- [--requests 500000] [--connections 32] [--cores 2] [--seed 1]: very many requests, every tenth of which exceeds a
// limit, so that runtimes are reset, condemned and replaced all the time. Every answer is checked, and the server's resident size
// has to stay where it was. Exit code 1 when it does not, or at the first wrong answer.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { residentBytes, startServer } from '../bench/lib/server.mjs'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const EXCEEDS_EVERY = 10
const SAMPLES = 100
/** The first part of a run, in which pools fill and V8 settles: not judged. */
const WARM_UP = 0.2
/** From the first fifth of what is judged to the last one the resident size may grow by so much, whichever is larger. */
const GROWTH_MAX = 0.08
const GROWTH_BYTES_MAX = 16 << 20
const NO_ANSWER_MS = 60_000
const SMALL = { memoryBytes: 20 << 20 }

/** Each limit: what exceeds it, and what that is answered. */
const OFFENCES = [
  { name: 'cpu', status: 503, error: 'cpu-limit', limits: { cpuMs: 2 }, code: 'for (;;) {}' },
  {
    name: 'memory',
    status: 503,
    error: 'memory-limit',
    limits: { ...SMALL, cpuMs: 5000 },
    code: 'const text = "x".repeat(20_000); const kept = []; for (;;) kept.push({ text: text + kept.length })',
  },
  {
    name: 'block',
    status: 503,
    error: 'memory-limit',
    limits: { ...SMALL, cpuMs: 5000 },
    code: 'const kept = []; for (;;) kept.push(new Uint8Array(1 << 20))',
  },
  {
    name: 'stack',
    status: 500,
    error: 'stack-limit',
    limits: { cpuMs: 5000 },
    code: 'const deeper = (n) => deeper(n + 1) + 1; return Response.text(String(deeper(0)))',
  },
  {
    name: 'host',
    status: 500,
    error: 'host-call-limit',
    limits: { hostCalls: 50, cpuMs: 5000 },
    code: 'for (;;) performance.now()',
  },
  {
    name: 'wall',
    status: 504,
    error: 'wall-limit',
    limits: { cpuMs: 20, wallMs: 20 },
    code: 'await new Promise((resolve) => setTimeout(resolve, 60_000)); return Response.text("late")',
  },
]

const good = (isolation) => ({
  name: `good-${isolation}`,
  routes: [`/good-${isolation}`],
  isolation,
  code: 'export default (request) => Response.json({ n: new URL(request.url).searchParams.get("n") })',
})
const FUNCTIONS = [
  good('reuse'),
  good('bounded'),
  good('request'),
  ...OFFENCES.map(({ name, limits, code }) => ({
    name,
    routes: [`/${name}`],
    limits,
    code: `export default async () => { ${code} }`,
  })),
]

/** Mulberry32: the same requests for the same seed. */
function random(seed) {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function requests(seed) {
  const next = random(seed)
  let count = 0
  return () => {
    count++
    if (count % EXCEEDS_EVERY === 0) {
      const { name, status, error } = OFFENCES[Math.floor(next() * OFFENCES.length)]
      return { path: `/${name}`, status, expected: `{"error":"${error}",` }
    }
    const isolation = ['reuse', 'bounded', 'request'][count % 3]
    return { path: `/good-${isolation}?n=${count}`, status: 200, expected: `{"n":"${count}"}` }
  }
}

/** One connection: sends a request, checks its answer, and so on until `next` has none. */
function client(port, next) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let text = ''
    let current
    const ask = () => {
      current = next()
      if (current === undefined) {
        socket.destroy()
        resolve()
      } else socket.write(`GET ${current.path} HTTP/1.1\r\nhost: soak.test\r\n\r\n`)
    }
    socket.setTimeout(NO_ANSWER_MS, () => socket.destroy(new Error(`no answer to ${current?.path}`)))
    socket.on('connect', ask)
    socket.on('error', reject)
    socket.on('close', () => {
      if (current !== undefined) reject(new Error(`closed instead of an answer to ${current.path}`))
    })
    socket.on('data', (data) => {
      text += data.latin1Slice()
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const end = headEnd + 4 + Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0)
      if (text.length < end) return
      const { path, status, expected } = current
      const body = text.slice(headEnd + 4, end)
      if (Number(text.slice(9, 12)) !== status || !body.startsWith(expected)) {
        socket.destroy(new Error(`${path} was answered ${text.slice(9, 12)} ${body}`))
        return
      }
      text = text.slice(end)
      ask()
    })
  })
}

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const inMiB = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`

/** Bytes per request, by least squares. */
function slopeOf(samples) {
  const mean = (key) => samples.reduce((sum, sample) => sum + sample[key], 0) / samples.length
  const [x, y] = [mean('done'), mean('bytes')]
  const over = samples.reduce((sum, { done, bytes }) => sum + (done - x) * (bytes - y), 0)
  return over / samples.reduce((sum, { done }) => sum + (done - x) ** 2, 0)
}

function judge(samples) {
  const judged = samples.slice(Math.floor(samples.length * WARM_UP))
  const fifth = Math.max(1, Math.floor(judged.length / 5))
  const from = middle(judged.slice(0, fifth).map(({ bytes }) => bytes))
  const to = middle(judged.slice(-fifth).map(({ bytes }) => bytes))
  const peak = Math.max(...samples.map(({ bytes }) => bytes))
  const allowed = Math.max(from * GROWTH_MAX, GROWTH_BYTES_MAX)
  const slope = slopeOf(judged) * 100_000
  console.log(
    `resident ${inMiB(from)} to ${inMiB(to)}, peak ${inMiB(peak)}; ${inMiB(slope)} in 100,000 requests; allowed growth ${inMiB(allowed)}`,
  )
  return to - from <= allowed
}

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '500000' },
    connections: { type: 'string', default: '32' },
    cores: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const total = Number(values.requests)
console.log(
  `seed ${values.seed}, ${total} requests, ${values.connections} connections, ${values.cores} cores`,
)
const folder = await mkdtemp(join(tmpdir(), 'ringlet-soak-'))
// A machine that is busy with other things makes requests late; that is not what is looked for here.
const patience = {
  limits: { cpuMs: 1000, wallMs: 600_000 },
  pool: { queueMs: 60_000 },
  watchdog: { graceMs: 5000 },
  // Nor does what exceeds its limits go to a thread of low priority: it is to be done soon.
  penalty: { offences: 0 },
}
const config = {
  port: 0,
  cores: Number(values.cores),
  functions: FUNCTIONS,
  cache: { mode: 'off' },
  ...patience,
}
await writeFile(join(folder, 'soak.json'), JSON.stringify(config))
const server = await startServer(MAIN, ['--config', 'soak.json'], folder)
let isFlat = false
try {
  const request = requests(Number(values.seed))
  const samples = []
  const startedMs = performance.now()
  let done = 0
  const next = () => {
    if (done === total) return undefined
    if (++done % Math.ceil(total / SAMPLES) === 0) {
      const bytes = residentBytes(server.pid)
      samples.push({ done, bytes })
      if (samples.length % 10 === 0) {
        const perSecond = Math.round((done * 1000) / (performance.now() - startedMs))
        console.log(`${done} requests, ${perSecond}/s, resident ${inMiB(bytes)}`)
      }
    }
    return request()
  }
  await Promise.all(Array.from({ length: Number(values.connections) }, () => client(server.port, next)))
  isFlat = judge(samples)
} catch (error) {
  console.error(error.message)
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}
if (!isFlat) console.error('failed')
process.exit(isFlat ? 0 : 1)
