import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StaticAnswer } from '../../src/static/answer.ts'
import { Compressor, createExchange } from '../../src/static/compressor.ts'
import { entryCache } from '../../src/static/entries.ts'
import { type FileSystem, systemFiles } from '../../src/static/file-system.ts'
import { CompressionJobs } from '../../src/static/jobs.ts'
import type { StaticPlan } from '../../src/static/plan.ts'
import { mergeRoutes } from '../../src/static/routes.ts'
import { type StaticRequest, StaticSite } from '../../src/static/site.ts'
import { ContentStore } from '../../src/static/store.ts'
import { Site, TEXT } from './support/site.ts'

const LIMITS = {
  cacheBytes: 1 << 20,
  fileBytes: 10_000,
  metadataBytes: 1 << 16,
  checkMs: 1000,
  compressBytes: 1 << 18,
}
const PLAN: Omit<StaticPlan, 'dir'> = {
  route: '/*',
  cacheControl: 'no-cache',
  index: ['index.html'],
  spaFallback: null,
  extensions: [],
  dotfiles: 'ignore',
  symlinks: 'inside',
  listing: 'off',
  compression: 'on',
  headers: {},
}
const REQUEST: StaticRequest = {
  method: 'GET',
  path: '/text.txt',
  query: '',
  range: null,
  acceptEncoding: null,
  ifMatch: null,
  ifNoneMatch: null,
  ifModifiedSince: null,
  ifUnmodifiedSince: null,
  ifRange: null,
}

let folder: Site
beforeEach(async () => {
  folder = new Site({ 'text.txt': TEXT, 'long.txt': TEXT.repeat(10), 'image.png': TEXT })
  await folder.settle()
})
afterEach(() => folder[Symbol.dispose]())

/** A site whose clock, system and compressor are the test's. */
function setup(plan: Partial<StaticPlan> = {}, change: Partial<FileSystem> = {}) {
  const calls: string[] = []
  const counted = Object.fromEntries(
    Object.entries(systemFiles).map(([name, call]) => [
      name,
      (...values: never[]) => {
        calls.push(name)
        return (call as (...values: never[]) => unknown)(...values)
      },
    ]),
  ) as unknown as FileSystem
  const files = { ...counted, ...change }
  const store = new ContentStore(files, LIMITS.cacheBytes)
  const exchange = createExchange(LIMITS.compressBytes)
  let life = 0
  let isTold = 0
  const compressor = new Compressor(
    exchange,
    () => isTold++,
    () => life,
  )
  const submitted: Promise<void>[] = []
  const jobs = new CompressionJobs(exchange, store, (payload) => submitted.push(compressor.submit(payload)))
  const troubles: string[] = []
  const parts = { files, store, jobs, limits: LIMITS, onTrouble: (path: string) => troubles.push(path) }
  const site = new StaticSite({ ...PLAN, dir: folder.root, ...plan }, parts, entryCache(LIMITS.metadataBytes))
  return {
    site,
    store,
    calls,
    troubles,
    ask: (fields: Partial<StaticRequest> = {}, nowMs = 0) => site.answer({ ...REQUEST, ...fields }, nowMs),
    /** Another actor has taken the shard over. */
    restart: () => life++,
    /** All jobs so far, and what was told of them. */
    async compressed() {
      await Promise.all(submitted.splice(0))
      for (; isTold > 0; isTold--) jobs.done()
    },
  }
}

const textOf = (answer: StaticAnswer) =>
  answer.kind === 'bytes'
    ? Buffer.from(answer.bytes.subarray(answer.start, answer.end)).toString()
    : answer.kind
const fieldsOf = (answer: StaticAnswer) =>
  answer.kind === 'error' ? answer.fields : Buffer.from(answer.fields).toString('latin1')

describe('what is kept', () => {
  test('a second request asks the system nothing', () => {
    const { ask, calls } = setup()
    expect(textOf(ask())).toBe(TEXT)
    calls.length = 0
    expect(textOf(ask({}, 999))).toBe(TEXT)
    expect(calls).toEqual([])
  })

  test('after checkMs the folder is looked at again, and what is unchanged is not read again', () => {
    const { ask, calls } = setup()
    ask()
    calls.length = 0
    expect(textOf(ask({}, 1000))).toBe(TEXT)
    expect(calls).toContain('realPath')
    expect(calls).not.toContain('read')
  })

  test('a change is seen after checkMs; so is that a file has gone', async () => {
    const { ask } = setup()
    const tag = fieldsOf(ask())
    folder.write('text.txt', 'another')
    await folder.settle()
    expect(textOf(ask({}, 999))).toBe(TEXT)
    expect(textOf(ask({}, 1000))).toBe('another')
    expect(fieldsOf(ask({}, 1000))).not.toBe(tag)
    rmSync(join(folder.root, 'text.txt'))
    expect(ask({}, 2000)).toMatchObject({ kind: 'error', code: 'not-found' })
  })

  test('a file that has only just changed has a weak tag, and is read each time', () => {
    const { ask, calls } = setup()
    folder.write('text.txt', 'young')
    expect(fieldsOf(ask())).toContain('etag: W/"')
    calls.length = 0
    expect(textOf(ask())).toBe('young')
    expect(calls).toContain('read')
  })

  test('contents never pass their bound', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `f${i}.txt`)
    for (const name of names) folder.write(name, TEXT)
    await folder.settle()
    const { ask, store } = setup()
    for (const name of names) expect(textOf(ask({ path: `/${name}` }))).toBe(TEXT)
    expect(store.usedBytes).toBeLessThanOrEqual(LIMITS.cacheBytes)
    expect(store.usedBytes).toBeGreaterThan(LIMITS.cacheBytes / 2)
  })

  test('a long file is never kept, and is looked at for each request', () => {
    const { ask, store, calls } = setup()
    expect(ask({ path: '/long.txt' })).toMatchObject({ kind: 'file', length: TEXT.length * 10 })
    expect(store.usedBytes).toBe(0)
    calls.length = 0
    ask({ path: '/long.txt' })
    expect(calls).toEqual(['stat'])
    renameSync(join(folder.root, 'text.txt'), join(folder.root, 'long.txt'))
    expect(textOf(ask({ path: '/long.txt' }))).toBe(TEXT)
  })
})

