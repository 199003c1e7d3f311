import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { FunctionCache, type ReadyFunction } from '../../src/cache/cache.ts'
import { CacheFolder } from '../../src/cache/folder.ts'
import type { Image } from '../../src/engine/image.ts'
import { ask, Engine } from '../engine/engines.ts'

const BYTES_MAX = 1 << 20
const engine = new Engine('quickjs')
let image: Image
let path: string

beforeAll(async () => {
  await engine.build()
  image = await engine.image(`const made = 'at the top'; exports.default = () => new Response(made)`)
})
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'ringlet-cache-'))
})
afterEach(() => rm(path, { recursive: true, force: true }))

const SOURCE = { name: 'f', code: 'the code', resolveDir: '/', stackBytes: 1, memoryBytes: 2 }
const BASE = { index: 0, hash: 'hash' }
const bundle = { code: 'bundled', map: '{"version":3}', inputs: { files: [], links: [] } }

const ready = (change: Partial<ReadyFunction> = {}): ReadyFunction => ({
  source: SOURCE,
  bundle,
  image,
  base: BASE,
  ...change,
})

async function open(maker = 'maker', hash = BASE.hash): Promise<FunctionCache> {
  const bases = { get: (index: number) => (index === 0 ? { hash, base: engine.built.base } : undefined) }
  return new FunctionCache(await CacheFolder.open(path, BYTES_MAX), maker, bases)
}

async function onlyFile(): Promise<string> {
  const [name, ...others] = await readdir(path)
  expect(others).toEqual([])
  return join(path, name!)
}

test('gives back what was saved, ready to run', async () => {
  expect((await open()).find(SOURCE)).toBe(undefined)
  expect(await (await open()).save([ready()])).toBe(undefined)
  const cache = await open()
  const entry = cache.find(SOURCE)!
  expect(cache.warning).toBe(undefined)
  expect(Buffer.from(entry.image.bytes).equals(Buffer.from(image.bytes))).toBe(true)
  expect(ask(await engine.instance(entry.image)).body).toBe('at the top')
  const { path: file, at, bytes } = entry.map
  expect((await readFile(file)).subarray(at, at + bytes).toString()).toBe(bundle.map)
})

test('another name, source, folder, limit, maker: another function, without a warning', async () => {
  await (await open()).save([ready()])
  const cache = await open()
  for (const other of [
    { ...SOURCE, name: 'g' },
    { ...SOURCE, code: 'the code ' },
    { name: 'f', file: 'the code', resolveDir: '/', stackBytes: 1, memoryBytes: 2 },
    { ...SOURCE, resolveDir: '/x' },
    { ...SOURCE, stackBytes: 2 },
    { ...SOURCE, memoryBytes: 1 },
  ]) {
    expect(cache.find(other)).toBe(undefined)
  }
  expect(cache.warning).toBe(undefined)
  const other = await open('another guest API, engine or bundler')
  expect(other.find(SOURCE)).toBe(undefined)
  expect(other.warning).toBe(undefined)
})

test('what was changing while it was bundled is not stored', async () => {
  await (await open()).save([ready({ bundle: { ...bundle, inputs: undefined } })])
  expect(await readdir(path)).toEqual([])
})

test('what cannot be written is a warning', async () => {
  const cache = await open()
  await rm(path, { recursive: true })
  expect(await cache.save([ready()])).toMatchObject({ text: 'cache not written', folder: path })
})

/** Tells whether a file with these bytes in the place of a good one is taken. */
async function isTaken(bytes: Uint8Array): Promise<boolean> {
  const file = await onlyFile()
  await writeFile(file, bytes)
  const cache = await open()
  const entry = cache.find(SOURCE)
  if (entry === undefined)
    expect(cache.warning).toMatchObject({ files: 1, text: 'cache files ignored, and made again' })
  return entry !== undefined
}

test('one wrong byte, at any place, is found', async () => {
  await (await open()).save([ready()])
  const good = await readFile(await onlyFile())
  const bad = Buffer.from(good)
  // All of the frame and the header's beginning, then in steps.
  for (let at = 0; at < good.length; at += at < 300 ? 1 : 97) {
    bad[at]! ^= 1 << (at % 8)
    if (await isTaken(bad)) expect(at).toBe('found')
    bad[at] = good[at]!
  }
  expect(await isTaken(bad)).toBe(true)
})

test('a file that was cut, at any length, or has more than it should is found', async () => {
  await (await open()).save([ready()])
  const good = await readFile(await onlyFile())
  for (let length = 0; length < good.length; length += length < 300 ? 1 : 101) {
    if (await isTaken(good.subarray(0, length))) expect(length).toBe('found')
  }
  expect(await isTaken(Buffer.concat([good, Buffer.alloc(1)]))).toBe(false)
  expect(await isTaken(Buffer.concat([good, good]))).toBe(false)
  expect(await isTaken(good)).toBe(true)
})

test('any other bytes are refused, and never throw', async () => {
  await (await open()).save([ready()])
  const good = await readFile(await onlyFile())
  const name = await onlyFile()
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(200), async (bytes, keep) => {
      await writeFile(name, Buffer.concat([good.subarray(0, keep), bytes]))
      expect((await open()).find(SOURCE)).toBe(undefined)
    }),
    { numRuns: 100 },
  )
})
