// The child of rate.mjs: sends requests at even times over a fixed number of connections, one at a time on each. One that finds no
// free connection waits, and its latency counts from when it was due: what a server that stalls keeps from being sent is not left
// out (coordinated omission; Gil Tene, "How NOT to Measure Latency").
import { connect } from 'node:net'

const { port, path, method, headers, body, connections, perSecond, seconds, warmUpSeconds } = JSON.parse(
  process.argv[2],
)
const HEAD_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')
const OK = 'HTTP/1.1 200'
const DRAIN_MS_MAX = 10_000
/** A longer pause is left to a timer; timers are no finer. */
const TIMER_MS = 2
/**
 * A shorter one is slept through in naps, between which answers are read: latencies are too long by one and the system's timer slack at
 * most. A client that goes round without sleep would take a core from the servers, which have the same machine.
 */
const NAP_MS = 0.15
const napping = new Int32Array(new SharedArrayBuffer(4))

const fields = Object.entries({ host: `127.0.0.1:${port}`, ...headers }).map(
  ([name, value]) => `${name}: ${value}\r\n`,
)
const content = Buffer.from(body ?? '')
if (content.length > 0) fields.push(`content-length: ${content.length}\r\n`)
const request = Buffer.concat([
  Buffer.from(`${method} ${path} HTTP/1.1\r\n${fields.join('')}\r\n`, 'latin1'),
  content,
])

const warmUps = Math.round(perSecond * warmUpSeconds)
const total = warmUps + Math.round(perSecond * seconds)
const latencies = new Float64Array(total - warmUps)
/** How long an answer of known length was, with its head. */
let wholeBytes = -1
const free = []
const waiting = []
let next = 0
let done = 0
let failed = 0
let startedMs = 0

const dueMs = (index) => startedMs + (index * 1000) / perSecond

class Client {
  #socket
  #parts = []
  #bytes = 0
  #index = -1
  #answerBytes = -1

  open() {
    return new Promise((resolve, reject) => {
      this.#socket = connect({ port, host: '127.0.0.1', noDelay: true }, resolve)
      this.#socket.on('data', (data) => this.#take(data))
      this.#socket.on('error', reject)
      this.#socket.on('close', () => this.#lost())
    })
  }

  send(index) {
    this.#index = index
    this.#socket.write(request)
  }

  close() {
    this.#socket.destroy()
  }

  #take(data) {
    // Most answers are as long as the one before, and come in one piece.
    if (this.#parts.length === 0 && data.length === wholeBytes && data.latin1Slice(0, OK.length) === OK) {
      this.#end()
      return
    }
    this.#parts.push(data)
    this.#bytes += data.length
    if (this.#answerBytes < 0 || this.#bytes >= this.#answerBytes) this.#look()
  }

  /** Whether the answer is whole: by its length, or by its last chunk. */
  #look() {
    const all = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts)
    this.#parts = [all]
    const headEnd = all.indexOf(HEAD_END)
    if (headEnd < 0) return
    const head = all.latin1Slice(0, headEnd)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)
    if (length !== null) this.#answerBytes = headEnd + 4 + Number(length[1])
    else if (all.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)) this.#answerBytes = all.length
    if (this.#answerBytes < 0 || all.length < this.#answerBytes) return
    if (head.startsWith(OK)) wholeBytes = length === null ? -1 : all.length
    else failed++
    this.#end()
  }

  #end() {
    const index = this.#index
    this.#index = this.#answerBytes = -1
    this.#parts = []
    this.#bytes = 0
    finished(index)
    const late = waiting.shift()
    if (late === undefined) free.push(this)
    else this.send(late)
  }

  #lost() {
    if (done === total) return
    failed++
    if (this.#index >= 0) finished(this.#index)
    this.#index = -1
    const at = free.indexOf(this)
    if (at >= 0) free.splice(at, 1)
    if (failed > total / 100 + connections) end()
  }
}

function finished(index) {
  done++
  if (index >= warmUps) latencies[index - warmUps] = performance.now() - dueMs(index)
  if (done === total) end()
}

function pump() {
  const nowMs = performance.now()
  while (next < total && dueMs(next) <= nowMs) {
    const client = free.pop()
    if (client === undefined) waiting.push(next)
    else client.send(next)
    next++
  }
  if (next === total) {
    setTimeout(end, DRAIN_MS_MAX)
    return
  }
  const pauseMs = dueMs(next) - performance.now()
  if (pauseMs > TIMER_MS) {
    setTimeout(pump, pauseMs - 1)
    return
  }
  if (pauseMs > 0) Atomics.wait(napping, 0, 0, NAP_MS)
  setImmediate(pump)
}

let ended = false
function end() {
  if (ended) return
  ended = true
  const answered = Math.max(0, done - warmUps)
  const sorted = latencies.subarray(0, answered).slice().sort()
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  const elapsed = (performance.now() - startedMs) / 1000 - warmUpSeconds
  console.log(
    JSON.stringify({
      requests: answered,
      failed: failed + (total - done),
      perSecond: answered / elapsed,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      p999Ms: at(0.999),
      maxMs: sorted.at(-1),
    }),
  )
  process.exit(0)
}

const clients = Array.from({ length: connections }, () => new Client())
await Promise.all(clients.map((client) => client.open()))
free.push(...clients)
startedMs = performance.now()
pump()
