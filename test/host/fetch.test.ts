import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HostValue } from '../../src/guest/host.ts'
import { ASYNC_OP, FETCH } from '../../src/guest/ops.ts'
import type { CallError, HostCall, RequestScope } from '../../src/host/call.ts'
import type { Resolve } from '../../src/host/fetch/connect.ts'
import { Fetcher, type FetchLimits, type FetchPolicy } from '../../src/host/fetch/fetch.ts'

const LIMITS: FetchLimits = {
  connections: 4,
  connectMs: 2000,
  headMs: 2000,
  idleMs: 2000,
  keepAliveMs: 1000,
  responseBytes: 1 << 20,
}

let server: Server
let port = 0
let connections = 0
/** What the server has seen: head and body of each request. */
const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = []
/** Responses that are held until the test ends them. */
const held: ServerResponse[] = []
const closed: string[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    response.on('close', () => closed.push(request.url!))
    request.on('error', () => {})
    request.on('data', (piece) => {
      body += piece
    })
    request.on('end', () => {
      seen.push({ method: request.method!, url: request.url!, headers: request.headers, body })
      answer(request.url!, request.method!, response)
    })
  })
  server.on('connection', () => {
    connections++
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

function answer(url: string, method: string, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(url, 'http://x')
  const go = (status: number, location: string) => response.writeHead(status, { location }).end('moved')
  if (pathname === '/to') go(Number(searchParams.get('status') ?? 302), searchParams.get('at')!)
  else if (pathname === '/round') go(302, '/round')
  else if (pathname === '/gzip')
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello gzip'))
  else if (pathname === '/twice')
    response
      .writeHead(200, { 'content-encoding': 'gzip, br' })
      .end(brotliCompressSync(gzipSync('hello twice')))
  else if (pathname === '/members') response.writeHead(200, { 'content-encoding': 'gzip' }).end(MEMBERS)
  else if (pathname === '/codings')
    // A field for each, as proxies add them.
    response
      .writeHead(200, ['content-encoding', 'gzip', 'content-encoding', ' br'])
      .end(brotliCompressSync(gzipSync('hello fields')))
  else if (pathname === '/stacked')
    response
      .writeHead(200, {
        'content-encoding': Array(Number(searchParams.get('times')))
          .fill('gzip')
          .join(),
      })
      .end('never looked at')
  else if (pathname === '/empty-members')
    response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(gzipSync(EMPTY_MEMBERS))
  else if (pathname === '/body') {
    // As no server may: a body where there is none. It is written as one piece, so that both sides see it at once.
    const status = Number(searchParams.get('status') ?? 200)
    response.socket!.write(
      `HTTP/1.1 ${status} X\r\nContent-Length: 36\r\n\r\nHTTP/1.1 200 FORGED\r\nX-Forged: 1\r\n\r\n`,
    )
  } else if (pathname === '/damaged')
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all')
  else if (pathname === '/bomb')
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(64 << 20)))
  else if (pathname === '/odd') response.writeHead(200, { 'content-encoding': 'secret' }).end('as it is')
  else if (pathname === '/hold') held.push(response)
  else if (pathname === '/half') {
    response.writeHead(200, { 'content-length': '100' }).write('the half')
    setImmediate(() => response.destroy())
  } else if (pathname === '/stall') {
    response.writeHead(200).write('then nothing')
    held.push(response)
  } else if (pathname === '/none') response.writeHead(204).end()
  else if (pathname === '/large') response.end(Buffer.alloc(2 << 20))
  else
    response.writeHead(200, { 'x-method': method, 'set-cookie': ['a=1', 'b=2'] }).end(`body of ${pathname}`)
}

const MEMBERS = Buffer.concat(['one ', '', 'two ', 'three'].map((text) => gzipSync(text)))
/** 20 MB that bring nothing, in 20 KB. */
const EMPTY_MEMBERS = Buffer.concat(Array(1_000_000).fill(gzipSync('')))

