import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RingletError } from '../../src/errors.ts'
import { bundleFunction, stopBundler } from '../../src/functions/bundle.ts'
import { exampleFunctions } from '../../src/functions/examples.ts'
import { mapStack } from '../../src/functions/source-map.ts'
import { buildGuest, head, loadVariant, Sandbox, VARIANTS } from '../guest/sandbox.ts'

const files: Record<string, string> = {
  'fetch.ts': `interface Env { A: string }\nexport default { fetch(request: Request, env: Env): string { return 'fetch' } }`,
  'function.mjs': `export default function () { return 'function' }`,
  'script.js': `function handler(request) { return 'script' }\n`,
  'script-fetch.ts': `async function fetch(request: Request): Promise<string> { return 'script fetch' }`,
  'script-import.ts': `import { text } from './lib/text.ts'\nfunction handler() { return text }`,
  'const.ts': `const handler = (): string => 'const'`,
  'comment.js': `// exports no\n/* export default */\nfunction handler() { return 'comment' }`,
  'common.cjs': `const { text } = require('./lib/common.cjs'); module.exports = () => text`,
  'common-fetch.js': `exports.fetch = () => 'common fetch'`,
  'page.tsx': `/** @jsxImportSource ./lib/html */\nexport default () => <p class="x">{'text'}</p>`,
  'classic.jsx': `/** @jsxRuntime classic @jsx h */\nconst h = (tag) => tag\nexport default () => <main />`,
  'jsx-in-js.js': `/** @jsxRuntime classic @jsx h */\nconst h = (tag) => tag\nexport default () => <b />`,
  'assets.ts': `import data from './lib/data.json'\nimport text from './lib/note.txt'\nexport default () => data.value + text`,
  'package.ts': `import { name } from 'fake-package'\nimport { EventEmitter } from 'events'\nexport default () => name + EventEmitter`,
  'environment.ts': `export default () => process.env.NODE_ENV`,
  'attributes.ts': `import data from './lib/data.json' with { type: 'json' }
import note from './lib/data.json' with { type: 'text' }
import bytes from './lib/data.bin' with { type: 'bytes' }
export default () => data.value + note + (bytes instanceof Uint8Array) + bytes.join()`,
  'bytes.ts': `import bytes from './lib/data.bin'\nexport default () => (bytes instanceof ArrayBuffer) + new Uint8Array(bytes).join()`,
  'lib/data.bin': 'AZ',
  'wasm.ts': `import module from './lib/sum.wasm'\nexport default () => module`,
  'odd-type.ts': `import sheet from './lib/note.txt' with { type: 'css' }\nexport default () => sheet`,
  'odd-attribute.ts': `import sheet from './lib/note.txt' with { as: 'css' }\nexport default () => sheet`,
  'process-env.ts': `export default () => String(process.env.HOME) + (process.env.A ?? 'none')`,
  'automatic/page.tsx': `export default () => <p class="x">{'text'}</p>`,
  'automatic/tsconfig.json': `{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "../lib/html" } }`,
  'by-factory/page.tsx': `const h = (tag: string, _: unknown, text: string) => tag + text\nexport default () => <p>text</p>`,
  'by-factory/tsconfig.json': `{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }`,
  'plain/page.tsx': `export default () => <p class="y">{'text'}</p>`,
  'lib/text.ts': `export const text: string = 'imported'`,
  'lib/common.cjs': `exports.text = 'common'`,
  'lib/data.json': `{"value":"json "}`,
  'lib/note.txt': `text`,
  'lib/html/jsx-runtime.ts': `export const jsx = (tag: string, { children, ...rest }: any) => '<' + tag + ' ' + JSON.stringify(rest) + '>' + children`,
  'node_modules/fake-package/package.json': `{"name":"fake-package","version":"1.0.0","exports":{".":{"workerd":"./worker.js","node":"./node.js","default":"./node.js"}}}`,
  'node_modules/fake-package/worker.js': `export const name = 'for workers, '`,
  'node_modules/fake-package/node.js': `export const name = 'for node, '`,
  'node_modules/events/package.json': `{"name":"events","version":"1.0.0","main":"index.js"}`,
  'node_modules/events/index.js': `exports.EventEmitter = 'events from npm'`,
  'broken.ts': `export default {\n  fetch() {\n    return 1 +\n  },\n}`,
  'missing.ts': `import './lib/nothing.ts'\nexport default () => 1`,
  'builtin.ts': `export const a = 1\nimport fs from 'node:fs'\nexport default () => fs`,
  'bare-builtin.ts': `import { join } from 'path'\nexport default () => join('a', 'b')`,
  'bare-missing.ts': `import { connect } from 'tls'\nexport default () => connect`,
  'hooks.ts': `import { createHook } from 'node:async_hooks'\nexport default () => createHook`,
  'throws.ts': `// a comment\ninterface Unused { a: 1 }\nfunction inner(): never {\n  throw new RangeError('at line four')\n}\nexport default () => inner()`,
  'throws-imported.ts': `import { fail } from './lib/fail.ts'\nexport default () => fail()`,
  'lib/fail.ts': `type A = 1\n\nexport function fail(): A {\n  throw new Error('in a library')\n}`,
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringlet-bundle-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
})
afterAll(async () => {
  await stopBundler()
  await rm(folder, { recursive: true })
})

