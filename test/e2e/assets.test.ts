import { readdirSync, readlinkSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINE_VARIANTS } from '../../src/engine/module.ts'
import { CHANGED_DATE, DIGITS, Site, TEXT } from '../static/support/site.ts'
import { field } from '../support/answer-parser.ts'
import { residentBytes } from '../support/process-memory.ts'
import { type RunningServer, runCommand, startServer } from '../support/server.ts'
import { slowReaders } from '../support/slow-readers.ts'
import { Wire } from '../support/wire.ts'

const MIB = 2 ** 20
const LARGE_BYTES = 16 * MIB
/** Its parts tell where they stand. */
const LARGE = Buffer.alloc(LARGE_BYTES)
for (let at = 0; at < LARGE_BYTES; at += 4) LARGE.writeUInt32LE(at, at)
/** Longer than what is kept in memory, with an odd end. */
const MIDDLE = LARGE.subarray(0, MIB + 3)

const APP = fileURLToPath(new URL('../support/assets-app.ts', import.meta.url))

/** Says how each of these ends. */
const HOSTILE = `
const outcome = async (make) => {
  try {
    const response = await make()
    return response.status + ' ' + (await response.text()).slice(0, 40)
  } catch (error) {
    return error.name + ': ' + error.message + (error.cause ? ' (' + error.cause.code + ')' : '')
  }
}
export default {
  async fetch(request, env) {
    const ask = (...args) => env.ASSETS.fetch(...args)
    const { pathname } = new URL(request.url)
    if (pathname === '/pass') return ask('http://a' + new URL(request.url).search.slice(1))
    if (pathname === '/many') {
      const all = await Promise.allSettled(Array.from({ length: 17 }, () => ask('http://a/middle.bin')))
      const [first, last] = [all[0].value, all[16].reason]
      const again = await outcome(async () => {
        await first.arrayBuffer()
        const response = await ask('http://a/middle.bin')
        return new Response(String((await response.arrayBuffer()).byteLength))
      })
      return Response.json([all.filter(({ status }) => status === 'fulfilled').length, String(last), again])
    }
    if (pathname === '/calls') {
      const all = await Promise.allSettled(Array.from({ length: 200 }, () => ask('http://a/digits.txt')))
      return Response.json(all.filter(({ status }) => status === 'rejected').map(({ reason }) => String(reason))[0])
    }
    if (pathname === '/abort') {
      const controller = new AbortController()
      controller.abort(new Error('before'))
      const before = await outcome(() => ask('http://a/digits.txt', { signal: controller.signal }))
      const second = new AbortController()
      const asked = ask('http://a/middle.bin', { signal: second.signal })
      second.abort(new Error('while'))
      const asking = await outcome(() => asked)
      const third = new AbortController()
      const begun = await ask('http://a/middle.bin', { signal: third.signal })
      third.abort(new Error('after'))
      const after = await outcome(() => begun)
      for (let i = 0; i < 20; i++) {
        const controller = new AbortController()
        const asked = ask('http://a/middle.bin', { signal: controller.signal })
        controller.abort()
        await outcome(() => asked)
      }
      // Their places come free when the host has opened and closed what nobody waits for.
      let last
      do {
        await new Promise((resolve) => setTimeout(resolve, 1))
        last = await outcome(() => ask('http://a/middle.bin', { headers: { range: 'bytes=0-200000' } }))
      } while (last.startsWith('RangeError'))
      return Response.json([before, asking, after, last.slice(0, 3)])
    }
    if (pathname === '/used') {
      await request.text()
      return Response.json(await outcome(() => ask(request)))
    }
    if (pathname === '/patched') {
      Object.prototype.get = () => 1
      Array.prototype[Symbol.iterator] = String.prototype.split = String.prototype.concat = Promise.prototype.then = () => { throw new Error('met') }
      return await env.ASSETS.fetch(request)
    }
    const url = 'http://a/digits.txt'
    const etag = (await ask(url)).headers.get('etag')
    return Response.json([
      await outcome(() => ask()),
      await outcome(() => ask('digits.txt')),
      await outcome(() => ask('file:///digits.txt')),
      await outcome(() => ask({ toString() { throw new RangeError('mine') } })),
      await outcome(() => ask(url, 1)),
      await outcome(() => ask('http://a/' + 'x'.repeat(70000))),
      await outcome(() => ask(url, { headers: { long: 'x'.repeat(70000) } })),
      await outcome(() => ask(url, { method: 'X'.repeat(40) })),
      await outcome(() => ask(url, { method: 'POST', body: 'content' })),
      await outcome(() => ask(url, { method: 'HEAD' })),
      await outcome(() => ask(url, { headers: { range: 'bytes=99-' } })),
      await outcome(() => ask(url, { headers: [['if-none-match', '"a"'], ['if-none-match', etag]] })),
      await outcome(() => ask('http://a/../../outside.txt')),
      await outcome(() => ask('http://a/%2e%2e/outside.txt')),
      await outcome(() => ask('http://a/..%2foutside.txt')),
      await outcome(() => ask('http://a/..%5coutside.txt')),
      await outcome(() => ask('http://a/digits.txt%00')),
      await outcome(() => ask('http://a/link.txt')),
      await outcome(() => ask('http://a/.hidden')),
      await outcome(() => ask('http://a//digits.txt')),
      await outcome(() => ask('http://a/only-other.txt')),
    ])
  },
}`