class TestScope implements RequestScope {
  readonly functionIndex = 0
  readonly #end = new AbortController()
  readonly #states = new Map<symbol, unknown>()
  get signal(): AbortSignal {
    return this.#end.signal
  }
  get hasEnded(): boolean {
    return this.#end.signal.aborted
  }
  leftMs = 1000
  charge(cpuMs: number): boolean {
    this.leftMs -= cpuMs
    return this.leftMs >= 0
  }

  state<T>(key: symbol, make: () => T): T {
    if (!this.#states.has(key)) this.#states.set(key, make())
    return this.#states.get(key) as T
  }
  end(): void {
    this.#end.abort()
  }
}

interface World {
  readonly fetcher: Fetcher
  readonly scope: TestScope
  call(what: number, ...values: HostValue[]): Promise<HostValue>
  callUntil(signal: AbortSignal, what: number, ...values: HostValue[]): Promise<HostValue>
  get(url: string, redirect?: string, fields?: readonly string[]): Promise<{ lines: string[]; text: string }>
}

/** A function that may fetch by this policy; every name is resolved as the test says. */
function world(
  policy: Partial<FetchPolicy> = {},
  { limits = {}, resolve = async () => [] }: { limits?: Partial<FetchLimits>; resolve?: Resolve } = {},
): World {
  const own = { name: 'one', allow: [`http://127.0.0.1:${port}`], addresses: [], subrequests: 50, ...policy }
  const fetcher = new Fetcher([own], { ...LIMITS, ...limits }, resolve)
  const scope = new TestScope()
  const ops = new Map(fetcher.ops)
  const callUntil = (signal: AbortSignal, what: number, ...values: HostValue[]) => {
    const call: HostCall = {
      scope,
      signal,
      get isGivenUp() {
        return signal.aborted
      },
    }
    return ops.get(what)!(values, call)
  }
  const call = (what: number, ...values: HostValue[]) =>
    callUntil(new AbortController().signal, what, ...values)
  let exchange = 100
  const get: World['get'] = async (url, redirect = 'follow', fields = []) => {
    const id = exchange++
    const head = (await call(
      ASYNC_OP.FETCH,
      id,
      ['GET', url, redirect, ...fields].join('\n'),
      undefined,
      0,
    )) as string
    return { lines: head.split('\n'), text: await readAll(call, id) }
  }
  return { fetcher, scope, call, callUntil, get }
}

async function readAll(call: World['call'], id: number): Promise<string> {
  const pieces: Uint8Array[] = []
  for (;;) {
    const piece = await call(ASYNC_OP.FETCH_READ, id)
    if (piece === undefined) return Buffer.concat(pieces).toString()
    pieces.push(piece as Uint8Array)
  }
}

const at = (path: string) => `http://127.0.0.1:${port}${path}`
const reason = (error: unknown) => (error as CallError).reason

describe('a fetch', () => {
  test('brings status, fields and body, and keeps its connection for the next', async () => {
    const { get, fetcher } = world()
    const { lines, text } = await get(at('/a?b=c'))
    expect(lines.slice(0, 4)).toEqual(['200', '0', '1', at('/a?b=c')])
    expect(lines).toContain('set-cookie: a=1')
    expect(lines).toContain('set-cookie: b=2')
    expect(text).toBe('body of /a')
    for (let i = 0; i < 10; i++) await get(at('/a'))
    expect(fetcher.openSockets).toBeGreaterThan(0)
    expect(fetcher.openSockets).toBeLessThan(3)
    await fetcher.close()
    while (fetcher.openSockets > 0) await new Promise(setImmediate)
  })

  test('sends bytes and fields, but none that frame or route the message', async () => {
    const { call } = world()
    const fields = [
      'x-own: \xfc',
      'host: evil.test',
      'content-length: 3',
      'transfer-encoding: chunked',
      'connection: x-own',
      'cookie: a=b',
    ]
    await call(
      ASYNC_OP.FETCH,
      1,
      ['POST', at('/post'), 'follow', ...fields].join('\n'),
      Buffer.from('twelve bytes'),
      0,
    )
    const { headers, body, method } = seen.at(-1)!
    expect({ body, method }).toEqual({ body: 'twelve bytes', method: 'POST' })
    expect(headers).toMatchObject({
      host: `127.0.0.1:${port}`,
      'content-length': '12',
      'x-own': '\xfc',
      cookie: 'a=b',
      'user-agent': 'ringlet',
    })
    expect(headers['transfer-encoding']).toBeUndefined()
  })

  test('sends a body piece by piece, each when the one before has been taken', async () => {
    const { call } = world()
    const answered = call(ASYNC_OP.FETCH, 1, `PUT\n${at('/pieces')}\nfollow`, undefined, FETCH.PIECES)
    for (const piece of ['one ', 'two ', 'three']) await call(ASYNC_OP.FETCH_WRITE, 1, Buffer.from(piece))
    await call(ASYNC_OP.FETCH_WRITE, 1, undefined)
    expect(String(await answered)).toMatch(/^200\n/)
    expect(seen.at(-1)).toMatchObject({ method: 'PUT', body: 'one two three' })
  })

  test('of a response without a body has none', async () => {
    const { get } = world()
    const { lines, text } = await get(at('/none'))
    expect(lines.slice(0, 3)).toEqual(['204', '0', '0'])
    expect(text).toBe('')
  })

  test.each([
    ['/gzip', 'hello gzip'],
    ['/twice', 'hello twice'],
    ['/members', 'one two three'],
    ['/codings', 'hello fields'],
  ])('decodes %s, and says nothing of the coding any more', async (path, expected) => {
    const { lines, text } = await world().get(at(path))
    expect(text).toBe(expected)
    expect(lines.join()).not.toMatch(/content-(encoding|length)/)
  })

  test('leaves a coding it does not know', async () => {
    const { lines, text } = await world().get(at('/odd'))
    expect(text).toBe('as it is')
    expect(lines).toContain('content-encoding: secret')
  })

  test.each([
    ['/damaged', 'EPROTO'],
    ['/stacked?times=4', 'EPROTO'],
    ['/stacked?times=3000', 'EPROTO'],
    ['/bomb', 'RINGLET_FETCH_TOO_LARGE'],
    ['/large', 'RINGLET_FETCH_TOO_LARGE'],
    ['/half', 'UND_ERR_SOCKET'],
  ])('of %s fails with a reason', async (path, code) => {
    const error = await world()
      .get(at(path))
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ name: 'TypeError', message: 'fetch failed' })
    expect(reason(error)?.code).toBe(code)
  })

