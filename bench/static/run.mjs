// npm run bench -- static: a small file from memory, the same with its entity tag, and a large one over loopback, beside nginx, sirv on
// node:http, and Bun; and what memory 64 slow readers of the large one take.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadGenerator } from '../lib/load.mjs'
import { processCpuMs } from '../lib/server.mjs'
import { rotated, summary } from '../lib/stats.mjs'
import { PEERS } from './peers.mjs'
import { growthWithReaders } from './readers.mjs'
import { makeSite, SMALL } from './site.mjs'

const CONNECTIONS = 32
const MIB = 2 ** 20
const curl = promisify(execFile)

export async function run({ quick, report }) {
  const rounds = quick ? 1 : 5
  const seconds = quick ? 1 : 3
  const site = await makeSite({ quick })
  const peers = []
  try {
    for (const { name, skip, start } of PEERS) {
      if (skip !== undefined) report(`${name}: skipped, ${skip}`)
      else peers.push({ name, ...(await start(site.folder)) })
    }
    for (const peer of peers) await check(peer, site)
    const turn = async (what, measure) => {
      const results = new Map(peers.map(({ name }) => [name, []]))
      for (let round = 0; round < rounds; round++) {
        for (const peer of rotated(peers, round)) {
          report(`${what}, round ${round + 1} of ${rounds}: ${peer.name}`)
          results.get(peer.name).push(await measure(peer))
        }
      }
      return results
    }
    const generator = loadGenerator()
    const load = (path, headersOf) => (peer) =>
      withCpu(peer, async () => {
        const options = { port: peer.port, path, connections: CONNECTIONS, seconds }
        const sample = await generator.load({ ...options, headers: headersOf(peer) })
        return { ...sample, work: sample.requests }
      })
    const small = await turn(
      '1 KB file',
      load('/small.txt', () => ({})),
    )
    const unchanged = await turn(
      '304',
      load('/small.txt', ({ etag }) => ({ 'if-none-match': etag })),
    )
    const large = await turn('large file', (peer) =>
      withCpu(peer, () => download(peer.port, site.largeBytes)),
    )
    const own = peers.filter(({ name }) => name.startsWith('ringlet'))
    const hello = new Map(own.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const peer of own) hello.get(peer.name).push(await load('/hello', () => ({}))(peer))
    }
    const readers = []
    for (const peer of peers) {
      report(`64 slow readers: ${peer.name}`)
      const growth = await growthWithReaders(peer, { ...site, seconds: quick ? 1 : 4 })
      readers.push({
        bench: 'static',
        case: '64 readers',
        peer: peer.name,
        unit: 'MiB more',
        ...summary([growth / MIB]),
      })
    }
    return [
      ...rateRows('1 KB c32', small),
      ...rateRows('304 c32', unchanged),
      ...rateRows('hello-JSON c32', hello),
      ...rows('large file', 'MB/s', large, ({ perSecond }) => perSecond / 1e6),
      ...readers,
    ]
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()))
    await site.remove()
  }
}

/** A wrong answer must not be timed; the entity tag is noted. */
async function check(peer, { folder }) {
  const at = `http://127.0.0.1:${peer.port}`
  const small = await fetch(`${at}/small.txt`, { headers: { 'accept-encoding': 'identity' } })
  if (small.status !== 200 || (await small.text()) !== SMALL)
    throw new Error(`${peer.name}: not the small file`)
  peer.etag = small.headers.get('etag')
  const again = await fetch(`${at}/small.txt`, {
    headers: { 'accept-encoding': 'identity', 'if-none-match': peer.etag },
  })
  if (again.status !== 304) throw new Error(`${peer.name}: ${again.status} for the same entity tag`)
  const large = await fetch(`${at}/large.bin`)
  const hash = (bytes) => createHash('sha256').update(bytes).digest('hex')
  const expected = hash(await readFile(join(folder, 'large.bin')))
  if (hash(Buffer.from(await large.arrayBuffer())) !== expected)
    throw new Error(`${peer.name}: not the large file`)
}

/** Adds the processor time of the server's process, by what it was done for: requests, or megabytes. */
async function withCpu({ pid }, measure) {
  const before = processCpuMs(pid)
  const sample = await measure()
  return { ...sample, cpuMicros: ((processCpuMs(pid) - before) * 1000) / sample.work }
}

/** One download, in bytes a second. */
async function download(port, bytes) {
  const args = ['-sS', '-o', '/dev/null', '-w', '%{http_code} %{size_download} %{speed_download}']
  const { stdout } = await curl('curl', [...args, `http://127.0.0.1:${port}/large.bin`])
  const [status, received, perSecond] = stdout.split(' ').map(Number)
  if (status !== 200 || received !== bytes) throw new Error(`curl got ${status} and ${received} bytes`)
  return { perSecond, work: bytes / 1e6 }
}

const rateRows = (name, results) =>
  rows(
    name,
    'req/s',
    results,
    ({ perSecond }) => perSecond,
    ({ p50Ms, p99Ms }) => ({ p50Ms, p99Ms }),
  )

function rows(name, unit, results, pick, latencies) {
  const base = results.get('sirv')
  const baseMedian = base && summary(base.map(pick)).median
  return [...results].map(([peer, samples]) => {
    const value = summary(samples.map(pick))
    const latency = latencies && {
      p50Ms: summary(samples.map((sample) => latencies(sample).p50Ms)).median,
      p99Ms: summary(samples.map((sample) => latencies(sample).p99Ms)).median,
    }
    const ratio = baseMedian && { ratio: value.median / baseMedian, against: 'sirv' }
    const cpuMicros = summary(samples.map((sample) => sample.cpuMicros)).median
    return { bench: 'static', case: name, peer, unit, ...value, ...latency, cpuMicros, ...ratio }
  })
}
