import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const out = new URL('../../dist/bench-engine.js', import.meta.url)
const MEMORY_BYTES = 64 << 20
const STACK_BYTES = 256 << 10
const INIT_MS = 5000

const HOST = {
  log() {},
  timerSet: () => false,
  timerClear() {},
  unhandled() {},
  bodyPull() {},
  env: () => '{}',
  enter() {},
  leave() {},
  isCancelled: false,
}
const HEAD = Buffer.from('GET / HTTP/1.1\r\nhost: bench.test\r\n\r\n')

/** The engine in this thread: images of handlers, pools over them, and one request. */
export async function openEngine(variant = 'quickjs') {
  await build({
    absWorkingDir: root,
    entryPoints: ['bench/engine/entry.ts'],
    outfile: fileURLToPath(out),
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    conditions: ['ringlet-source'],
    logLevel: 'warning',
  })
  const engine = await import(out.href)
  const guest = await readFile(new URL('../../dist/guest.json', import.meta.url))
  const { kit, code, bases } = await engine.makeBases(variant, guest)

  const image = (handler) => {
    const source = { filename: 'bench.js', code: `(exports) => { exports.default = ${handler}\n}` }
    const base = bases[engine.baseFor(engine.mentionedFeatures(source.code))]
    return engine.buildImage(kit, code, base, source, STACK_BYTES, MEMORY_BYTES / 65_536, INIT_MS, HOST)
  }

  const pools = (images, limits, counts, blanks = 0) => {
    const count = (name) => () => {
      counts[name] = (counts[name] ?? 0) + 1
    }
    const names = [
      'opened',
      'loaded',
      'evicted',
      'collected',
      'reset',
      'condemned',
      'growthRefused',
      'notOpened',
    ]
    const events = { ...Object.fromEntries(names.map((name) => [name, count(name)])), left() {} }
    const all = {
      maxRuntimes: 1,
      perRuntime: 1,
      inFlight: 1,
      isolation: 'reuse',
      boundedRequests: 1,
      boundedMs: 1,
      ...limits,
      instance: { cpuMs: 10_000, hostCalls: 1e6, gcHardBytes: MEMORY_BYTES / 2, memoryBytes: MEMORY_BYTES },
    }
    const plans = images.map((each) => ({ image: each, limits: all }))
    return new engine.Pools(
      code,
      kit.layout,
      plans,
      { instances: 100, blanks, maximumPages: engine.maximumPages(plans) },
      new engine.MemoryBudget(1 << 30),
      events,
      (instance, index) => new engine.Runtime(instance, index),
    )
  }

  const ask = (instance) => {
    instance.begin(HOST)
    instance.invoke(HEAD, 0, HEAD.length, null, 0, 0, false, engine.FLAG.PLAIN_URL)
    if (instance.failure !== null) throw new Error(`the handler failed: ${instance.failure}`)
    const { status } = instance
    instance.settle()
    if (status !== 200) throw new Error(`status ${status}`)
  }

  /** Lets the engine's own policy decide when garbage is collected, in the middle of requests. */
  const useOwnPolicy = (instance, { pointers }) => {
    new Int32Array(instance.bytes.buffer)[(pointers.rt + kit.layout.gcThreshold) >> 2] = 256 << 10
  }

  /** One request's answer as text. */
  const text = (instance) => {
    instance.begin(HOST)
    instance.invoke(HEAD, 0, HEAD.length, null, 0, 0, false, engine.FLAG.PLAIN_URL)
    if (instance.failure !== null) throw new Error(`the handler failed: ${instance.failure}`)
    const found = Buffer.from(instance.bytes.slice(instance.bodyStart, instance.bodyEnd)).toString()
    instance.settle()
    return found
  }

  const KEY = { identity: 'bench', maker: 'bench' }
  const MAP = '{"version":3,"sources":[],"names":[],"mappings":""}'

  /** An image as the file that the disk cache keeps of it, and back. */
  const toFile = (made) => {
    const bundle = { code: '', map: MAP, inputs: [] }
    return engine.encodeEntry(KEY, bundle, made, {
      index: bases.findIndex(({ image: base }) => base === made.base),
      hash: 'bench',
    })
  }
  const fromFile = (path, file) => {
    const entry = engine.decodeEntry(path, file, KEY, {
      get: (index) => ({ hash: 'bench', base: bases[index] }),
    })
    if (entry === undefined) throw new Error('the file of the image was not understood')
    return entry.image
  }

  return { image, pools, ask, text, useOwnPolicy, toFile, fromFile }
}
