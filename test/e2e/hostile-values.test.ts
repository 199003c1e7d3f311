// Guests that answer with traps: what the host and the guest's own API look at has been overwritten, revoked, detached or made
// endless. An answer or a clean 500 (503 where a limit ends it), and the next request's answer is its own.

import { describe, expect, test } from 'vitest'
import { startServer } from '../support/server.ts'

/** By the name of their path; each runs in a realm that other attacks have been at before. */
const ATTACKS = `
const trap = (): never => { throw new Error('a trap') }
const trapped = new Proxy({}, Object.fromEntries(Reflect.ownKeys(Reflect).filter((k) => typeof k === 'string').map((k) => [k, trap])))
const revoked = () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy }
const revokedFunction = () => { const { proxy, revoke } = Proxy.revocable(function () {}, {}); revoke(); return proxy }
const detached = () => { const buffer = new ArrayBuffer(8); const view = new Uint8Array(buffer); (buffer as any).transfer?.(); return view }
const long = 'x'.repeat(3_000_000)
const lone = 'a\\ud800b\\udc00'
const overwrite = (owner: object, name: string) => Object.defineProperty(owner, name, { get: trap, set: trap, configurable: true })
const VALUES: Record<string, () => unknown> = {
  trapped: () => trapped, revoked, 'revoked-function': revokedFunction, detached, long: () => long, lone: () => lone,
  nul: () => 'a\\0b', symbol: () => Symbol('s'), bigint: () => 1n, nan: () => NaN, 'null-prototype': () => Object.create(null),
  'to-string': () => ({ toString: trap, valueOf: trap, [Symbol.toPrimitive]: trap }),
  'to-string-object': () => ({ [Symbol.toPrimitive]: () => ({}) }),
  getters: () => Object.defineProperties({}, Object.fromEntries(['status', 'headers', 'body', 'then', 'method', 'length', 'byteLength', 'name', 'message', 'stack', 'cause', 'next', 'done', 'value'].map((name) => [name, { get: trap, enumerable: true }]))),
  iterator: () => ({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: ['a', 'b'] }) }) }),
  cyclic: () => { const a: any = {}; a.a = a; return a },
  'endless-then': () => ({ then(resolve: (v: unknown) => void) { resolve({ then: () => {} }) } }),
  'then-twice': () => ({ then(resolve: (v: unknown) => void, reject: (e: unknown) => void) { resolve(new Response('then')); reject(new Error('x')); resolve(1) } }),
  'length-lie': () => Object.defineProperty(new Uint8Array(4), 'byteLength', { value: 2 ** 31 }),
}
const CLASSES = ['Request', 'Response', 'Headers', 'URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'ReadableStream', 'WritableStream', 'TransformStream',
  'FormData', 'Blob', 'File', 'AbortController', 'EventTarget', 'Event', 'MessageChannel', 'DOMException', 'URLPattern', 'CompressionStream']
const USES: Record<string, (value: any) => unknown> = {
  return: (v) => v,
  throw: (v) => { throw v },
  reject: (v) => Promise.reject(v),
  resolve: async (v) => v,
  body: (v) => new Response(v),
  status: (v) => new Response('x', { status: v }),
  'status-text': (v) => new Response('x', { statusText: v }),
  headers: (v) => new Response('x', { headers: v }),
  'header-value': (v) => new Response('x', { headers: { a: v } }),
  'header-name': (v) => new Response('x', { headers: [[v, 'a']] }),
  init: (v) => new Response('x', v),
  json: (v) => Response.json(v),
  redirect: (v) => Response.redirect(v),
  log: (v) => { console.log(v, '%s', v); console.error(v); return new Response('logged') },
  url: (v) => new Response(new URL(v, 'http://a.test').href),
  request: (v) => new Response(new Request('http://a.test', { method: 'POST', body: v, headers: { b: 'c' } }).method),
  encode: (v) => new Response(new TextEncoder().encode(v)),
  decode: (v) => new Response(new TextDecoder().decode(v)),
  base64: (v) => new Response(atob(btoa(v))),
  timer: (v) => new Promise((resolve) => setTimeout(() => resolve(new Response('timer')), v)),
  random: (v) => new Response(crypto.getRandomValues(v)),
  'wait-until': (v) => null,
  stream: (v) => new Response(new ReadableStream({ start(c) { c.enqueue(v); c.close() } })),
  'stream-pull': (v) => new Response(new ReadableStream({ pull() { return v }, cancel: trap })),
  'stream-error': (v) => new Response(new ReadableStream({ pull(c) { c.error(v) } })),
  construct: (v) => { let n = 0; for (const name of CLASSES) { try { new (globalThis as any)[name](v, v); n++ } catch {} } return new Response(String(n)) },
}
const BREAKS: Record<string, () => void> = {
  prototypes: () => { for (const type of [String, Array, RegExp, Promise, Map, Uint8Array, ArrayBuffer, Function]) for (const name of Object.getOwnPropertyNames(type.prototype)) if (name !== 'constructor') try { overwrite(type.prototype, name) } catch {} },
  'object-prototype': () => { for (const name of ['then', 'status', 'headers', 'body', 'get', 'set', 'value', 'next', '0', 'length', 'toJSON']) overwrite(Object.prototype, name) },
  'array-index': () => { for (const name of ['0', '1', '2']) Object.defineProperty(Array.prototype, name, { get: () => 'planted', set() {}, configurable: true }) },
  globals: () => { for (const name of Object.getOwnPropertyNames(globalThis)) if (!['globalThis', 'Infinity', 'NaN', 'undefined'].includes(name)) try { overwrite(globalThis, name) } catch {} },
  'api-prototypes': () => { for (const name of CLASSES) { const type = (globalThis as any)[name]; if (type) for (const key of Reflect.ownKeys(type.prototype)) try { Object.defineProperty(type.prototype, key, { value: trap, configurable: true }) } catch {} } },
  species: () => { for (const type of [Array, Promise, ArrayBuffer, RegExp, Map]) Object.defineProperty(type, Symbol.species, { get: trap, configurable: true }) },
  frozen: () => { for (const name of Object.getOwnPropertyNames(globalThis)) try { Object.freeze((globalThis as any)[name]); Object.freeze((globalThis as any)[name].prototype) } catch {} },
}
const make = Response
const parse = URL
export default {
  fetch(request: Request, env: unknown, context: { waitUntil(work: unknown): void }): unknown {
    const { pathname } = new parse(request.url)
    const [, kind, first, second] = pathname.split('/')
    if (kind === 'own') return new make('own ' + first)
    if (kind === 'list') return make.json({ values: Object.keys(VALUES), uses: Object.keys(USES), breaks: Object.keys(BREAKS) })
    const value = kind === 'use' ? VALUES[second!]!() : undefined
    if (kind === 'use' && first === 'wait-until') { context.waitUntil(value); return new make('waits') }
    if (kind === 'use') return USES[first!]!(value)
    if (kind === 'break') { const answer = new make('broken', { headers: { 'x-a': 'b' } }); BREAKS[first!]!(); return answer }
    BREAKS[first!]!()
    return Promise.resolve(new make('late'))
  },
}
`

