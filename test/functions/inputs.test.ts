import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { type Bundle, bundleFunction, bundlerIdentity, stopBundler } from '../../src/functions/bundle.ts'
import { areUnchanged } from '../../src/functions/inputs.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringlet-inputs-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))
afterAll(() => stopBundler())

/** What is written is older than any bundle that follows, as far as the file system can tell. */
async function write(name: string, text: string): Promise<void> {
  await mkdir(join(folder, name, '..'), { recursive: true })
  await writeFile(join(folder, name), text)
}

/** Bundles until the files are old enough for their dates to be relied on: that takes some milliseconds. */
async function bundle(
  code = `import { a } from './a'; export default () => a`,
): Promise<Bundle & { inputs: object }> {
  for (;;) {
    const result = await bundleFunction({ name: 'f', code, resolveDir: folder })
    if (result.inputs !== undefined) return { ...result, inputs: result.inputs }
  }
}

const isSame = (result: Bundle) => areUnchanged(result.inputs!)

test('files: content, presence, but not dates', async () => {
  await write('a.ts', 'export const a = 1')
  const result = await bundle()
  expect(isSame(result)).toBe(true)
  await utimes(join(folder, 'a.ts'), 1e9, 1e9)
  expect(isSame(result)).toBe(true)
  await write('a.ts', 'export const a = 2')
  // The same size, and the date that it had.
  await utimes(join(folder, 'a.ts'), 1e9, 1e9)
  expect(isSame(result)).toBe(false)
  await write('a.ts', 'export const a = 1')
  expect(isSame(result)).toBe(true)
  await rename(join(folder, 'a.ts'), join(folder, 'b.ts'))
  expect(isSame(result)).toBe(false)
})

test.each(['a.tsx', 'a', 'package.json', 'tsconfig.json', 'jsconfig.json', '.pnp.cjs'])(
  'a file that appears and has a say: %s',
  async (name) => {
    await write('a.ts', 'export const a = 1')
    const result = await bundle()
    await write(name, '{}')
    expect(isSame(result)).toBe(false)
    await rm(join(folder, name))
    expect(isSame(result)).toBe(true)
  },
)

test('files that have none', async () => {
  await write('a.ts', 'export const a = 1')
  const result = await bundle()
  for (const name of ['b.ts', 'a.txt', 'node_modules/other/index.js', 'log/today.log', 'a/readme.md'])
    await write(name, '')
  expect(isSame(result)).toBe(true)
})

test('what a tsconfig.json extends, by path and by package', async () => {
  await write('a.ts', 'export const a = 1')
  await write('tsconfig.json', '{ /* why */ "extends": ["./base", "shared/tsconfig.json"] }')
  await write('base.json', '{ "extends": "./deeper.json" }')
  await write('deeper.json', '{}')
  await write('node_modules/shared/tsconfig.json', '{}')
  const result = await bundle()
  for (const name of ['base.json', 'deeper.json', 'node_modules/shared/tsconfig.json']) {
    await write(name, '{ "compilerOptions": { "target": "es2020" } }')
    expect(isSame(result)).toBe(false)
    await write(name, name === 'base.json' ? '{ "extends": "./deeper.json" }' : '{}')
    expect(isSame(result)).toBe(true)
  }
})

test('packages: their files, their package.json, where a link leads', async () => {
  await write('one/index.js', `export const a = 'one'`)
  await write('one/package.json', '{}')
  await write('two/index.js', `export const a = 'two'`)
  await mkdir(join(folder, 'node_modules'))
  const link = join(folder, 'node_modules', 'linked')
  await symlink('../one', link)
  const result = await bundle(`import { a } from 'linked'; export default () => a`)
  expect(isSame(result)).toBe(true)
  await write('one/package.json', '{"main":"other.js"}')
  expect(isSame(result)).toBe(false)
  await write('one/package.json', '{}')
  expect(isSame(result)).toBe(true)
  await rm(link)
  await symlink('../two', link)
  expect(isSame(result)).toBe(false)
})

test('a file that changes while it is bundled leaves the bundle without inputs', async () => {
  await write('a.ts', 'export const a = 1')
  const future = Date.now() + 60_000
  const now = Date.now
  // The bundler starts before the file is written, by the clock that counts here.
  Date.now = () => now() - (future - now())
  try {
    const code = `import { a } from './a'; export default () => a`
    expect((await bundleFunction({ name: 'f', code, resolveDir: folder })).inputs).toBe(undefined)
  } finally {
    Date.now = now
  }
})

test('the bundler’s identity names its version and options', () => {
  expect(bundlerIdentity()).toMatch(/"\d+\.\d+\.\d+".*"format":"cjs"/)
  expect(bundlerIdentity()).toBe(bundlerIdentity())
})