  test('is charged for what is decoded, whatever comes out of it in the end', async () => {
    const { get, scope } = world()
    await get(at('/gzip'))
    expect(scope.leftMs).toBeLessThan(1000)
    scope.leftMs = 50
    const error = (await get(at('/empty-members')).catch((e: unknown) => e)) as CallError
    expect(error.name).toBe('OperationError')
    expect(scope.leftMs).toBeLessThan(0)
  })

  test.each([
    ['HEAD', 200],
    ['HEAD', 404],
    ['GET', 204],
    ['GET', 304],
  ])('of %s that is answered %i with a body has none, and nobody else gets that', async (method, status) => {
    const { call, get, fetcher } = world()
    const head = `${method}\n${at(`/body?status=${status}`)}\nfollow`
    const lines = String(await call(ASYNC_OP.FETCH, 1, head, undefined, 0)).split('\n')
    expect(lines.slice(0, 3)).toEqual([String(status), '0', '0'])
    expect(await readAll(call, 1)).toBe('')
    for (let i = 0; i < 3; i++) expect((await get(at('/after'))).text).toBe('body of /after')
    await fetcher.close()
  })

  test.each([
    // Of HEAD undici closes it: servers send bodies that are none.
    ['GET', '/none'],
    ['GET', '/to?at=/next'],
  ])('of %s %s, whose body is not there or not wanted, keeps its connection', async (method, path) => {
    const { call, get, fetcher } = world()
    const head = `${method}\n${at(path)}\nfollow`
    const before = connections
    for (let id = 1; id < 10; id++) {
      await call(ASYNC_OP.FETCH, id, head, undefined, 0)
      await readAll(call, id)
    }
    await get(at('/a'))
    expect(connections - before).toBeLessThan(3)
    await fetcher.close()
  })