/** Requests under way at once; each answer must be the asker's own. */
const TOGETHER = 4

describe.each(['quickjs', 'quickjs-ng'] as const)('hostile values in %s', (engine) => {
  test('are answered or refused, and nobody gets what is another’s', { timeout: 240_000 }, async () => {
    await using server = await startServer({
      args: ['values.ts'],
      handlerFiles: { 'values.ts': ATTACKS },
      config: {
        engine,
        isolation: 'request',
        limits: { cpuMs: 500, wallMs: 1_000, memoryBytes: 64 * 2 ** 20 },
        // To free what an endless iterator has made is native work: on a busy machine the watchdog would take it for hung.
        watchdog: { graceMs: 10_000 },
      },
    })
    const list = (await (await fetch(`${server.url}/list`)).json()) as Record<string, string[]>
    const paths = [
      ...list['uses']!.flatMap((use) => list['values']!.map((value) => `/use/${use}/${value}`)),
      ...list['breaks']!.flatMap((name) => [`/break/${name}`, `/late/${name}`]),
    ]
    expect(paths.length).toBeGreaterThan(400)
    const bad: unknown[] = []
    let next = 0
    const ask = async (): Promise<void> => {
      for (let index = next++; index < paths.length; index = next++) {
        const response = await fetch(server.url + paths[index]!).catch((error: unknown) => error as Error)
        if (response instanceof Error) {
          bad.push([paths[index], String(response)])
        } else {
          // A stream that fails after its head ends the connection: that too is an end, and told.
          await response.text().catch(() => '')
          if (![200, 302, 500, 503, 504].includes(response.status)) bad.push([paths[index], response.status])
        }
        const own = await fetch(`${server.url}/own/${index}`)
        const text = await own.text()
        if (own.status !== 200 || text !== `own ${index}`) bad.push([paths[index], 'then', own.status, text])
      }
    }
    await Promise.all(Array.from({ length: TOGETHER }, ask))
    expect(bad).toEqual([])
  })
})
