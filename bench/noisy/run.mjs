// A quiet tenant beside a hostile one: requests of the quiet one at a constant rate, counted from when each was due, alone and beside
// each kind of neighbour in turns. Each server is one process; Ringlet's has two shards.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { constantRate } from '../lib/rate.mjs'
import { startServer } from '../lib/server.mjs'
import { summary } from '../lib/stats.mjs'
import { FUNCTIONS, NEIGHBOURS } from './functions.mjs'
import { RIVALS } from './rivals.mjs'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const NEIGHBOUR = fileURLToPath(new URL('./neighbour.mjs', import.meta.url))
const CORES = 2
const QUIET = { path: '/quiet', connections: 16, perSecond: 250 }
/** How long a neighbour is there before anything is measured. */
const SETTLE_SECONDS = 2

async function startRinglet(folder) {
  const config = { cores: CORES, port: 0, functions: FUNCTIONS, cache: { mode: 'off' } }
  const file = join(folder, 'noisy.json')
  await writeFile(file, JSON.stringify(config))
  return startServer(MAIN, ['--config', file], folder)
}

/** Whoever is compared: a name, how it is started with the functions of functions.mjs, and which neighbours it can have. */
const PEERS = [{ name: `ringlet, ${CORES} cores`, start: startRinglet }, ...RIVALS]

function startNeighbour(port, neighbour) {
  const child = spawn(process.execPath, [NEIGHBOUR, JSON.stringify({ port, ...neighbour })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let last
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = JSON.parse(line)
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  return async () => {
    child.kill('SIGTERM')
    await ended
    return last
  }
}

/** Only these answers, and some: else the neighbour was not what it is called. */
function checkAnswers({ name, statuses }, answered) {
  const strange = Object.keys(answered).filter((status) => !statuses.includes(Number(status)))
  if (strange.length > 0 || Object.keys(answered).length === 0) {
    throw new Error(`the neighbour that ${name} was answered ${JSON.stringify(answered)}`)
  }
}

async function beside(port, neighbour, seconds) {
  const stop = startNeighbour(port, neighbour)
  try {
    return await constantRate({
      port,
      ...QUIET,
      seconds,
      warmUpSeconds: SETTLE_SECONDS,
      maySeeFailures: true,
    })
  } finally {
    const answered = await stop()
    checkAnswers(neighbour, answered)
  }
}

export async function run({ quick, report, cases }) {
  const unknown = (cases ?? []).filter((name) => NEIGHBOURS.every((neighbour) => neighbour.name !== name))
  if (unknown.length > 0) {
    throw new Error(
      `no case ${unknown.join('; ')}: there are ${NEIGHBOURS.map(({ name }) => name).join('; ')}`,
    )
  }
  const rounds = quick ? 1 : 3
  const seconds = quick ? 3 : 8
  // One that every server can have, and one that only those with limits can.
  const wanted = NEIGHBOURS.filter(({ name }) => cases === undefined || cases.includes(name))
  const neighbours = quick ? wanted.slice(0, 2) : wanted
  const rows = []
  for (const peer of PEERS) {
    if (peer.skip !== undefined) {
      report(`skipped: ${peer.name}: ${peer.skip}`)
      continue
    }
    if (peer.only !== undefined) report(`${peer.name}: only ${peer.only.join(', ')}: ${peer.without}`)
    for (const neighbour of neighbours) {
      if (peer.only?.includes(neighbour.path) === false) continue
      // A server for each: what one neighbour has left behind is not the next one's.
      const folder = await mkdtemp(join(tmpdir(), 'ringlet-noisy-'))
      const server = await peer.start(folder)
      const results = { alone: [], beside: [] }
      try {
        for (let round = 0; round < rounds; round++) {
          report(`${peer.name}, neighbour ${neighbour.name}, round ${round + 1} of ${rounds}`)
          // A rival's limit by the wall ends a request now and then that had to wait for a core: a figure, as its others.
          const maySeeFailures = RIVALS.includes(peer)
          results.alone.push(await constantRate({ port: server.port, ...QUIET, seconds, maySeeFailures }))
          results.beside.push(await beside(server.port, neighbour, seconds))
        }
      } catch (error) {
        if (!RIVALS.includes(peer)) throw error
        report(`${peer.name}: no figures beside a neighbour that ${neighbour.name}: ${error.message}`)
        continue
      } finally {
        await server.stop()
        await rm(folder, { recursive: true, force: true })
      }
      rows.push(...rowsOf(peer.name, neighbour.name, results))
    }
  }
  return rows
}

function rowsOf(peer, neighbour, { alone, beside: noisy }) {
  const median = (samples, key) => summary(samples.map((sample) => sample[key])).median
  const row = (name, samples) => ({
    bench: 'noisy',
    case: name,
    peer,
    unit: 'req/s',
    ...summary(samples.map(({ perSecond }) => perSecond)),
    p50Ms: median(samples, 'p50Ms'),
    p99Ms: median(samples, 'p99Ms'),
    p999Ms: median(samples, 'p999Ms'),
    failed: samples.reduce((sum, { failed }) => sum + failed, 0),
  })
  const quiet = row(`alone (then: ${neighbour})`, alone)
  const loud = row(`beside: ${neighbour}`, noisy)
  return [quiet, { ...loud, p50Ratio: loud.p50Ms / quiet.p50Ms, against: 'alone' }]
}
