// Runs test files on Node's own globals, each in a thread of its own: what the sandbox is compared with.
import { Worker } from 'node:worker_threads'

const THREAD_MS_MAX = 270_000

/** Evaluated in the thread; the harness is a script there, as it is in the sandbox. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads')
const { runInThisContext } = require('node:vm')
globalThis.self = globalThis
// An evaluated thread has these as globals, and helpers would take them for a module's.
for (const name of ['module', 'exports', 'require', '__filename', '__dirname']) delete globalThis[name]
process.on('unhandledRejection', () => {})
const exported = {}
runInThisContext('(function (exports) {' + workerData.harness + '\\n})')(exported)
exported.run(workerData.file).then((result) => parentPort.postMessage(result))
`

/** As openSandbox. */
export function openNode(harness) {
  return {
    run: (file) =>
      new Promise((resolve) => {
        const worker = new Worker(THREAD, {
          eval: true,
          workerData: { harness, file },
          stdout: true,
          stderr: true,
        })
        const end = (result) => {
          clearTimeout(timer)
          resolve(result)
          worker.terminate()
        }
        const failed = (message) => end({ status: 1, message, tests: [] })
        const timer = setTimeout(() => failed('no end in time'), THREAD_MS_MAX)
        worker.once('message', end)
        worker.once('error', (error) => failed(String(error)))
        worker.once('exit', (code) => failed(`the thread ended with ${code}`))
      }),
    stop: async () => {},
  }
}
