// quickjs-emscripten as its README shows it: a context for each request, limits on its runtime, disposed afterwards.
import { getQuickJS, shouldInterruptAfterDeadline } from 'quickjs-emscripten'
import { serve } from './node.mjs'
import { workSource } from './work-source.mjs'

const QuickJS = await getQuickJS()

async function answer(path, body) {
  const runtime = QuickJS.newRuntime()
  runtime.setMemoryLimit(64 << 20)
  runtime.setMaxStackSize(256 << 10)
  runtime.setInterruptHandler(shouldInterruptAfterDeadline(Date.now() + 1000))
  const vm = runtime.newContext()
  try {
    const later = vm.newFunction('later', (ms) => {
      const promise = vm.newPromise()
      setTimeout(() => promise.resolve(vm.undefined), vm.getNumber(ms))
      promise.settled.then(() => runtime.executePendingJobs())
      return promise.handle
    })
    vm.setProp(vm.global, 'later', later)
    later.dispose()
    vm.unwrapResult(vm.evalCode(workSource)).dispose()
    const call = `answer(${JSON.stringify(path)}, ${JSON.stringify(body ?? null)}, later)`
    const result = vm.unwrapResult(vm.evalCode(call))
    if (vm.typeof(result) === 'string') return result.consume((handle) => vm.getString(handle))
    const settled = vm.resolvePromise(result)
    result.dispose()
    runtime.executePendingJobs()
    return vm.unwrapResult(await settled).consume((handle) => vm.getString(handle))
  } finally {
    vm.dispose()
    runtime.dispose()
  }
}

serve(answer)
