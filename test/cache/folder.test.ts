import { chmod, link, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultCacheFolder } from '../../src/cache/cache.ts'
import { CacheFolder } from '../../src/cache/folder.ts'

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'ringlet-folder-'))
})
afterEach(() => rm(path, { recursive: true, force: true }))

const kilobytes = (count: number, fill = 1) => Buffer.alloc(count * 1024, fill)

async function setAge(folder: CacheFolder, name: string, seconds: number): Promise<void> {
  const time = Date.now() / 1000 - seconds
  await utimes(folder.pathOf(name), time, time)
}

test('what is written is read, whole, by whoever opens the folder next', async () => {
  const folder = await CacheFolder.open(join(path, 'a', 'b'), 1 << 20)
  expect(folder.read('one')).toBe(undefined)
  await folder.write('one', kilobytes(3))
  await folder.write('one', kilobytes(2, 7))
  const again = await CacheFolder.open(join(path, 'a', 'b'), 1 << 20)
  expect(again.read('one')!.equals(kilobytes(2, 7))).toBe(true)
  expect(await readdir(folder.path)).toEqual(['one.ringlet'])
})

test.skipIf(process.platform !== 'linux')('a place where no folder can be made is told of', async () => {
  await expect(CacheFolder.open('/proc/ringlet/cache', 1 << 20)).rejects.toThrow(/ENOENT|EACCES/)
  await writeFile(join(path, 'file'), 'x')
  await expect(CacheFolder.open(join(path, 'file'), 1 << 20)).rejects.toThrow('it is no folder')
  await expect(CacheFolder.open(join(path, 'file', 'b', 'c'), 1 << 20)).rejects.toThrow('ENOTDIR')
})

test('many writers of one name leave one of their files', async () => {
  const folder = await CacheFolder.open(path, 1 << 20)
  await Promise.all(Array.from({ length: 20 }, (_, i) => folder.write('same', kilobytes(64, i))))
  const found = folder.read('same')!
  expect(found.equals(kilobytes(64, found[0]))).toBe(true)
  expect(await readdir(path)).toEqual(['same.ringlet'])
})

test('the oldest files go until the rest fits; foreign files stay', async () => {
  const folder = await CacheFolder.open(path, 10 * 1024)
  for (const [name, age] of [
    ['old', 300],
    ['older', 400],
    ['new', 100],
    ['oldest', 500],
  ] as const) {
    await folder.write(name, kilobytes(4))
    await setAge(folder, name, age)
  }
  await writeFile(join(path, 'notes.txt'), kilobytes(50))
  await folder.prune()
  expect((await readdir(path)).sort()).toEqual(['new.ringlet', 'notes.txt', 'old.ringlet'])
})

test('a file that is read is not among the oldest for a day', async () => {
  const folder = await CacheFolder.open(path, 1 << 20)
  await folder.write('used', kilobytes(1))
  await setAge(folder, 'used', 3 * 86_400)
  folder.read('used')
  expect(Date.now() - (await stat(folder.pathOf('used'))).mtimeMs).toBeLessThan(60_000)
})

test('temporary files of ended processes go, young ones stay', async () => {
  const folder = await CacheFolder.open(path, 1 << 20)
  await writeFile(join(path, 'x.1.abc.tmp'), 'left')
  await writeFile(join(path, 'x.2.abc.tmp'), 'in use')
  await utimes(join(path, 'x.1.abc.tmp'), 1e9, 1e9)
  await folder.prune()
  expect(await readdir(path)).toEqual(['x.2.abc.tmp'])
})

test('a file larger than all may be together is neither written nor read', async () => {
  const folder = await CacheFolder.open(path, 2048)
  await folder.write('large', kilobytes(3))
  expect(await readdir(path)).toEqual([])
  await writeFile(folder.pathOf('large'), kilobytes(3), { mode: 0o600 })
  expect(() => folder.read('large')).toThrow('it has 3072 bytes')
})

test('what others may write is refused', async () => {
  const folder = await CacheFolder.open(path, 1 << 20)
  await folder.write('one', kilobytes(1))
  for (const mode of [0o620, 0o602, 0o666]) {
    await chmod(folder.pathOf('one'), mode)
    expect(() => folder.read('one')).toThrow('others may write the file')
  }
  await chmod(folder.pathOf('one'), 0o600)
  expect(folder.read('one')!.length).toBe(1024)
  for (const mode of [0o720, 0o702]) {
    await chmod(path, mode)
    await expect(CacheFolder.open(path, 1)).rejects.toThrow('others may write the folder')
  }
})

test('neither a file for a folder nor a folder for a file', async () => {
  await writeFile(join(path, 'file'), '')
  await expect(CacheFolder.open(join(path, 'file'), 1)).rejects.toThrow()
  const folder = await CacheFolder.open(path, 1 << 20)
  await mkdir(folder.pathOf('one'))
  expect(() => folder.read('one')).toThrow('no file')
  await link(join(path, 'file'), folder.pathOf('linked'))
  expect(folder.read('linked')!.length).toBe(0)
})

test('a write that fails leaves nothing behind, and says why', async () => {
  const folder = await CacheFolder.open(path, 1 << 20)
  await mkdir(folder.pathOf('taken'))
  await writeFile(join(folder.pathOf('taken'), 'x'), '')
  await expect(folder.write('taken', kilobytes(1))).rejects.toThrow()
  expect(await readdir(path)).toEqual(['taken.ringlet'])
  await rm(path, { recursive: true })
  await expect(folder.write('one', kilobytes(1))).rejects.toThrow('ENOENT')
})

test('the default folder is the user’s own', () => {
  if (process.platform === 'win32') return
  expect(defaultCacheFolder({ XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe('/x/ringlet')
  // The specification: a relative path is to be ignored.
  expect(defaultCacheFolder({ XDG_CACHE_HOME: 'x', HOME: '/h' })).toBe('/h/.cache/ringlet')
  expect(defaultCacheFolder({ HOME: '/h' })).toBe('/h/.cache/ringlet')
  expect(defaultCacheFolder({ HOME: '' })).toBe(undefined)
})