describe('what the system says', () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(code), { code })
  }
  test.each([
    ['EACCES', 'forbidden', 0],
    ['EPERM', 'forbidden', 0],
    ['ELOOP', 'forbidden', 0],
    ['ENAMETOOLONG', 'not-found', 0],
    ['ENOTDIR', 'not-found', 0],
    ['EMFILE', 'file-unavailable', 1],
    ['ENFILE', 'file-unavailable', 1],
    ['EIO', 'file-unavailable', 1],
  ])('%s of a path is %s', (code, expected, troubles) => {
    let isRoot = true
    const realPath = (path: string) => {
      if (!isRoot) failing(code)()
      isRoot = false
      return systemFiles.realPath(path)
    }
    const run = setup({}, { realPath })
    expect(run.ask()).toMatchObject({ kind: 'error', code: expected })
    expect(run.troubles.length).toBe(troubles)
  })

  test('too many open files: 503, and the next request is served', () => {
    let isFull = true
    const open = (path: string) => (isFull ? failing('EMFILE')() : systemFiles.open(path)) as number
    const { ask, troubles } = setup({}, { open })
    expect(ask()).toMatchObject({ kind: 'error', code: 'file-unavailable' })
    expect(troubles).toEqual(['/text.txt'])
    isFull = false
    expect(textOf(ask())).toBe(TEXT)
  })

  test('a file that changes while it is read is read again; one that always does is 503', () => {
    let changes = 1
    const read: FileSystem['read'] = (fd, into, ...place) => {
      if (changes-- > 0) writeFileSync(join(folder.root, 'text.txt'), `${changes}`.padEnd(TEXT.length, '.'))
      return systemFiles.read(fd, into, ...place)
    }
    const { ask } = setup({}, { read })
    expect(textOf(ask())).toBe('0'.padEnd(TEXT.length, '.'))
    changes = 100
    expect(ask({}, 5000)).toMatchObject({ kind: 'error', code: 'file-unavailable' })
  })
})

describe('compressed once', () => {
  test.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ])('%s: plain until it is made, then from memory', async (acceptEncoding, decode) => {
    const { ask, compressed, calls } = setup()
    const plain = ask({ acceptEncoding })
    expect([textOf(plain), fieldsOf(plain).includes('content-encoding')]).toEqual([TEXT, false])
    expect(fieldsOf(plain)).toContain('vary: accept-encoding')
    await compressed()
    calls.length = 0
    const made = ask({ acceptEncoding })
    expect(fieldsOf(made)).toContain(`content-encoding: ${acceptEncoding}\r\n`)
    expect(fieldsOf(made)).toContain(`-${acceptEncoding}-made"`)
    const { bytes, length } = made as Extract<StaticAnswer, { kind: 'bytes' }>
    expect(length).toBeLessThan(TEXT.length / 10)
    expect(decode(bytes).toString()).toBe(TEXT)
    expect(calls).toEqual([])
    // Its tag is its own.
    const etag = /etag: (.*)\r/.exec(fieldsOf(made))![1]!
    expect(ask({ acceptEncoding, ifNoneMatch: etag })).toMatchObject({ status: 304 })
    expect(ask({ ifNoneMatch: etag })).toMatchObject({ status: 200 })
    // Who has the plain form goes on with it.
    const before = /etag: (.*)\r/.exec(fieldsOf(plain))![1]!
    const unchanged = ask({ acceptEncoding, ifNoneMatch: before })
    expect([unchanged, fieldsOf(unchanged).includes(before)]).toMatchObject([{ status: 304 }, true])
  })

  test('not for ranges, nor what does not get smaller, nor what is not worth it', async () => {
    const { ask, compressed } = setup()
    const acceptEncoding = 'br'
    ask({ acceptEncoding })
    await compressed()
    const part = ask({ acceptEncoding, range: 'bytes=0-2' })
    expect([textOf(part), fieldsOf(part).includes('content-encoding')]).toEqual(['The', false])
    const image = ask({ acceptEncoding, path: '/image.png' })
    expect(fieldsOf(image)).not.toContain('vary')
  })

  test('what a client must have that is being made comes later', async () => {
    const { ask, compressed } = setup()
    const acceptEncoding = 'gzip, identity;q=0'
    expect(ask({ acceptEncoding })).toMatchObject({ kind: 'error', code: 'file-unavailable' })
    await compressed()
    expect(ask({ acceptEncoding })).toMatchObject({ kind: 'bytes', status: 200 })
  })

  test('a result for an actor that has ended reaches nobody', async () => {
    const { ask, compressed, restart } = setup()
    ask({ acceptEncoding: 'br' })
    restart()
    await compressed()
    expect(fieldsOf(ask({ acceptEncoding: 'br' }))).not.toContain('content-encoding')
  })

  test('a file that has changed since is not compressed under its old name', async () => {
    const { ask, compressed } = setup()
    ask({ acceptEncoding: 'br' })
    folder.write('text.txt', 'x'.repeat(1000))
    await compressed()
    expect(fieldsOf(ask({ acceptEncoding: 'br' }))).not.toContain('content-encoding')
  })
})

