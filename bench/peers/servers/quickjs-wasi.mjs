// quickjs-wasi behind node:http: each request gets a virtual machine restored from a snapshot that has the work loaded.
import { readFile } from 'node:fs/promises'
import { QuickJS } from 'quickjs-wasi'
import { serve } from './node.mjs'
import { workSource } from './work-source.mjs'

const wasm = await WebAssembly.compile(
  await readFile(new URL(import.meta.resolve('quickjs-wasi/quickjs.wasm'))),
)
let deadline = 0
const options = { wasm, memoryLimit: 64 << 20, interruptHandler: () => Date.now() > deadline }

function addLater(vm) {
  return (ms) => {
    const promise = vm.newPromise()
    setTimeout(() => {
      promise.resolve(vm.undefined)
      vm.executePendingJobs()
    }, ms.toNumber())
    return promise.handle
  }
}

async function makeSnapshot() {
  deadline = Date.now() + 1000
  const vm = await QuickJS.create(options)
  const later = vm.newFunction('later', addLater(vm))
  vm.setProp(vm.global, 'later', later)
  later.dispose()
  vm.evalCode(workSource).dispose()
  vm.evalCode('globalThis.ask = (path, body) => answer(path, body, later)').dispose()
  const taken = vm.snapshot()
  vm.dispose()
  return taken
}

const snapshot = await makeSnapshot()

serve(async (path, body) => {
  const vm = await QuickJS.restore(snapshot, options)
  deadline = Date.now() + 50
  try {
    vm.registerHostCallback('later', addLater(vm))
    const args = [vm.newString(path), body === undefined ? vm.undefined : vm.newString(body)]
    const ask = vm.global.getProp('ask')
    const result = vm.callFunction(ask, vm.undefined, ...args)
    for (const handle of [ask, ...args]) handle.dispose()
    if (path !== '/later') return result.consume((handle) => handle.toString())
    vm.executePendingJobs()
    const settled = await vm.resolvePromise(result)
    result.dispose()
    if ('error' in settled) throw new Error(settled.error.consume((handle) => handle.toString()))
    return settled.value.consume((handle) => handle.toString())
  } finally {
    vm.dispose()
  }
})
