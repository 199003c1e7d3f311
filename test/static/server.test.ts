import { execFileSync } from 'node:child_process'
import { appendFileSync, readdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { field } from '../support/answer-parser.ts'
import { residentBytes } from '../support/process-memory.ts'
import { type RunningServer, runCommand, startServer } from '../support/server.ts'
import { slowReaders } from '../support/slow-readers.ts'
import { Wire } from '../support/wire.ts'
import { Site } from './support/site.ts'

const MIB = 2 ** 20
const LARGE_BYTES = 16 * MIB
/** Its parts tell where they stand. */
const LARGE = Buffer.alloc(LARGE_BYTES)
for (let at = 0; at < LARGE_BYTES; at += 4) LARGE.writeUInt32LE(at, at)
/** Long enough to go past the rings. */
const MIDDLE = LARGE.subarray(0, 2 * MIB)
const FUNCTION = { name: 'all', code: "r => new Response('function ' + r.method)", routes: ['/*', '/api/*'] }

let site: Site
let server: RunningServer
beforeAll(async () => {
  site = new Site({ 'index.html': 'index', 'small.txt': 'small', 'large.bin': LARGE, 'middle.bin': MIDDLE })
  await site.settle()
  server = await startServer({
    config: {
      static: [{ dir: site.root }, { route: '/only/*', dir: site.root }],
      functions: [FUNCTION],
      log: { access: 'on' },
      memoryBudget: 0,
    },
  })
})
afterAll(async () => {
  await server?.stop()
  site?.[Symbol.dispose]()
})

const get = (path: string, method = 'GET') => `${method} ${path} HTTP/1.1\r\nhost: a\r\n\r\n`

async function text(path: string, method = 'GET'): Promise<string> {
  const response = await fetch(server.url + path, { method })
  return `${response.status} ${await response.text()}`
}

test('files first, then the function of the same route; the more specific route before both', async () => {
  expect(await text('/')).toBe('200 index')
  expect(await text('/small.txt')).toBe('200 small')
  expect(await text('/none')).toBe('200 function GET')
  expect(await text('/small.txt', 'POST')).toBe('200 function POST')
  expect(await text('/api/small.txt')).toBe('200 function GET')
  expect(await text('/only/small.txt')).toBe('200 small')
  expect(await text('/only/none')).toMatch(/^404 .*"not-found"/)
  expect(await text('/only/small.txt', 'POST')).toMatch(/^405 .*"method-not-allowed"/)
})

test('answers on one connection keep their order, a large file among them', async () => {
  using wire = await Wire.connect(server.port)
  const paths = ['/small.txt', '/middle.bin', '/none', '/middle.bin', '/small.txt']
  await wire.send(paths.map((path) => get(path)).join(''))
  const bodies = []
  for (const _ of paths) bodies.push((await wire.read()).body)
  expect(
    bodies.map((body) => (body.length === MIDDLE.length ? body.equals(MIDDLE) : body.toString())),
  ).toEqual(['small', true, 'function GET', true, 'small'])
})

test('a body that comes with a GET of a file is read past', async () => {
  using wire = await Wire.connect(server.port)
  for (const path of ['/small.txt', '/middle.bin']) {
    const head = `GET ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 200000\r\n\r\n`
    await wire.send(head, 'x'.repeat(100_000))
    await wire.send('x'.repeat(100_000), get('/small.txt'))
    expect((await wire.read()).status).toBe(200)
    expect((await wire.read()).body.toString()).toBe('small')
  }
})

test('HTTP/1.0 and Connection: close end after the file', async () => {
  for (const request of [
    'GET /middle.bin HTTP/1.0\r\n\r\n',
    'GET /middle.bin HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
  ]) {
    using wire = await Wire.connect(server.port)
    await wire.send(request)
    const [answer] = await wire.readToEnd()
    expect([field(answer!, 'connection'), answer!.body.equals(MIDDLE)]).toEqual(['close', true])
  }
})

test('an access line tells status and bytes', async () => {
  await text('/large.bin', 'HEAD')
  await text('/large.bin?q')
  const line = await server.waitForLog(
    ({ path, method, bytes }) => path === '/large.bin' && method === 'GET' && bytes === LARGE_BYTES,
  )
  expect(line).toMatchObject({ status: 200, function: null })
  expect(server.logs()).toContainEqual(expect.objectContaining({ method: 'HEAD', status: 200, bytes: 0 }))
})

describe('a file that changes while it is sent', () => {
  test.each([
    ['is cut', (path: string) => truncateSync(path, 1000)],
    ['grows', (path: string) => appendFileSync(path, 'more')],
    ['is overwritten', (path: string) => writeFileSync(path, Buffer.alloc(LARGE_BYTES, 1))],
    [
      'is replaced',
      (path: string) => {
        writeFileSync(`${path}.new`, 'new')
        renameSync(`${path}.new`, path)
      },
    ],
  ])('%s: the connection ends, and what came is of the old state', async (_, change) => {
    site.write('changing.bin', LARGE)
    await site.settle()
    using wire = await Wire.connect(server.port)
    await wire.send(get('/only/changing.bin'))
    await wire.receive(1)
    wire.socket.pause()
    change(join(site.root, 'changing.bin'))
    wire.socket.resume()
    await wire.waitForEnd()
    const received = wire.unread
    const body = received.subarray(received.indexOf('\r\n\r\n') + 4)
    expect(body.length).toBeLessThan(LARGE_BYTES)
    expect(body.equals(LARGE.subarray(0, body.length))).toBe(true)
  })
})

test('files replaced all the time: each answer is one state, whole', async () => {
  const states = ['a', 'b', 'c'].map((letter) => letter.repeat(50_000))
  const write = (state: string) => {
    writeFileSync(join(site.root, 'next'), state)
    renameSync(join(site.root, 'next'), join(site.root, 'turning.txt'))
  }
  write(states[0]!)
  let isDone = false
  const writing = (async () => {
    for (let i = 0; !isDone; i++) {
      write(states[i % states.length]!)
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  const seen = new Set<string>()
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 50; i++) {
        const response = await fetch(`${server.url}/only/turning.txt`)
        const body = await response.text()
        if (response.status === 200) seen.add(body)
        else expect([response.status, body]).toEqual([503, expect.stringContaining('file-unavailable')])
      }
    }),
  )
  isDone = true
  await writing
  expect(seen.size).toBeGreaterThan(0)
  for (const body of seen) expect(states).toContain(body)
})