  test('that nobody answers ends by its time', async () => {
    const { get } = world({}, { limits: { headMs: 50, idleMs: 50 } })
    expect(reason(await get(at('/hold')).catch((e: unknown) => e))?.code).toBe('UND_ERR_HEADERS_TIMEOUT')
    expect(reason(await get(at('/stall')).catch((e: unknown) => e))?.code).toBe('UND_ERR_BODY_TIMEOUT')
  })

  test('ends with its signal, and with its request', async () => {
    const { callUntil, call, scope, fetcher } = world()
    const abort = new AbortController()
    const aborted = callUntil(
      abort.signal,
      ASYNC_OP.FETCH,
      1,
      `GET\n${at('/hold?signal')}\nfollow`,
      undefined,
      0,
    )
    const read = call(ASYNC_OP.FETCH, 2, `GET\n${at('/stall?scope')}\nfollow`, undefined, 0)
    await read
    await call(ASYNC_OP.FETCH_READ, 2)
    const waiting = call(ASYNC_OP.FETCH_READ, 2).catch((e: unknown) => e)
    abort.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    scope.end()
    expect(await waiting).not.toBeInstanceOf(Uint8Array)
    while (!closed.includes('/stall?scope')) await new Promise(setImmediate)
    await fetcher.close()
  })

  test('whose body is not wanted lets go of it', async () => {
    const { call } = world()
    await call(ASYNC_OP.FETCH, 1, `GET\n${at('/stall?close')}\nfollow`, undefined, 0)
    await call(ASYNC_OP.FETCH_CLOSE, 1)
    while (!closed.includes('/stall?close')) await new Promise(setImmediate)
    await expect(call(ASYNC_OP.FETCH_READ, 1)).rejects.toMatchObject({ name: 'TypeError' })
  })

  test('beyond limits.subrequests is refused, redirects included', async () => {
    const { get } = world({ subrequests: 3 })
    await expect(get(at('/round'))).rejects.toThrow(/limits\.subrequests \(3\)/)
  })
})

describe('redirects', () => {
  test.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [303, 'HEAD', 'HEAD', ''],
    [307, 'POST', 'POST', 'sent'],
    [308, 'PUT', 'PUT', 'sent'],
    [302, 'PUT', 'PUT', 'sent'],
  ])('%i makes of %s a %s', async (status, method, next, body) => {
    const { call } = world()
    const head = [
      method,
      at(`/to?status=${status}&at=/next`),
      'follow',
      'content-type: text/plain',
      'authorization: secret',
    ].join('\n')
    const answer = String(
      await call(ASYNC_OP.FETCH, 1, head, method === 'HEAD' ? undefined : Buffer.from('sent'), 0),
    )
    expect(answer.split('\n').slice(0, 2)).toEqual(['200', '1'])
    const last = seen.at(-1)!
    expect(last).toMatchObject({ method: next, url: '/next', body })
    expect(last.headers['content-type']).toBe(body === '' && method !== 'HEAD' ? undefined : 'text/plain')
    expect(last.headers.authorization).toBe('secret')
  })

  test('to another origin go without what was for the first', async () => {
    const resolve: Resolve = async () => [{ address: '127.0.0.1', family: 4 }]
    const { get } = world(
      { allow: [`http://127.0.0.1:${port}`, `http://other.test:${port}`], addresses: ['127.0.0.1'] },
      { resolve },
    )
    const fields = ['authorization: secret', 'cookie: a=b', 'x-plain: stays']
    await get(at(`/to?at=http://other.test:${port}/there`), 'follow', fields)
    const { headers, url } = seen.at(-1)!
    expect(url).toBe('/there')
    expect(headers).toMatchObject({ host: `other.test:${port}`, 'x-plain': 'stays' })
    expect(headers.authorization ?? headers.cookie).toBeUndefined()
  })

  test('by mode: an error, or as they are', async () => {
    const { get } = world()
    await expect(get(at('/to?at=/next'), 'error')).rejects.toMatchObject({
      reason: { code: 'RINGLET_FETCH_REDIRECT' },
    })
    const { lines } = await get(at('/to?at=/next'), 'manual')
    expect(lines[0]).toBe('302')
    expect(lines).toContain('location: /next')
  })

  test.each([
    ['/round', /more than 20/],
    ['/to?at=http://nowhere.test/', /may not fetch http:\/\/nowhere\.test/],
    ['/to?at=http://169.254.169.254/latest', /may not fetch http:\/\/169\.254\.169\.254/],
    ['/to?at=ftp://127.0.0.1/', /another scheme/],
    ['/to?at=http://[', /no URL/],
    ['/to?at=http://user:pw@127.0.0.1/', /credentials/],
    [`/to?at=http://${'a'.repeat(3000)}.test/`, /leads to is longer than 254 characters/],
    [`/to?at=http://${'a.'.repeat(3000)}/`, /leads to is longer than 254 characters/],
    [`/to?at=http://${'%25'.repeat(2000)}/`, /no URL/],
    [`/to?at=//${'['.repeat(3000)}/`, /no URL/],
    [`/to?at=http://127.0.0.1:${'1'.repeat(3000)}/`, /no URL/],
  ])('%s leads nowhere', async (path, message) => {
    const error = (await world()
      .get(at(path))
      .catch((e: unknown) => e)) as CallError
    expect(error.reason?.message).toMatch(message)
  })
})

