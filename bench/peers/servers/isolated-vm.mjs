// isolated-vm behind node:http, as its documentation advises: one isolate with a memory limit, one context, the handler as a
// Reference that is called with copies; 50 ms a call. The calls run on the isolate's own thread. Timers are the host's.
import { createRequire } from 'node:module'
import { moduleOf } from '../isolated-vm-release.mjs'
import { serve } from './node.mjs'
import { workSource } from './work-source.mjs'

const ivm = createRequire(import.meta.url)(moduleOf(process.versions.node))
const isolate = new ivm.Isolate({ memoryLimit: 64 })
const context = await isolate.createContext()
const sleep = new ivm.Reference((ms) => new Promise((resolve) => setTimeout(resolve, ms)))
await context.global.set('sleep', sleep)
await (await isolate.compileScript(workSource)).run(context)
const later = '(ms) => sleep.apply(undefined, [ms], { result: { promise: true } })'
const script = `(path, body) => answer(path, body, ${later})`
const handler = await context.eval(script, { reference: true })
const OPTIONS = { timeout: 50, arguments: { copy: true }, result: { copy: true, promise: true } }
serve((path, body) => handler.apply(undefined, [path, body], OPTIONS))
