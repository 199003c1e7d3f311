// The child of run.mjs: makes so many functions of one kind, lets each answer once, and prints how much its resident size grew.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'

const [kind, text] = process.argv.slice(2)
const count = Number(text)
const require = createRequire(import.meta.url)
const SCRIPT = (i) =>
  `const greeting = 'hello ${i}'; function handler(path) { return JSON.stringify({ greeting, path }) }`
const expected = (i) => JSON.stringify({ greeting: `hello ${i}`, path: '/' })
/** Whatever is made is held until the end. */
const kept = []
const WARM_UPS = 20

function check(found, i) {
  if (found !== expected(i)) throw new Error(`expected ${expected(i)}, got ${found}`)
}

async function ringlet(isWarm) {
  const { openEngine } = await import('../engine/engine.mjs')
  const engine = await openEngine()
  const image = (i) => engine.image(`(() => { ${SCRIPT(i)}\nreturn () => new Response(handler('/')) })()`)
  const limits = { gcSoftBytes: 2 ** 21, gcHighBytes: 2 ** 24 }
  const answer = async (images, i) => {
    const pools = engine.pools(images, limits, {}, 0)
    await pools.prewarm(1)
    check(engine.text(pools.lease(0).instance), i)
    return pools
  }
  await answer([await image(0)], 0)
  return async (i) => {
    const made = await image(i)
    kept.push(made)
    if (isWarm) kept.push(await answer([made], i))
  }
}

async function isolatedVm() {
  const { moduleOf } = await import('../peers/isolated-vm-release.mjs')
  const ivm = require(moduleOf(process.versions.node))
  return async (i) => {
    const isolate = new ivm.Isolate({ memoryLimit: 64 })
    const context = await isolate.createContext()
    await (await isolate.compileScript(SCRIPT(i))).run(context)
    check(await context.eval(`handler('/')`), i)
    kept.push(isolate, context)
  }
}

async function quickjsWasi() {
  const { QuickJS } = await import('quickjs-wasi')
  const wasm = await WebAssembly.compile(await readFile(require.resolve('quickjs-wasi/quickjs.wasm')))
  return async (i) => {
    const vm = await QuickJS.create({ wasm })
    vm.evalCode(SCRIPT(i)).dispose()
    check(
      vm.evalCode(`handler('/')`).consume((handle) => handle.toString()),
      i,
    )
    kept.push(vm)
  }
}

async function quickjsEmscripten() {
  const { newQuickJSWASMModule } = await import('quickjs-emscripten')
  // A module each: with one for all, a memory limit would not hold, and one function's damage would be everybody's.
  return async (i) => {
    const vm = (await newQuickJSWASMModule()).newContext()
    vm.unwrapResult(vm.evalCode(SCRIPT(i))).dispose()
    check(
      vm.unwrapResult(vm.evalCode(`handler('/')`)).consume((handle) => vm.getString(handle)),
      i,
    )
    kept.push(vm)
  }
}

function workerThread() {
  return (i) =>
    new Promise((resolve, reject) => {
      const code = `${SCRIPT(i)}\nconst { parentPort } = require('node:worker_threads')
        parentPort.on('message', () => {}); parentPort.postMessage(handler('/'))`
      const worker = new Worker(code, { eval: true })
      worker.once('error', reject)
      worker.once('message', (found) => {
        check(found, i)
        kept.push(worker)
        resolve()
      })
    })
}

const makers = {
  'ringlet-idle': () => ringlet(false),
  'ringlet-warm': () => ringlet(true),
  'isolated-vm': isolatedVm,
  'quickjs-wasi': quickjsWasi,
  'quickjs-emscripten': quickjsEmscripten,
  worker_thread: async () => workerThread(),
}
const make = await makers[kind]()
const residentBytes = () => {
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().rss
}
// What the first ones need is the process's, not theirs.
for (let i = 0; i < WARM_UPS; i++) await make(i)
const before = residentBytes()
for (let i = 0; i < count; i++) await make(i)
console.log(JSON.stringify({ bytes: residentBytes() - before }))
process.exit(0)