describe('where a function may not go', () => {
  test('without an entry nowhere, and the error names the key', async () => {
    const error = (await world({ allow: [] })
      .get('https://example.com/')
      .catch((e: unknown) => e)) as CallError
    expect(error.message).toBe(
      'function one may not fetch https://example.com: functions[].fetch.allow has no entry for it, such as "https://example.com"',
    )
  })

  test.each([
    'http://10.0.0.1',
    'http://[::1]',
    'http://0xa9fea9fe/',
    'http://[::ffff:127.0.0.1]/',
    'http://2130706433/',
    'http://0/',
  ])('%s, though all hosts are allowed', async (url) => {
    const error = (await world({ allow: ['http://*:*'] })
      .get(url)
      .catch((e: unknown) => e)) as CallError
    expect(error.reason?.code).toBe('RINGLET_FETCH_ADDRESS')
    expect(error.reason?.message).toMatch(/functions\[\]\.fetch\.addresses/)
  })

  test.each([
    ['127.0.0.1', 4],
    ['10.9.8.7', 4],
    ['169.254.169.254', 4],
    ['::ffff:169.254.169.254', 6],
    ['64:ff9b::7f00:1', 6],
    ['fd00::1', 6],
  ])('a name that leads to %s', async (address, family) => {
    const resolve: Resolve = async () => [{ address, family }]
    const error = (await world({ allow: ['http://inner.test:*'] }, { resolve })
      .get(`http://inner.test:${port}/`)
      .catch((e: unknown) => e)) as CallError
    expect(error.reason?.code).toBe('RINGLET_FETCH_ADDRESS')
    expect(error.reason?.message).not.toContain(address)
  })

  test('a name that leads elsewhere the second time: what is connected to is what was looked at', async () => {
    const answers = [[{ address: '127.0.0.1', family: 4 }], [{ address: '127.0.0.2', family: 4 }]]
    let asked = 0
    const resolve: Resolve = async () => answers[Math.min(asked++, 1)]!
    const { get, fetcher } = world(
      { allow: ['http://turning.test:*'], addresses: ['127.0.0.1'] },
      { resolve },
    )
    expect((await get(`http://turning.test:${port}/first`)).text).toBe('body of /first')
    expect(asked).toBe(1)
    await fetcher.close()
    const next = world({ allow: ['http://turning.test:*'], addresses: ['127.0.0.1'] }, { resolve })
    const error = (await next.get(`http://turning.test:${port}/second`).catch((e: unknown) => e)) as CallError
    expect(error.reason?.code).toBe('RINGLET_FETCH_ADDRESS')
  })

  test('of several addresses those that may be reached are tried', async () => {
    const resolve: Resolve = async () => [
      { address: '10.0.0.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]
    const { get } = world({ allow: ['http://mixed.test:*'], addresses: ['127.0.0.0/8'] }, { resolve })
    expect((await get(`http://mixed.test:${port}/mixed`)).text).toBe('body of /mixed')
  })

  test('a listed name does not open a listed address, nor one function’s connection another’s', async () => {
    const resolve: Resolve = async () => [{ address: '127.0.0.1', family: 4 }]
    const { get } = world({ allow: [`http://127.0.0.1:${port}`, 'http://named.test:*'] }, { resolve })
    expect((await get(at('/listed'))).text).toBe('body of /listed')
    const error = (await get(`http://named.test:${port}/`).catch((e: unknown) => e)) as CallError
    expect(error.reason?.code).toBe('RINGLET_FETCH_ADDRESS')
  })

  test('names that do not resolve, and ports where nobody listens', async () => {
    const failing: Resolve = async () => {
      throw new Error('/etc/resolv.conf is broken')
    }
    const { get } = world({ allow: ['http://gone.test:*', 'http://127.0.0.1:1'] }, { resolve: failing })
    expect(reason(await get('http://gone.test/').catch((e: unknown) => e))).toEqual({
      code: 'ENOTFOUND',
      message: 'the name of the host cannot be resolved',
    })
    expect(reason(await get('http://127.0.0.1:1/').catch((e: unknown) => e))?.code).toBe('ECONNREFUSED')
  })
})

describe('what a hostile guest hands over', () => {
  test.each([
    [1, 2, 3, 4],
    [1, 'GET', undefined, 0],
    [1, 'G ET\nhttp://127.0.0.1/\nfollow', undefined, 0],
    [1, 'GET\nfile:///etc/passwd\nfollow', undefined, 0],
    [1, 'GET\nno url\nfollow', undefined, 0],
    [1, `GET\nhttp://${'a'.repeat(3000)}/\nfollow`, undefined, 0],
    [1, 'GET\nhttp://127.0.0.1/\nsideways', undefined, 0],
    [1, 'GET\nhttp://127.0.0.1/\nfollow\nbad field', undefined, 0],
    [1, 'GET\nhttp://127.0.0.1/\nfollow\nx: a\r', undefined, 0],
    [1, 'GET\nhttp://a:b@127.0.0.1/\nfollow', undefined, 0],
    ['1', 'GET\nhttp://127.0.0.1/\nfollow', undefined, 0],
    [undefined, undefined, undefined, undefined],
  ] as HostValue[][])('%j is a TypeError', async (...values) => {
    await expect(world().call(ASYNC_OP.FETCH, ...values)).rejects.toMatchObject({ name: 'TypeError' })
  })

  test('unknown exchanges, one twice, and two writes at once', async () => {
    const { call } = world()
    for (const what of [ASYNC_OP.FETCH_READ, ASYNC_OP.FETCH_WRITE, ASYNC_OP.FETCH_CLOSE]) {
      await expect((async () => call(what, 77))()).rejects.toMatchObject({ name: 'TypeError' })
    }
    const head = `POST\n${at('/twice-written')}\nfollow`
    const first = call(ASYNC_OP.FETCH, 5, head, undefined, FETCH.PIECES).catch(() => {})
    await expect(call(ASYNC_OP.FETCH, 5, head, undefined, 0)).rejects.toMatchObject({ name: 'TypeError' })
    const write = call(ASYNC_OP.FETCH_WRITE, 5, Buffer.from('a')).catch((e: unknown) => e)
    const again = call(ASYNC_OP.FETCH_WRITE, 5, Buffer.from('b')).catch((e: unknown) => e)
    await call(ASYNC_OP.FETCH_CLOSE, 5)
    await Promise.all([first, write, again])
  })
})
