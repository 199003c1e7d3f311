// isolated-vm behind node:http with the tenants of functions.mjs: an isolate for each, with the limits that Ringlet has by default
// and isolated-vm knows (50 ms a call, by the wall; 64 MB of heap). An isolate that is disposed for its memory is made anew.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { moduleOf } from '../peers/isolated-vm-release.mjs'
import { listening } from '../peers/servers/node.mjs'
import { FUNCTIONS } from './functions.mjs'

const ivm = createRequire(import.meta.url)(moduleOf(process.versions.node))
const CALL_MS = 50
const MEMORY_MB = 64
/** As much of the Fetch API as the tenants use. */
const API = `
  const text = (body) => String(body)
  globalThis.Response = { json: (value) => JSON.stringify(value), text }
  globalThis.handle = (body) => handler({ text: async () => body })`

class Tenant {
  #code
  #handle

  constructor({ code }) {
    this.#code = code.replace('export default', 'globalThis.handler =')
  }

  async answer(body) {
    try {
      this.#handle ??= this.#open()
      const handle = await this.#handle
      const options = { timeout: CALL_MS, arguments: { copy: true }, result: { copy: true, promise: true } }
      return await handle.apply(undefined, [body], options)
    } catch (error) {
      // Also one that could not be opened.
      if (!/timed out/.test(error.message)) this.#handle = undefined
      throw error
    }
  }

  async #open() {
    const isolate = new ivm.Isolate({ memoryLimit: MEMORY_MB })
    const context = await isolate.createContext()
    await (await isolate.compileScript(`${this.#code}\n${API}`)).run(context)
    return context.global.get('handle', { reference: true })
  }
}

const tenants = new Map(FUNCTIONS.map((fn) => [fn.routes[0], new Tenant(fn)]))
const server = createServer((request, response) => {
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', async () => {
    try {
      const text = await tenants.get(request.url).answer(Buffer.concat(parts).toString())
      response.writeHead(200, { 'content-length': Buffer.byteLength(text) }).end(text)
    } catch (error) {
      const text = String(error.message)
      response.writeHead(503, { 'content-length': Buffer.byteLength(text) }).end(text)
    }
  })
})
server.listen(0, '127.0.0.1', () => listening(server.address().port))
