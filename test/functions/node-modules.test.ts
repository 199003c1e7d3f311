// Node's modules inside the sandbox: the same expressions are evaluated there and in Node.js, and must have the same values.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleFunction, stopBundler } from '../../src/functions/bundle.ts'
import { buildGuest, head, loadVariant, Sandbox, VARIANTS } from '../guest/sandbox.ts'

const EXPRESSIONS: Record<string, readonly string[]> = {
  buffer: [
    `Buffer.from('héllo').toString('base64')`,
    `Buffer.from('aGk', 'base64url').toString() + Buffer.from('hi>').toString('base64url')`,
    `Buffer.concat([Buffer.from('a'), Buffer.alloc(2)]).toJSON()`,
    `Buffer.from('ff00', 'hex').readUInt16BE(0)`,
    `Buffer.from('hé', 'latin1').toString('hex')`,
    `Buffer.alloc(8).writeBigInt64LE(5n)`,
    `Buffer.from('abcabc').indexOf('ca') + Buffer.byteLength('h€')`,
    `Buffer.isBuffer(Buffer.from('abc').subarray(1)) && Buffer.compare(Buffer.from('a'), Buffer.from('b'))`,
  ],
  events: [
    `(() => { const e = new m.EventEmitter(), r = []
       e.once('a', (x) => r.push(x)); e.on('a', (x) => r.push(x + 1)); e.prependListener('a', () => r.push(0))
       e.emit('a', 1); e.emit('a', 5); return r })()`,
    `(() => { try { new m.EventEmitter().emit('error', new Error('z')) } catch (e) { return e.message } })()`,
    `(() => { const E = required('events'); return [new (class extends E {})().listenerCount('x'), E.EventEmitter === E] })()`,
    `m.errorMonitor.toString() + m.EventEmitter.defaultMaxListeners`,
  ],
  path: [
    `[m.join('/a', '../b', 'c'), m.resolve('/a', 'b'), m.relative('/a/b/c', '/a/d'), m.normalize('/a/./b//c/')]`,
    `[m.parse('/home/x.tar.gz'), m.extname('a.b.c'), m.basename('/a/b.html', '.html'), m.dirname('/a/b/')]`,
    `[m.join('a\\\\b', 'c'), m.join(''), m.posix === m.posix.posix, required('path').join('x', 'y')]`,
  ],
  util: [
    `m.inspect({ a: 1, b: [1, { c: new Map([[1, 2]]) }], d: new Date(0), e: /x/g, s: Symbol('q') })`,
    `[m.inspect(new Set([1, 'a'])), m.inspect([1, , 3]), m.inspect(new (class Foo { x = 1 })()), m.inspect("a'b")]`,
    `m.format('%s %d %j %o', 1, '2', { a: 1 }, [1])`,
    `m.isDeepStrictEqual({ a: [1, new Set([2])] }, { a: [1, new Set([2])] }) && !m.isDeepStrictEqual([0], [-0])`,
    `Object.keys(m.types).filter((name) => ![undefined, null, 1, 'a', {}, [], () => 1].some((v) => m.types[name](v))).length > 30`,
    `[new Map(), new Set(), new Date(), /x/, Promise.resolve(), new Uint8Array(1), new DataView(new ArrayBuffer(1)), new Error()]
       .map((v) => Object.keys(required('util').types).filter((name) => name !== 'isExternal' && required('util').types[name](v)).sort())`,
    `m.types.isMap(Object.create(Map.prototype)) || m.types.isDate(Object.create(Date.prototype))`,
    `m.stripVTControlCharacters('\\x1b[31mx\\x1b[0m') + m.toUSVString('a\\ud800')`,
    `(() => { function A() {} function B() {}; m.inherits(A, B); return new A() instanceof B && A.super_ === B })()`,
    `new Promise((done) => m.callbackify(async (a) => a + 1)(1, (error, value) => done([error, value])))`,
    `m.promisify((a, back) => back(null, a * 2))(21)`,
    `m.promisify((back) => back(new RangeError('no')))().catch((error) => error.name)`,
  ],
  assert: [
    `(() => { try { m.deepStrictEqual({ a: 1 }, { a: 2 }) } catch (e) { return [e.name, e.code, e.message.split('\\n')[0]] } })()`,
    `(() => { try { m.equal(1, 2) } catch (e) { return [e.message, e.generatedMessage, e instanceof m.AssertionError] } })()`,
    `(() => { try { m(0, 'no') } catch (e) { return e.message } })()`,
    `(() => { try { required('assert')(false, 'required') } catch (e) { return e.message } })()`,
    `m.throws(() => { throw new TypeError('x') }, /x/) === m.deepEqual([1, { a: '1' }], [1, { a: 1 }])`,
    `m.rejects(Promise.reject(new Error('late')), { message: 'late' }).then(() => 'rejected')`,
    `m.strict.equal === m.strictEqual && m.deepStrictEqual(new Map([[1, { a: 2 }]]), new Map([[1, { a: 2 }]]))`,
  ],
  'assert/strict': [`(() => { try { m.equal(1, '1') } catch (e) { return e.name + e.operator } })()`],
  url: [
    `m.parse('http://a:b@h.com:80/p?q=1#h').pathname + m.parse('http://x/?a=1&b=2', true).query.b`,
    `m.format({ protocol: 'http', host: 'x.com', pathname: '/a' }) + m.resolve('http://a/b/c', '../d')`,
    `m.fileURLToPath('file:///a/b') + m.pathToFileURL('/a b').href + (m.URL === URL)`,
    `m.domainToASCII('español.com')`,
  ],
  querystring: [
    `[{ ...m.parse('a=1&a=2&b=%20+') }, m.stringify({ a: [1, 2], b: 'x y', c: '' }), m.escape('a b&'), m.unescape('%41')]`,
    `m.stringify({ a: true, b: 1n, c: null })`,
  ],
  string_decoder: [
    `(() => { const d = new m.StringDecoder('utf8'); return [d.write(Buffer.from([0xe2, 0x82])), d.write(Buffer.from([0xac])), d.end()] })()`,
    `(() => { const d = new m.StringDecoder('base64'); return [d.write(Buffer.from('a')), d.end(Buffer.from('bc'))] })()`,
  ],
  punycode: [`m.toASCII('mañana.com') + m.decode('maana-pta')`],
  process: [
    `new Promise((done) => { const order = []; m.nextTick((a) => order.push(a), 1); m.nextTick(() => done(order)) })`,
    `m.hrtime().length + typeof m.hrtime.bigint() + m.platform`,
  ],
  'timers/promises': [`m.setTimeout(1, 'later')`, `m.setImmediate('soon')`],
  timers: [`new Promise((done) => m.setImmediate(done, 'immediate'))`, `typeof m.clearImmediate`],
}

