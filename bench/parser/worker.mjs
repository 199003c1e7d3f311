// The thread of one peer. Each has its own, so that what V8 learns of a call in one peer's loop does not slow another's.
import { parentPort, workerData } from 'node:worker_threads'
import llhttpSimd from 'undici/lib/llhttp/llhttp_simd-wasm.js'
import llhttpPlain from 'undici/lib/llhttp/llhttp-wasm.js'
import { checkCopies, copiesOf } from './copies.mjs'
import { CASES } from './heads.mjs'
import { httpParserJs } from './http-parser-js-peer.mjs'
import { llhttp } from './llhttp-peer.mjs'
import { scalar, simd } from './own-peer.mjs'

const FIRST_COUNT = 64

const PEERS = {
  simd,
  scalar,
  'llhttp wasm simd': () => llhttp(llhttpSimd),
  'llhttp wasm': () => llhttp(llhttpPlain),
  'http-parser-js': httpParserJs,
}

const peer = PEERS[workerData.peer]()

/** Checked, warmed up, timed, checked again: nanoseconds a head. */
function measure({ name, head, framing }, warmUpSeconds, seconds) {
  const copies = copiesOf(head.text)
  peer.load(copies)
  const check = () => checkCopies(workerData.peer, name, head, copies, peer.find)
  check()
  const run = framing ? peer.runFraming : peer.run
  const nsPerHead = nsOf(run, Math.ceil((seconds * 1e9) / warmUp(run, warmUpSeconds)))
  check()
  return nsPerHead
}

/** Runs more and more heads until one run has taken that long; nanoseconds a head in the last. */
function warmUp(run, seconds) {
  for (let count = FIRST_COUNT; ; count *= 2) {
    const nsPerHead = nsOf(run, count)
    if (nsPerHead * count >= seconds * 1e9) return nsPerHead
  }
}

function nsOf(run, count) {
  const start = performance.now()
  run(count)
  return ((performance.now() - start) * 1e6) / count
}

parentPort.on('message', ({ name, warmUpSeconds, seconds }) => {
  const work = CASES.find((each) => each.name === name)
  parentPort.postMessage(measure(work, warmUpSeconds, seconds))
})