test('a thousand slow readers of a file of 100 MB cost little memory, and all others are served', async () => {
  site.write('huge.bin', '')
  truncateSync(join(site.root, 'huge.bin'), 100_000_000)
  await site.settle()
  const before = residentBytes(server.pid)
  const readers = await slowReaders(server.port, '/only/huge.bin', 1000)
  expect(await text('/small.txt')).toBe('200 small')
  const after = residentBytes(server.pid)
  for (const socket of readers) socket.destroy()
  if (before !== undefined && after !== undefined) expect(after - before).toBeLessThan(60 * MIB)
})

describe('the start', () => {
  test('--static serves a folder without any function', async () => {
    await using alone = await startServer({ args: ['--static', site.root] })
    expect(await (await fetch(`${alone.url}/small.txt`)).text()).toBe('small')
    expect((await fetch(`${alone.url}/none`)).status).toBe(404)
  })

  test('--static and a handler', async () => {
    await using both = await startServer({
      args: ['--static', '.', 'handler.js'],
      handlerFiles: { 'handler.js': "export default () => new Response('handler')", 'a.txt': 'file' },
    })
    expect(await (await fetch(`${both.url}/a.txt`)).text()).toBe('file')
    expect(await (await fetch(`${both.url}/b.txt`)).text()).toBe('handler')
  })

  test.each([
    ['nowhere', 'there is no such folder'],
    ['a.txt', 'it is no folder'],
  ])('a folder that is none ends it: %s', async (dir, reason) => {
    const { code, stderr } = await runCommand({ args: ['--static', dir], handlerFiles: { 'a.txt': '' } })
    expect(code).toBe(2)
    expect(stderr).toMatch(new RegExp(`^ringlet: static files: .*${dir} cannot be served: ${reason}\n$`))
  })
})

test('out of descriptors: 503, a line in the log, and the server lives', async () => {
  using small = new Site({ 'f0.bin': '', 'f1.bin': '', 'small.txt': 'small' })
  // More than the kernel takes for a client that does not read.
  for (const name of ['f0.bin', 'f1.bin']) truncateSync(join(small.root, name), 64 * MIB)
  await small.settle()
  // No thread that is started later takes descriptors of its own.
  const config = { static: [{ dir: small.root }], watchdog: { spares: 0 } }
  await using poor = await startServer({ config })
  const taken = new Set(readdirSync(`/proc/${poor.pid}/fd`).map(Number))
  const free = Array.from({ length: 1000 }, (_, number) => number).filter((number) => !taken.has(number))
  // Room for a connection, its file, and one connection more.
  const limit = free[2]! + 1
  const setLimit = 'prlimit'
  execFileSync(setLimit, [`--pid=${poor.pid}`, `--nofile=${limit}:1024`])
  const sockets: Socket[] = []
  const statuses: string[] = []
  // Each takes a descriptor for itself, and one for its file.
  for (let i = 0; i < 2; i++) {
    const socket = connect(poor.port, '127.0.0.1')
    sockets.push(socket)
    const first = new Promise<string>((resolve) => {
      socket.once('data', (bytes: Buffer) => {
        socket.pause()
        resolve(bytes.toString('latin1').slice(9, 12))
      })
    })
    socket.write(get(`/f${i}.bin`))
    statuses.push(await first)
  }
  expect(statuses).toEqual(['200', '503'])
  await poor.waitForLog(({ msg, reason }) => msg === 'file unavailable' && reason === 'EMFILE')
  for (const socket of sockets) socket.destroy()
  execFileSync(setLimit, [`--pid=${poor.pid}`, '--nofile=1024:1024'])
  expect(await (await fetch(`${poor.url}/small.txt`)).text()).toBe('small')
})