/** `required` stands for CommonJS: what `require` of an ES module gives must be the module's default export. */
const source = (name: string, expressions: readonly string[]) => `
import * as all from 'node:${name}'
import { Buffer } from 'node:buffer'
const m = all.default ?? all
const required = (name) => ({ events: () => require('events'), path: () => require('path'), util: () => require('util'), assert: () => require('assert') })[name]()
const expressions = [${expressions.map((text) => `async () => (${text})`).join(',\n')}]
export default async () => Response.json(await Promise.all(expressions.map(async (one) => {
  try { const value = await one(); return value === undefined ? 'undefined' : value } catch (error) { return 'threw ' + error }
})))
`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringlet-node-modules-'))
})
afterAll(async () => {
  await stopBundler()
  await rm(folder, { recursive: true })
})

async function inNode(name: string, text: string): Promise<unknown> {
  const file = join(folder, `${name.replace('/', '-')}.mjs`)
  await writeFile(
    file,
    `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\n${text}`,
  )
  const module = (await import(pathToFileURL(file).href)) as { default(): Promise<Response> }
  return (await module.default()).json()
}

/** The handler's answer, with every timer fired. */
async function inSandbox(variant: (typeof VARIANTS)[number], code: string, requests = 1): Promise<unknown> {
  const bundle = await bundleFunction({ name: 'f', code, resolveDir: folder })
  const sandbox = new Sandbox(await loadVariant(variant), await buildGuest())
  sandbox.loadExpression(bundle.code, 'f.js')
  let body = ''
  for (let count = 0; count < requests; count++) {
    let answer = sandbox.invoke(head())
    while (answer.status === 0 && sandbox.timers.size > 0) {
      sandbox.fireAll()
      answer = sandbox.settle()
    }
    body = answer.body
  }
  return JSON.parse(body)
}