type Call = () => unknown
type Loaded = { default?: Call | { fetch: Call }; fetch?: Call; handler?: Call } | Call

/** What the bundle's handler returns: it is evaluated as the engine does. */
async function result(code: string): Promise<unknown> {
  const factory = new Function(`return ${code}`)() as (
    exports: Loaded,
    module: { exports: Loaded },
    require: unknown,
  ) => void
  const module: { exports: Loaded } = { exports: {} }
  factory(module.exports, module, () => {
    throw new Error('require')
  })
  const { exports } = module
  if (typeof exports === 'function') return exports()
  const chosen = exports.default ?? exports.fetch ?? exports.handler!
  return typeof chosen === 'function' ? chosen() : chosen.fetch()
}

describe('bundleFunction', () => {
  it.each([
    ['fetch.ts', 'fetch'],
    ['function.mjs', 'function'],
    ['script.js', 'script'],
    ['script-fetch.ts', 'script fetch'],
    ['script-import.ts', 'imported'],
    ['const.ts', 'const'],
    ['comment.js', 'comment'],
    ['common.cjs', 'common'],
    ['common-fetch.js', 'common fetch'],
    ['page.tsx', '<p {"class":"x"}>text'],
    ['classic.jsx', 'main'],
    ['jsx-in-js.js', 'b'],
    ['assets.ts', 'json text'],
    ['package.ts', 'for workers, events from npm'],
    ['environment.ts', 'production'],
    ['process-env.ts', 'undefinednone'],
    ['bare-builtin.ts', 'a/b'],
    ['attributes.ts', 'json {"value":"json "}true65,90'],
    ['bytes.ts', 'true65,90'],
    ['automatic/page.tsx', '<p {"class":"x"}>text'],
    ['by-factory/page.tsx', 'ptext'],
  ])('%s', async (file, expected) => {
    const { code, map } = await bundleFunction({ name: 'f', file, resolveDir: folder })
    expect(await result(code)).toBe(expected)
    expect(JSON.parse(map).sources).toContain(file)
  })

  it('takes the JSX runtime of the configuration where no pragma and no tsconfig.json names one', async () => {
    const options = { name: 'f', resolveDir: folder, jsxImportSource: '../lib/html' }
    const plain = await bundleFunction({ ...options, file: 'plain/page.tsx' })
    expect(await result(plain.code)).toBe('<p {"class":"y"}>text')
    const chosen = await bundleFunction({ ...options, file: 'by-factory/page.tsx' })
    expect(await result(chosen.code)).toBe('ptext')
    const inline = await bundleFunction({
      ...options,
      jsxImportSource: './lib/html',
      code: '() => <b>in</b>',
    })
    expect(await result(inline.code)).toBe('<b {}>in')
  })

  it.each([
    ['(request) => "arrow"', 'arrow'],
    [' async () => "async"; ', 'async'],
    ['function (request) { return "anonymous" }', 'anonymous'],
    ['({ fetch() { return "object" } })', 'object'],
    ['{ fetch() { return "bare object" } }', 'bare object'],
    ['(request: Request): string => "typed" // and a comment', 'typed'],
    ['function handler() { return "handler" }', 'handler'],
    ['const handler = () => "const"', 'const'],
    ['export default () => "module"', 'module'],
    ['export default { fetch: () => "fetch" }', 'fetch'],
    ['module.exports = () => "common"', 'common'],
    ['import { text } from "./lib/text.ts"; export default () => text', 'imported'],
    ['() => { const exports = { a: "shadow" }; return exports.a }', 'shadow'],
  ])('inline %s', async (code, expected) => {
    expect(await result((await bundleFunction({ name: 'f', code, resolveDir: folder })).code)).toBe(expected)
  })

  it.each([
    ['broken.ts', 'function f: cannot build broken.ts:4:3: Unexpected "}"'],
    ['missing.ts', 'function f: cannot build missing.ts:1:8: Could not resolve "./lib/nothing.ts"'],
    [
      'builtin.ts',
      'function f: cannot build builtin.ts:2:16: the Node.js module "node:fs" does not exist in the sandbox',
    ],
    [
      'hooks.ts',
      expect.stringMatching(
        /^function f: cannot build hooks\.ts:1:10: No matching export .* for import "createHook"$/,
      ),
    ],
    [
      'bare-missing.ts',
      'function f: cannot build bare-missing.ts:1:25: the Node.js module "tls" does not exist in the sandbox',
    ],
    [
      'wasm.ts',
      'function f: cannot build wasm.ts:1:20: there is no WebAssembly in the sandbox: "./lib/sum.wasm" cannot be imported',
    ],
    [
      'odd-type.ts',
      'function f: cannot build odd-type.ts:1:19: the import type "css" is not known: bytes, json and text are',
    ],
    [
      'odd-attribute.ts',
      'function f: cannot build odd-attribute.ts:1:19: the import attribute "as" is not known',
    ],
    ['nowhere.ts', 'function f: cannot build nowhere.ts: there is no such file'],
    ['lib', 'function f: cannot build lib: the file cannot be read (EISDIR)'],
  ])('says in one line what is wrong with %s', async (file, message) => {
    const error = await bundleFunction({ name: 'f', file, resolveDir: folder }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(RingletError)
    expect((error as RingletError).code).toBe('RINGLET_HANDLER_BUILD')
    expect((error as RingletError).message).toEqual(message)
  })

  it('says what is wrong with inline code', async () => {
    await expect(
      bundleFunction({ name: 'f', code: '() => {\n  return (1\n}', resolveDir: folder }),
    ).rejects.toThrow(/^function f: cannot build inline\.tsx:3:1: Expected "\)" but found "}"$/)
  })

  it('wants one of file and code', async () => {
    await expect(bundleFunction({ name: 'f', resolveDir: folder })).rejects.toThrow(TypeError)
    await expect(bundleFunction({ name: 'f', file: 'a', code: 'b', resolveDir: folder })).rejects.toThrow(
      TypeError,
    )
  })

  it('starts again after it was stopped', async () => {
    await stopBundler()
    await stopBundler()
    expect(
      await result((await bundleFunction({ name: 'f', code: '() => 1', resolveDir: folder })).code),
    ).toBe(1)
  })
})

describe.each(VARIANTS)('stacks of %s', (variant) => {
  async function failureOf(file: string): Promise<string> {
    const { code, map } = await bundleFunction({ name: 'f', file, resolveDir: folder })
    const sandbox = new Sandbox(await loadVariant(variant), await buildGuest())
    sandbox.loadExpression(code, 'f.js')
    return mapStack(sandbox.invoke(head()).body, map, 'f.js')
  }

  it("show the user's file and line", async () => {
    const stack = await failureOf('throws.ts')
    expect(stack).toMatch(
      /^RangeError\nat line four\n +at inner \(throws\.ts:4:\d+\)\n +at .*\(throws\.ts:6:\d+\)/,
    )
    expect(stack).not.toContain('f.js')
  })

  it('show the file of an import', async () => {
    expect(await failureOf('throws-imported.ts')).toMatch(
      /at fail \(lib\/fail\.ts:4:\d+\)\n +at .*\(throws-imported\.ts:2:\d+\)/,
    )
  })
})

describe('mapStack', () => {
  it.each([
    ['', '{}'],
    ['    at f (f.js:1:1)', 'no JSON'],
    ['    at f (f.js:1:1)', '{"version":3,"sources":[],"mappings":""}'],
    ['    at f (f.js:99999999999999999999:1)', '{"version":3,"sources":["a"],"mappings":"AAAA"}'],
    ['    at f (other.js:1:1)\n    at native', '{"version":3,"sources":["a"],"mappings":"AAAA"}'],
    ['f.js:', '{"version":3,"sources":["a"],"mappings":"AAAA"}'],
  ])('leaves %j as it is with %s', (stack, map) => {
    expect(mapStack(stack, map, 'f.js')).toBe(stack)
  })

  it('maps frames with and without a name or a column', () => {
    const map = '{"version":3,"sources":["a.ts"],"mappings":"AACA"}'
    expect(
      mapStack('    at f (f.js:1:1)\n    at f.js:1:1\n    at g (f.js:1)\n    at h (g.js:1:1)', map, 'f.js'),
    ).toBe('    at f (a.ts:2:1)\n    at a.ts:2:1\n    at g (a.ts:2:1)\n    at h (g.js:1:1)')
  })
})

describe('the examples', () => {
  it('are bundled and answer', async () => {
    const module = await loadVariant('quickjs')
    const guest = await buildGuest()
    const answers: Record<string, [number, string]> = {}
    for (const { name, file } of exampleFunctions()) {
      const sandbox = new Sandbox(module, guest)
      sandbox.loadExpression((await bundleFunction({ name, file, resolveDir: folder })).code, `${name}.js`)
      const target = { greet: '/greet/Ad%61', delay: '/delay?ms=5' }[name] ?? '/'
      let answer = sandbox.invoke(
        head(name === 'echo' ? 'POST' : 'GET', target),
        name === 'echo' ? '{"a":1}' : undefined,
      )
      if (name === 'delay') {
        sandbox.fireAll()
        answer = sandbox.settle()
      }
      answers[name] = [answer.status, answer.body]
    }
    expect(answers).toEqual({
      welcome: [200, expect.stringMatching(/^<!doctype html><html lang="en">.*<a href="\/hello">/)],
      hello: [200, '{"hello":"world"}'],
      echo: [200, '{"type":null,"body":{"a":1}}'],
      delay: [200, '5 ms later\n'],
      greet: [200, 'Hello, Ada!\n'],
    })
  })
})