describe('settings', () => {
  test('spaFallback answers for pages, not for files', () => {
    const { ask } = setup({ spaFallback: 'text.txt' })
    expect(textOf(ask({ path: '/some/page' }))).toBe(TEXT)
    expect(textOf(ask({ path: '/some/page/' }))).toBe(TEXT)
    expect(ask({ path: '/some/missing.js' })).toMatchObject({ code: 'not-found' })
  })

  test('extensions, dotfiles, symlinks, headers', () => {
    folder.write('.env', 'secret')
    folder.link('out', folder.outside)
    expect(textOf(setup({ extensions: ['html', 'txt'] }).ask({ path: '/text' }))).toBe(TEXT)
    expect(setup().ask({ path: '/.env' })).toMatchObject({ code: 'not-found' })
    expect(setup({ dotfiles: 'deny' }).ask({ path: '/.env' })).toMatchObject({ code: 'forbidden' })
    expect(textOf(setup({ dotfiles: 'allow' }).ask({ path: '/.env' }))).toBe('secret')
    expect(setup().ask({ path: '/out' })).toMatchObject({ code: 'forbidden' })
    expect(textOf(setup({ symlinks: 'follow' }).ask({ path: '/out' }))).toBe('SECRET')
    const headers = { 'x-frame-options': 'DENY', 'content-language': 'en' }
    const { ask } = setup({ headers })
    expect(fieldsOf(ask())).toMatch(/x-frame-options: DENY\r\ncontent-language: en\r\n/)
    const unchanged = fieldsOf(ask({ ifNoneMatch: '*' }))
    expect([unchanged.includes('x-frame-options'), unchanged.includes('content-language')]).toEqual([
      true,
      false,
    ])
  })

  test('a listing names what is served, escaped, in the order that is asked for', () => {
    folder.write('.hidden', '')
    folder.write(`<b>&"'.txt`, '1')
    folder.write('a/x', '')
    folder.link('out', folder.outside)
    const { ask } = setup({ listing: 'on' })
    const names = (query: string) =>
      [...textOf(ask({ path: '/', query })).matchAll(/<td><a href="([^"]*)">/g)].map(([, href]) => href)
    const odd = './%3Cb%3E%26%22&#39;.txt'
    expect(names('')).toEqual(['./a/', odd, './image.png', './long.txt', './text.txt'])
    expect(names('?sort=size&order=desc')).toEqual(['./a/', './long.txt', './text.txt', './image.png', odd])
    expect(names('?sort=nonsense')).toEqual(names(''))
    const page = textOf(ask({ path: '/' }))
    expect(page).toContain('&lt;b&gt;&amp;&quot;&#39;.txt')
    expect(page).not.toContain('<b>')
    expect(ask({ path: '/', method: 'HEAD' })).toMatchObject({ length: Buffer.byteLength(page) })
    expect(textOf(ask({ path: '/a/' }))).toContain('href="../"')
  })
})

test('files come before a function of the same route, and more specific routes before all', () => {
  const functions = [
    { name: 'all', routes: ['/*', '/other'] },
    { name: 'api', routes: ['/api/*'] },
  ]
  const { routes, behind } = mergeRoutes(functions, [{ route: '/*' }, { route: '/assets/*' }])
  expect(routes.map((each) => each.routes)).toEqual([['/other'], ['/api/*'], ['/*'], ['/assets/*']])
  expect(behind).toEqual([0, -1])
  const { site } = setup()
  const has = (method: string, path: string) => site.hasAnswer(method, path, 0)
  expect([has('GET', '/text.txt'), has('HEAD', '/text.txt')]).toEqual([true, true])
  expect([has('POST', '/text.txt'), has('GET', '/none'), has('GET', '/'), has('GET', '/%')]).toEqual([
    false,
    false,
    false,
    false,
  ])
})