describe.each(VARIANTS)('in %s', (variant) => {
  it.each(Object.entries(EXPRESSIONS))('node:%s is as in Node.js', async (name, expressions) => {
    const text = source(name, expressions)
    expect(await inSandbox(variant, text)).toEqual(await inNode(name, text))
  })
})

const CONTEXT = `
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
const store = new AsyncLocalStorage()
const other = new AsyncLocalStorage()
const seen = {}
const note = (name) => { seen[name] = store.getStore() ?? 'none' }
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
async function deep() { await null; await pause(2); return store.getStore() }
async function* items() { yield store.getStore(); await pause(1); yield store.getStore() }
class Thenable { then(resolve) { resolve('in then: ' + store.getStore()) } }
async function work(id) {
  await pause(id)
  const first = await deep()
  const list = []
  for await (const item of items()) list.push(item)
  for await (const item of [pause(1).then(() => store.getStore())]) list.push(item)
  const thenable = await new Thenable()
  const [all] = await Promise.all([deep(), pause(1)])
  const late = await Promise.reject(1).catch(() => store.getStore()).finally(() => note('finally' + id))
  const micro = await new Promise((resolve) => queueMicrotask(() => resolve(store.getStore())))
  const inner = await other.run('inner', async () => { await null; return [store.getStore(), other.getStore()] })
  const outside = await store.exit(async () => { await null; return store.getStore() ?? 'none' })
  return [first, list, thenable, all, late, micro, inner, outside, other.getStore() ?? 'none', store.getStore()]
}
export default async () => {
  note('at first')
  const results = await Promise.all([3, 1, 2].map((id) => store.run('s' + id, work, id)))
  note('at last')
  let bound, resource, snapshot
  store.run('kept', () => {
    bound = AsyncLocalStorage.bind(() => store.getStore())
    snapshot = AsyncLocalStorage.snapshot()
    resource = new AsyncResource('TEST')
  })
  const kept = [bound(), snapshot(() => store.getStore()), resource.runInAsyncScope(() => store.getStore())]
  const thrown = await store.run('thrower', async () => { await null; throw new Error(store.getStore()) }).catch((error) => error.message)
  store.enterWith('entered')
  await pause(1)
  note('entered')
  await Promise.resolve().then(() => store.enterWith('inside a reaction'))
  note('after a reaction')
  store.disable()
  note('disabled')
  store.enterWith('left behind')
  return Response.json({ seen, results, kept, thrown })
}`

describe('AsyncLocalStorage', () => {
  it.each(VARIANTS)(
    'follows promises, timers, microtasks and generators in %s as in Node.js',
    async (variant) => {
      const expected = (await inNode('context', CONTEXT)) as { seen: object; results: unknown[][] }
      expect(expected.results[0]![0]).toBe('s3')
      expect(await inSandbox(variant, CONTEXT)).toEqual(expected)
      // What a request has entered is not there for the next one.
      expect(await inSandbox(variant, CONTEXT, 2)).toEqual(expected)
    },
  )

  it('leaves async functions alone where it is not used, as by node:events', async () => {
    const plain = await bundleFunction({
      name: 'f',
      code: `import { EventEmitter } from 'node:events'\nexport default async () => { await null; return new EventEmitter() }`,
      resolveDir: folder,
    })
    expect(plain.code).toMatch(/async \(\) => \{\s+await null/)
    expect(plain.code).not.toContain('AsyncLocalStorage')
    const { code } = await bundleFunction({ name: 'f', code: CONTEXT, resolveDir: folder })
    expect(code).not.toMatch(/\bawait null\b/)
  })
})
