// Messages between two threads: one-way throughput and round trip, of the ring package, ringbuf.js and MessagePort.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { messageOf } from './messages.mjs'
import { near as port } from './port-peer.mjs'
import { near as ring } from './ring-peer.mjs'
import { near as ringbuf } from './ringbuf-peer.mjs'

const SIZES = [16, 64, 256, 1024, 4096, 16_384, 65_536]
const ROUNDS = 5
const ONE_WAY_SECONDS = 0.25
const ROUND_TRIP_SECONDS = 0.15
const QUICK_SECONDS = 0.05
const WARM_UP_MESSAGES = 100_000
const WARM_UP_BYTES = 1e8
const TRIPS_MIN = 50
const TRIPS_MAX = 20_000

// `ring, in place` writes small messages into its claims, where `ring` has them copied by tryWrite. `ring, asleep` never
// spins: each message finds its reader in Atomics.wait.
const PEERS = [
  { name: 'ring', near: () => ring(), oneWay: true, roundTrip: true },
  { name: 'ring, in place', near: () => ring({ inPlace: true }), oneWay: true, largest: 256 },
  { name: 'ring, asleep', near: () => ring({ spins: 0 }), roundTrip: true },
  { name: 'ringbuf.js', near: () => ringbuf(), oneWay: true, roundTrip: true },
  { name: 'MessagePort', near: () => port(), oneWay: true, roundTrip: true },
]

/**
 * Runs the bench against the built package. `report` is given one line of text a row.
 * @param {{ quick: boolean, report: (text: string) => void }} options
 * @returns rows of bench, case, peer, unit, median, min, max, rounds
 */
export async function run({ quick, report }) {
  const rows = []
  for (const bytes of SIZES) {
    for (const row of await sizeRows(bytes, quick)) {
      rows.push(row)
      report(lineOf(row))
    }
  }
  return rows
}

/** All rounds of one size: every peer in each, in turns first to last and last to first. */
async function sizeRows(bytes, quick) {
  const samples = new Map()
  const add = (kind, peer, unit, value) => {
    const key = JSON.stringify([`${kind} ${bytes} B`, peer, unit])
    samples.set(key, [...(samples.get(key) ?? []), value])
  }
  const rounds = quick ? 1 : ROUNDS
  const peers = PEERS.filter(({ largest }) => largest === undefined || bytes <= largest)
  for (let round = 0; round < rounds; round++) {
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
      const { perSecond, p50, p99 } = await measure(peer, bytes, quick)
      if (perSecond !== undefined) {
        add('one way', peer.name, 'messages/s', perSecond)
        add('one way', peer.name, 'MB/s', (perSecond * bytes) / 1e6)
      }
      if (p50 !== undefined) {
        add('round trip', peer.name, 'p50 µs', p50)
        add('round trip', peer.name, 'p99 µs', p99)
      }
    }
  }
  return [...samples].map(([key, values]) => rowOf(JSON.parse(key), values))
}

/** One round of one peer, with a thread of its own: checked, warmed up, timed. */
async function measure(peer, bytes, quick) {
  const near = peer.near()
  const { workerData, transferList = [] } = near
  const worker = new Worker(new URL('./far.mjs', import.meta.url), { workerData, transferList })
  await once(worker, 'online')
  const message = messageOf(bytes)
  await near.verify(message)
  const seen = {
    ...(peer.oneWay ? await timeOneWay(near, message, quick ? QUICK_SECONDS : ONE_WAY_SECONDS) : {}),
    ...(peer.roundTrip ? await timeTrips(near, message, quick ? QUICK_SECONDS : ROUND_TRIP_SECONDS) : {}),
  }
  near.stop()
  await once(worker, 'exit')
  return seen
}

async function timeOneWay(near, message, seconds) {
  const warmUp = Math.min(WARM_UP_MESSAGES, Math.ceil(WARM_UP_BYTES / message.length))
  await near.oneWay(message, warmUp)
  const rate = warmUp / (await near.oneWay(message, warmUp))
  const count = Math.ceil(rate * seconds)
  return { perSecond: count / (await near.oneWay(message, count)) }
}

async function timeTrips(near, message, seconds) {
  const warmUp = new Float64Array(TRIPS_MIN * 4)
  await near.roundTrips(message, warmUp)
  const count = Math.round((seconds * 1e6) / quantile(warmUp.sort(), 0.5))
  const micros = new Float64Array(Math.min(TRIPS_MAX, Math.max(TRIPS_MIN, count)))
  await near.roundTrips(message, micros)
  micros.sort()
  return { p50: quantile(micros, 0.5), p99: quantile(micros, 0.99) }
}

function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
}

function rowOf([name, peer, unit], values) {
  const sorted = Float64Array.from(values).sort()
  const median = quantile(sorted, 0.5)
  return {
    bench: 'ring',
    case: name,
    peer,
    unit,
    median,
    min: sorted[0],
    max: sorted.at(-1),
    rounds: sorted.length,
  }
}

function lineOf(row) {
  const figure = (value) => value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
  const spread = `(${figure(row.min)} to ${figure(row.max)})`
  const name = `${row.case.padEnd(19)} ${row.peer.padEnd(14)}`
  return `${name} ${figure(row.median).padStart(12)} ${row.unit.padEnd(10)} ${spread}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run({ quick: process.argv.includes('--quick'), report: console.log })
}
