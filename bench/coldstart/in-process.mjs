import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { openEngine } from '../engine/engine.mjs'
import { rotated } from '../lib/stats.mjs'
import { moduleOf } from '../peers/isolated-vm-release.mjs'
import { ANSWER, SCRIPT } from './function-source.mjs'

const require = createRequire(import.meta.url)
const MEMORY_MB = 64
const CALL_MS = 1000

function check(text) {
  if (text !== ANSWER) throw new Error(`expected ${ANSWER}, got ${text}`)
}

/** Ringlet: the image is in memory, a blank instance stands ready, as the server keeps some. From source: bundle to first answer. */
async function ringlet() {
  const engine = await openEngine()
  const handler = `(() => { ${SCRIPT}\nreturn () => new Response(handler('/')) })()`
  const image = await engine.image(handler)
  const pools = () => engine.pools([image], { gcSoftBytes: 2 ** 21, gcHighBytes: 2 ** 24 }, {}, 1)
  return [
    {
      peer: 'ringlet: image in memory, blank ready',
      prepare: async () => {
        const ready = pools()
        while (ready.blanks === 0) await ready.tidy(performance.now())
        return ready
      },
      start: async (ready) => {
        const runtime = ready.lease(0)
        check(engine.text(runtime.instance))
      },
    },
    {
      peer: 'ringlet: image in memory, new instance',
      prepare: async () => pools(),
      start: async (ready) => {
        await ready.prewarm(1)
        check(engine.text(ready.lease(0).instance))
      },
    },
    {
      peer: 'ringlet: from source',
      start: async () => {
        const fresh = await engine.image(handler)
        const ready = engine.pools([fresh], { gcSoftBytes: 2 ** 21, gcHighBytes: 2 ** 24 }, {}, 0)
        await ready.prewarm(1)
        check(engine.text(ready.lease(0).instance))
      },
    },
  ]
}

function isolatedVm(report) {
  let ivm
  try {
    ivm = require(moduleOf(process.versions.node))
  } catch (error) {
    report(`skipped: isolated-vm: ${String(error.message).split('\n')[0]}`)
    return []
  }
  const call = async (isolate, code) => {
    const context = await isolate.createContext()
    if (code !== undefined) await (await isolate.compileScript(code)).run(context)
    check(await context.eval(`handler('/')`, { timeout: CALL_MS }))
    isolate.dispose()
  }
  const snapshot = ivm.Isolate.createSnapshot([{ code: SCRIPT }])
  return [
    {
      peer: 'isolated-vm: isolate, context, script',
      start: () => call(new ivm.Isolate({ memoryLimit: MEMORY_MB }), SCRIPT),
    },
    {
      peer: 'isolated-vm: from a V8 snapshot',
      start: () => call(new ivm.Isolate({ memoryLimit: MEMORY_MB, snapshot }), undefined),
    },
  ]
}

async function quickjsWasi(report) {
  try {
    const { QuickJS } = await import('quickjs-wasi')
    const wasm = await WebAssembly.compile(await readFile(require.resolve('quickjs-wasi/quickjs.wasm')))
    const first = await QuickJS.create({ wasm })
    first.evalCode(SCRIPT).dispose()
    const snapshot = first.snapshot()
    first.dispose()
    const ask = (vm) => {
      check(vm.evalCode(`handler('/')`).consume((handle) => handle.toString()))
      vm.dispose()
    }
    return [
      { peer: 'quickjs-wasi: restored', start: async () => ask(await QuickJS.restore(snapshot, { wasm })) },
      {
        peer: 'quickjs-wasi: from source',
        start: async () => {
          const vm = await QuickJS.create({ wasm })
          vm.evalCode(SCRIPT).dispose()
          ask(vm)
        },
      },
    ]
  } catch (error) {
    report(`skipped: quickjs-wasi: ${error.message}`)
    return []
  }
}

function workerThread() {
  const code = `${SCRIPT}\nrequire('node:worker_threads').parentPort.postMessage(handler('/'))`
  const start = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(code, { eval: true, resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB } })
      worker.once('message', (text) => {
        check(text)
        void worker.terminate()
        resolve()
      })
      worker.once('error', reject)
    })
  return { peer: 'worker_thread', start }
}

function childProcess() {
  const start = () =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['-'], { stdio: ['pipe', 'pipe', 'inherit'] })
      let text = ''
      child.stdout.on('data', (data) => {
        text += data
      })
      child.on('error', reject)
      child.on('close', () => {
        check(text)
        resolve()
      })
      child.stdin.end(`${SCRIPT}\nprocess.stdout.write(handler('/'))`)
    })
  return { peer: 'child process (node)', start }
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

/** Each way's times, taken in turns; what is prepared beforehand is not timed. */
export async function inProcess({ quick, report }) {
  const ways = [
    ...(await ringlet()),
    ...isolatedVm(report),
    ...(await quickjsWasi(report)),
    workerThread(),
    childProcess(),
  ]
  const rounds = quick ? 3 : 60
  const times = new Map(ways.map(({ peer }) => [peer, []]))
  for (let round = 0; round < rounds; round++) {
    if (round % 10 === 0) report(`coldstart: round ${round + 1} of ${rounds}`)
    for (const { peer, prepare, start } of rotated(ways, round)) {
      const ready = await prepare?.()
      const from = performance.now()
      await start(ready)
      times.get(peer).push(performance.now() - from)
    }
  }
  const base = median(times.get(ways[0].peer))
  return ways.map(({ peer }) => {
    const sorted = times.get(peer).sort((a, b) => a - b)
    return {
      bench: 'coldstart',
      case: `a function of ${Math.round(SCRIPT.length / 1000)} KB to its first answer`,
      peer,
      unit: 'ms',
      median: median(sorted),
      min: sorted[0],
      max: sorted.at(-1),
      p50Ms: at(sorted, 0.5),
      p99Ms: at(sorted, 0.99),
      ratio: median(sorted) / base,
      rounds,
    }
  })
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
