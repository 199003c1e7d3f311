import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { moduleOf } from '../peers/isolated-vm-release.mjs'

const run = promisify(execFile)
const PROGRAM = fileURLToPath(new URL('./program.mjs', import.meta.url))
const require = createRequire(import.meta.url)
const GIB = 2 ** 30
const PEERS = [
  { peer: 'ringlet: registered', kind: 'ringlet-idle', count: 1000 },
  { peer: 'ringlet: a runtime each', kind: 'ringlet-warm', count: 300 },
  { peer: 'isolated-vm: an isolate each', kind: 'isolated-vm', count: 100 },
  { peer: 'quickjs-wasi: restored each', kind: 'quickjs-wasi', count: 100 },
  { peer: 'quickjs-emscripten: a runtime each', kind: 'quickjs-emscripten', count: 100 },
  { peer: 'worker_thread each', kind: 'worker_thread', count: 30 },
]

/** Functions in a GB: what a process's resident size grows by, for each more, each having answered once. A process a way. */
export async function runDensity({ quick, report }) {
  const rows = []
  for (const { peer, kind, count } of PEERS) {
    const skip = reasonToSkip(kind)
    if (skip !== undefined) {
      report(`skipped: ${peer}: ${skip}`)
      continue
    }
    report(`density: ${peer}`)
    const functions = quick ? Math.ceil(count / 5) : count
    const { stdout } = await run(process.execPath, ['--expose-gc', PROGRAM, kind, `${functions}`])
    const { bytes } = JSON.parse(stdout)
    rows.push({
      bench: 'density',
      case: 'a small function, answered once',
      peer,
      unit: 'functions/GB',
      median: GIB / (bytes / functions),
      perFunctionKB: bytes / functions / 1000,
      functions,
    })
  }
  return rows
}

/** Packages that a way needs beside ours. */
const NEEDS = {
  'isolated-vm': moduleOf(process.versions.node),
  'quickjs-wasi': 'quickjs-wasi/quickjs.wasm',
  'quickjs-emscripten': 'quickjs-emscripten',
}

/** Why a way cannot be measured, undefined when it can. */
function reasonToSkip(kind) {
  const name = NEEDS[kind]
  if (name === undefined) return undefined
  try {
    // isolated-vm may be there without a binary for this version of Node.js.
    if (kind === 'isolated-vm') require(name)
    else require.resolve(name)
    return undefined
  } catch (error) {
    return String(error.message).split('\n')[0]
  }
}

export { runDensity as run }