const OTHER = `export default {
  fetch: (request, env) => new URL(request.url).pathname === '/keys' ? Response.json(Object.keys(env)) : env.ASSETS.fetch(request),
}`
const NONE = `export default { fetch: (request, env) => Response.json(['ASSETS' in env, typeof env.ASSETS]) }`

let site: Site
let other: Site
beforeAll(async () => {
  site = new Site({
    'index.html': 'index',
    'page.html': '<p>page</p>',
    'digits.txt': DIGITS,
    'text.txt': TEXT,
    'text.txt.gz': gzipSync(TEXT),
    'empty.txt': '',
    '.hidden': 'hidden',
    'folder/index.html': 'inside',
    'private/page.html': 'secret page',
    'private/middle.bin': MIDDLE,
    'middle.bin': MIDDLE,
    'large.bin': LARGE,
  })
  site.link('link.txt', site.outside)
  other = new Site({
    'only-other.txt': 'other',
    'digits.txt': 'of the other',
    'text.txt': TEXT,
    'text.txt.gz': gzipSync(TEXT),
  })
  await site.settle()
})
afterAll(() => {
  site?.[Symbol.dispose]()
  other?.[Symbol.dispose]()
})

describe.each(ENGINE_VARIANTS)('env.ASSETS on %s', (engine) => {
  describe.each(['reuse', 'request'] as const)('with isolation %s', (isolation) => {
    let server: RunningServer
    beforeAll(async () => {
      server = await startServer({
        engine,
        config: {
          isolation,
          limits: { cpuMs: 500 },
          functions: [
            {
              name: 'app',
              file: APP,
              routes: ['/*'],
              env: { NAME: 'ringlet' },
              assets: { dir: site.root, headers: { 'x-files': 'yes' } },
            },
          ],
        },
      })
    })
    afterAll(async () => {
      await server?.stop()
    })

    const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      fetch(server.url + path, { headers, method, redirect: 'manual' })

    test('routes of an application, else its files', async () => {
      expect(await (await get('/api/hello')).json()).toEqual({ hello: 'ringlet' })
      for (const _ of [1, 2]) {
        const page = await get('/page.html')
        expect([page.status, await page.text()]).toEqual([200, '<p>page</p>'])
        expect(Object.fromEntries(page.headers)).toMatchObject({
          'accept-ranges': 'bytes',
          'cache-control': 'public, max-age=0, must-revalidate',
          'content-length': '11',
          'content-type': 'text/html; charset=utf-8',
          'last-modified': CHANGED_DATE,
          'x-files': 'yes',
        })
      }
      expect(await (await get('/')).text()).toBe('index')
      expect((await get('/folder?a=b')).headers.get('location')).toBe('/folder/?a=b')
      expect(await (await get('/folder/')).text()).toBe('inside')
      expect(await (await get('/empty.txt')).text()).toBe('')
    })

    test('what is not there is a Response, too', async () => {
      const missing = await get('/none')
      expect([missing.status, await missing.json()]).toEqual([
        404,
        { error: 'not-found', status: 404, message: 'Nothing is served at this path' },
      ])
      const lost = await get('/lost')
      expect([lost.status, await lost.text()]).toEqual([404, '<h1>lost</h1>'])
      const posted = await get('/page.html', {}, 'POST')
      expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
    })

    test('a response is changed on its way', async () => {
      const changed = await get('/changed')
      expect([changed.status, await changed.text()]).toEqual([203, '<P>PAGE</P>'])
      expect(changed.headers.get('x-changed')).toBe('text/html; charset=utf-8')
      expect((await get('/private/page.html')).status).toBe(401)
      const secret = await get('/private/page.html', { authorization: 'yes' })
      expect([secret.headers.get('x-private'), await secret.text()]).toEqual(['yes', 'secret page'])
      const middle = await get('/private/middle.bin', { authorization: 'yes' })
      expect(middle.headers.get('content-length')).toBe(String(MIDDLE.length))
      expect(MIDDLE.equals(Buffer.from(await middle.arrayBuffer()))).toBe(true)
      expect(await (await get('/slice')).text()).toBe('206,,true,http://any.where/digits.txt,false,234')
    })

    test('conditions: 304 and 412', async () => {
      const etag = (await get('/digits.txt')).headers.get('etag')!
      expect(etag).toMatch(/^"/)
      const same = await get('/digits.txt', { 'if-none-match': `"other", W/${etag}` })
      expect([same.status, same.headers.get('etag'), await same.text()]).toEqual([304, etag, ''])
      expect((await get('/digits.txt', { 'if-modified-since': CHANGED_DATE })).status).toBe(304)
      expect((await get('/digits.txt', { 'if-match': '"other"' })).status).toBe(412)
      expect((await get('/large.bin', { 'if-modified-since': CHANGED_DATE })).status).toBe(304)
    })

    test.each([
      ['/digits.txt', Buffer.from(DIGITS)],
      ['/middle.bin', MIDDLE],
    ])('ranges of %s', async (path, whole) => {
      const part = await get(path, { range: 'bytes=3-6' })
      expect([part.status, part.headers.get('content-range'), part.headers.get('content-length')]).toEqual([
        206,
        `bytes 3-6/${whole.length}`,
        '4',
      ])
      expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(3, 7))
      const suffix = await get(path, { range: 'bytes=-5' })
      expect(Buffer.from(await suffix.arrayBuffer())).toEqual(whole.subarray(-5))
      const beyond = await get(path, { range: `bytes=${whole.length}-` })
      expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${whole.length}`])
      const several = await get(path, { range: 'bytes=0-1,5-6' })
      const boundary = /boundary=(.*)$/.exec(several.headers.get('content-type')!)![1]
      const text = Buffer.from(await several.arrayBuffer()).toString('latin1')
      expect(text.split(`--${boundary}`).length).toBe(4)
      expect(text).toContain(`\r\n\r\n${whole.subarray(5, 7).toString('latin1')}\r\n`)
      const old = await get(path, { range: 'bytes=0-1', 'if-range': '"old"' })
      expect([old.status, old.headers.get('content-length')]).toEqual([200, String(whole.length)])
      await old.arrayBuffer()
    })

    test('HEAD tells the length and has no content', async () => {
      using wire = await Wire.connect(server.port)
      for (const path of ['/digits.txt', '/large.bin']) {
        await wire.send(`HEAD ${path} HTTP/1.1\r\nhost: a\r\n\r\n`)
        const answer = await wire.read('HEAD')
        const length = path === '/digits.txt' ? DIGITS.length : LARGE_BYTES
        expect([answer.status, field(answer, 'content-length')]).toEqual([200, String(length)])
      }
      await wire.send('GET /digits.txt HTTP/1.1\r\nhost: a\r\n\r\n')
      expect((await wire.read()).body.toString()).toBe(DIGITS)
    })
  })
})

/** How many descriptors of a process are of a file with this name. */
function openFiles(pid: number, name: string): number {
  const folder = `/proc/${pid}/fd`
  const targets = readdirSync(folder).map((fd) => {
    try {
      return readlinkSync(join(folder, fd))
    } catch {
      // It was closed just now.
      return ''
    }
  })
  return targets.filter((target) => target.endsWith(`/${name}`)).length
}

describe('env.ASSETS', () => {
  let server: RunningServer
  beforeAll(async () => {
    const assets = { dir: site.root }
    server = await startServer({
      config: {
        memoryBudget: 0,
        limits: { cpuMs: 1000 },
        functions: [
          {
            name: 'hostile',
            code: HOSTILE,
            routes: ['/hostile/*', '/pass', '/many', '/calls', '/abort', '/used', '/patched'],
            isolation: 'request',
            assets,
          },
          {
            name: 'other',
            code: OTHER,
            routes: ['/keys', '/only-other.txt', '/digits.txt', '/text.txt'],
            env: { A: 'b' },
            assets: { dir: other.root, compression: 'beside' },
          },
          { name: 'none', code: NONE, routes: ['/none'] },
          {
            name: 'files',
            code: 'export default { fetch: (request, env) => env.ASSETS.fetch(request) }',
            routes: ['/*'],
            assets,
          },
        ],
      },
    })
  })
  afterAll(async () => {
    await server?.stop()
  })
  const json = async (path: string, init?: RequestInit) =>
    (await (await fetch(server.url + path, init)).json()) as Record<string, unknown>

  test('is there for functions with files only, and shows each its own', async () => {
    expect(await json('/none')).toEqual([false, 'undefined'])
    expect(await json('/keys')).toEqual(['A', 'ASSETS'])
    expect(await (await fetch(`${server.url}/digits.txt`)).text()).toBe('of the other')
    expect(await (await fetch(`${server.url}/only-other.txt`)).text()).toBe('other')
    expect(await (await fetch(`${server.url}/pass?/digits.txt`)).text()).toBe(DIGITS)
    expect((await fetch(`${server.url}/pass?/only-other.txt`)).status).toBe(404)
  })

  test('has no content coding unless the function wants that', async () => {
    const headers = { 'accept-encoding': 'gzip' }
    const read = async (path: string) => {
      using wire = await Wire.connect(server.port)
      await wire.send(
        `GET ${path} HTTP/1.1\r\nhost: a\r\naccept-encoding: ${headers['accept-encoding']}\r\n\r\n`,
      )
      return await wire.read()
    }
    const coded = await read('/text.txt')
    expect([field(coded, 'content-encoding'), field(coded, 'vary')]).toEqual(['gzip', 'accept-encoding'])
    expect(gunzipSync(coded.body).toString()).toBe(TEXT)
    const plain = await read('/page.html')
    expect([field(plain, 'content-encoding'), field(plain, 'vary')]).toEqual([undefined, undefined])
    expect(plain.body.toString()).toBe('<p>page</p>')
  })

  test('hostile arguments end in errors or answers of its own folder', async () => {
    expect(await json('/hostile/all')).toEqual([
      'TypeError: "undefined" is not a valid URL',
      'TypeError: "digits.txt" is not a valid URL',
      'TypeError: files are asked for by http: and https: URLs only',
      'RangeError: mine',
      'TypeError: the init of a Request must be an object',
      expect.stringMatching(/^TypeError: "http:\/\/a\/xxx/),
      'TypeError: the headers are longer than 65536 characters',
      'TypeError: this is no request',
      expect.stringMatching(/^405 .*method-not-allowed/),
      '200 ',
      expect.stringMatching(/^416 /),
      '304 ',
      expect.stringMatching(/^404 /),
      expect.stringMatching(/^404 /),
      expect.stringMatching(/^404 /),
      expect.stringMatching(/^404 /),
      expect.stringMatching(/^400 .*bad-path/),
      expect.stringMatching(/^403 .*forbidden/),
      expect.stringMatching(/^404 /),
      expect.stringMatching(/^404 /),
      expect.stringMatching(/^404 /),
    ])
    expect((await json('/patched')).error).toBe('not-found')
    expect(await json('/used', { method: 'POST', body: 'x' })).toBe(
      'TypeError: the body has already been read',
    )
  })

  test('a request has 16 files open at most, and limits.pendingCalls asked for', async () => {
    const more = 'RangeError: more than 16 files are open and not read to their ends'
    expect(await json('/many')).toEqual([16, more, `200 ${MIDDLE.length}`])
    expect(await json('/calls')).toBe(
      'Error: too many calls that wait for the host: limits.pendingCalls is 100',
    )
    for (let i = 0; i < 10; i++) expect((await json('/many'))[0]).toBe(16)
    // What was open has been closed with its request.
    if (process.platform === 'linux') await expect.poll(() => openFiles(server.pid, 'middle.bin')).toBe(0)
  })

  test('ends with its signal', async () => {
    expect(await json('/abort')).toEqual(['Error: before', 'Error: while', 'Error: after', '206'])
  })

  test('a large file passes a function, whose memory stays small, as do slow clients', async () => {
    const whole = await fetch(`${server.url}/large.bin`)
    expect(LARGE.equals(Buffer.from(await whole.arrayBuffer()))).toBe(true)
    const before = residentBytes(server.pid)
    const readers = await slowReaders(server.port, '/large.bin', 32)
    expect(await json('/none')).toEqual([false, 'undefined'])
    const grownBytes = residentBytes(server.pid) - before
    for (const socket of readers) socket.destroy()
    // A runtime and a window for each: far from the 512 MiB that they have asked for.
    expect(grownBytes).toBeLessThan(160 * MIB)
    expect((await fetch(`${server.url}/page.html`)).status).toBe(200)
  })

  test('a file that changes while it is sent ends the connection', async () => {
    site.write('changing.bin', LARGE)
    await site.settle()
    using wire = await Wire.connect(server.port)
    await wire.send('GET /changing.bin HTTP/1.1\r\nhost: a\r\n\r\n')
    await wire.receive(1)
    wire.socket.pause()
    const path = join(site.root, 'changing.bin')
    writeFileSync(`${path}.new`, Buffer.alloc(LARGE_BYTES, 1))
    renameSync(`${path}.new`, path)
    wire.socket.resume()
    await wire.ending
    expect(wire.receivedBytes).toBeLessThan(LARGE_BYTES)
    const message = 'the rest of the file cannot be read'
    const line = await server.waitForLog(({ error }) => (error as Error | undefined)?.message === message)
    expect(line).toMatchObject({ function: 'files' })
  })
})

describe('the start', () => {
  test('a handler beside --static has its folder', async () => {
    await using both = await startServer({
      args: ['--static', 'public', 'handler.js'],
      handlerFiles: {
        'handler.js': "export default { fetch: (r, env) => env.ASSETS.fetch(new URL('/a.txt', r.url)) }",
        'public/a.txt': 'file',
      },
    })
    expect(await (await fetch(`${both.url}/anything`)).text()).toBe('file')
  })

  test('a folder that is not there is told', async () => {
    const run = await runCommand({
      config: { functions: [{ name: 'a', code: NONE, routes: ['/*'], assets: { dir: 'nowhere' } }] },
    })
    expect(run).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/nowhere cannot be served: there is no such folder/),
    })
  })
})
