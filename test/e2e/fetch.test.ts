import { createHash } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { json } from '../support/answer-parser.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const MIB = 1 << 20
/** More than all buffers between two servers and a client can hold: the kernel's are up to 6 MiB each. */
const LONG_BYTES = 32 * MIB
const AHEAD_BYTES_MAX = 24 * MIB

/** `OTHER` stands for the origin of the other server. */
const HANDLER = `const other = 'OTHER'
const tell = (error: any) => ({ name: error?.name, message: error?.message, code: error?.cause?.code, because: error?.cause?.message })
export default async (request: Request, env: { SECRET: string }, ctx: { waitUntil(p: Promise<unknown>): void }) => {
  const { pathname } = new URL(request.url)
  const attempt = async (work: () => Promise<unknown>) => Response.json(await work().catch(tell) ?? null)
  switch (pathname) {
    case '/get': return attempt(async () => {
      const response = await fetch(other + '/plain#part', { headers: { authorization: env.SECRET } })
      return { status: response.status, ok: response.ok, url: response.url, redirected: response.redirected, type: response.type, field: response.headers.get('x-from'), cookies: response.headers.getSetCookie(), text: await response.text(), used: response.bodyUsed }
    })
    case '/post': return attempt(async () => (await fetch(other + '/echo', { method: 'POST', body: JSON.stringify({ a: 'ü' }), headers: { 'content-type': 'application/json' } })).json())
    case '/form': return attempt(async () => (await fetch(new Request(other + '/echo', { method: 'PUT', body: new URLSearchParams({ a: '1', b: 'ü' }) }))).json())
    case '/stream-up': return attempt(async () => {
      let n = 0
      const body = new ReadableStream({ pull(c) { if (n++ < 20) c.enqueue(new Uint8Array(10_000).fill(97)); else c.close() } })
      return (await fetch(other + '/echo', { method: 'POST', body, duplex: 'half' } as RequestInit)).json()
    })
    case '/stream-broken': return attempt(async () => fetch(other + '/echo', { method: 'POST', body: new ReadableStream({ pull(c) { c.enqueue('text') } }), duplex: 'half' } as RequestInit))
    case '/through': return fetch(other + '/large')
    case '/endless': return fetch(other + '/endless')
    case '/endless-again': { const r = await fetch(other + '/endless'); return new Response(r.body, { headers: r.headers }) }
    case '/relay': return fetch(other + '/echo', { method: 'POST', body: request.body })
    case '/forward': return fetch(new Request(other + '/echo', request))
    case '/lines': return attempt(async () => {
      let bytes = 0
      for await (const piece of (await fetch(other + '/large')).body!) bytes += piece.length
      return bytes
    })
    case '/clone': return attempt(async () => { const r = await fetch(other + '/plain'); const c = r.clone(); return [await r.text(), await c.text()] })
    case '/abort-head': return attempt(async () => { const c = new AbortController(); setTimeout(() => c.abort(), 10); return fetch(other + '/hold', { signal: c.signal }) })
    case '/abort-body': return attempt(async () => {
      const c = new AbortController()
      const response = await fetch(other + '/drip', { signal: c.signal })
      const reader = response.body!.getReader()
      await reader.read()
      c.abort(new RangeError('enough'))
      return reader.read()
    })
    case '/aborted': return attempt(async () => fetch(other + '/plain', { signal: AbortSignal.abort() }))
    case '/timeout': return attempt(async () => fetch(other + '/hold', { signal: AbortSignal.timeout(20) }))
    case '/denied': return attempt(async () => fetch('https://not.listed.test/'))
    case '/scheme': return attempt(async () => fetch('ftp://not.listed.test/'))
    case '/name': return attempt(async () => fetch('http://localhost:1/'))
    case '/sent': return attempt(async () => (await fetch(other + '/fields', { cache: new URL(request.url).searchParams.get('cache') as RequestCache, mode: 'same-origin', credentials: 'include', keepalive: true, referrer: 'http://a.test/', priority: 'low' })).json())
    case '/integrity': return attempt(async () => {
      const response = await fetch(other + '/plain', { integrity: new URL(request.url).searchParams.get('of')! })
      return [response.status, response.headers.get('x-from'), await response.text()]
    })
    case '/integrity-none': return attempt(async () => fetch(other + '/plain', { method: 'HEAD', integrity: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' }).then((r) => [r.status, r.body]))
    case '/bad': return attempt(async () => fetch('no url'))
    case '/get-body': return attempt(async () => fetch(other, { body: 'x' }))
    case '/storm': await Promise.all(Array.from({ length: 200 }, () => fetch(other + '/plain')))
    case '/unread': await fetch(other + '/drip?unread'); return Response.text('answered')
    case '/background': ctx.waitUntil(fetch(other + '/plain').then((r) => r.text()).then((text) => console.info('got ' + text))); return Response.text('first')
    case '/leave': console.info('fetching'); await fetch(other + '/hold?leave'); return Response.text('never')
    case '/prototypes': {
      const poison = () => { throw new Error('poisoned') }
      Promise.prototype.then = poison as never
      Map.prototype.get = poison as never
      Array.prototype.push = poison as never
      String.prototype.split = poison as never
      Object.defineProperty(Object.prototype, 'resolve', { set: poison, configurable: true })
      const response = await fetch(other + '/plain')
      return new Response(response.body)
    }
    case '/many': return attempt(async () => (await Promise.all(Array.from({ length: 30 }, async (_, i) => (await fetch(other + '/plain?' + i)).text()))).length)
  }
  return Response.text('plain')
}
export const top = typeof fetch
`

let server: RunningServer
let other: Server
const closed = new Set<string>()
/** What the kernel has taken of the long answer. */
let sentBytes = 0
const waiting: ServerResponse[] = []

beforeAll(async () => {
  other = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://x')
    response.on('close', () => closed.add(request.url!))
    request.on('error', () => {})
    if (pathname === '/large') {
      response.writeHead(200, { 'content-length': String(4 * MIB) })
      for (let i = 0; i < 64; i++) response.write(Buffer.alloc(MIB / 16, 120))
      response.end()
    } else if (pathname === '/endless') {
      const piece = Buffer.alloc(MIB / 16, 120)
      const more = () => {
        sentBytes += piece.length
        if (sentBytes > LONG_BYTES) response.end()
        else response.write(piece, more)
      }
      sentBytes = 0
      more()
    } else if (pathname === '/fields') response.end(JSON.stringify(request.headers))
    else if (pathname === '/hold') waiting.push(response)
    else if (pathname === '/drip') {
      response.write('a drop')
      waiting.push(response)
    } else if (pathname === '/echo') {
      const pieces: Buffer[] = []
      request.on('data', (piece) => pieces.push(piece))
      request.on('end', () => {
        const body = Buffer.concat(pieces)
        response.setHeader('content-type', 'application/json')
        response.end(
          JSON.stringify({
            method: request.method,
            type: request.headers['content-type'],
            bytes: body.length,
            text: body.length < 100 ? body.toString() : '',
          }),
        )
      })
    } else {
      response.writeHead(200, { 'x-from': 'other', 'set-cookie': ['a=1', 'b=2'] })
      response.end('plain text')
    }
  })
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  const fn = {
    file: 'handler.ts',
    env: { SECRET: 'do-not-log' },
    fetch: { allow: [origin, 'http://localhost:1'] },
  }
  server = await startServer({
    handlerFiles: { 'handler.ts': HANDLER.replace('OTHER', origin) },
    config: {
      log: { level: 'trace', access: 'on' },
      limits: {
        cpuMs: 1000,
        wallMs: 8000,
        subrequests: 40,
        pendingCalls: 50,
        bodyBytes: 8 * MIB,
        inlineBodyBytes: 0,
      },
      functions: [
        { ...fn, name: 'one', routes: ['/*'] },
        { ...fn, name: 'anew', routes: ['/prototypes'], isolation: 'request' },
      ],
    },
  })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  other.closeAllConnections()
  other.close()
})

async function ask(path: string, body?: Buffer) {
  const wire = await Wire.connect(server.port)
  try {
    const length = body === undefined ? '' : `Content-Length: ${body.length}\r\nContent-Type: x/y\r\n`
    await wire.send(
      `${body ? 'POST' : 'GET'} ${path} HTTP/1.1\r\nHost: ringlet.test\r\n${length}\r\n`,
      body ?? '',
    )
    return await wire.readFinal()
  } finally {
    wire.reset()
  }
}
const result = async (path: string) => json(await ask(path))

describe('fetch in a function', () => {
  test('a response with all that belongs to it', async () => {
    expect(await result('/get')).toMatchObject({
      status: 200,
      ok: true,
      redirected: false,
      type: 'basic',
      field: 'other',
      cookies: ['a=1', 'b=2'],
      text: 'plain text',
      used: true,
    })
    expect((await result('/get'))['url']).toMatch(/\/plain$/)
  })

  test.each([
    ['/post', { method: 'POST', type: 'application/json', text: '{"a":"ü"}' }],
    [
      '/form',
      { method: 'PUT', type: 'application/x-www-form-urlencoded;charset=UTF-8', text: 'a=1&b=%C3%BC' },
    ],
    ['/stream-up', { method: 'POST', bytes: 200_000 }],
  ])('%s sends its body', async (path, expected) => {
    expect(await result(path)).toMatchObject(expected)
  })

  test('a response goes through, with its length', async () => {
    const { body, status } = await ask('/through')
    expect(status).toBe(200)
    expect(body.length).toBe(4 * MIB)
  })

  test.each(['/relay', '/forward'])('%s: a request’s body goes on as it comes', async (path) => {
    expect(json(await ask(path, Buffer.alloc(2 * MIB)))).toMatchObject({ method: 'POST', bytes: 2 * MIB })
  })

  test.each(['/endless', '/endless-again'])(
    '%s: the other server is held back to the pace of the client',
    async (path) => {
      const response = await fetch(server.url + path)
      let bytes = 0
      let aheadBytes = 0
      for await (const piece of response.body!) {
        bytes += piece.length
        aheadBytes = Math.max(aheadBytes, sentBytes - bytes)
        // A turn for everybody else before the next piece is taken.
        await new Promise(setImmediate)
      }
      expect(bytes).toBe(LONG_BYTES)
      expect(aheadBytes).toBeLessThan(AHEAD_BYTES_MAX)
    },
  )

  test('a body is read by a loop, cloned, and many run at once', async () => {
    expect(await result('/lines')).toBe(4 * MIB)
    expect(await result('/clone')).toEqual(['plain text', 'plain text'])
    expect(await result('/many')).toBe(30)
  })

  test.each([
    ['/abort-head', { name: 'AbortError' }],
    ['/abort-body', { name: 'RangeError', message: 'enough' }],
    ['/aborted', { name: 'AbortError' }],
    ['/timeout', { name: 'TimeoutError' }],
    ['/denied', { name: 'TypeError', code: 'RINGLET_FETCH_NOT_ALLOWED' }],
    ['/scheme', { name: 'TypeError' }],
    ['/name', { name: 'TypeError', message: 'fetch failed', code: 'RINGLET_FETCH_ADDRESS' }],
    ['/bad', { name: 'TypeError' }],
    ['/get-body', { name: 'TypeError' }],
    ['/stream-broken', { name: 'TypeError' }],
  ])('%s rejects', async (path, expected) => {
    expect(await result(path)).toMatchObject(expected)
  })

  test.each([
    ['default', {}],
    ['force-cache', {}],
    ['no-cache', { 'cache-control': 'max-age=0' }],
    ['no-store', { 'cache-control': 'no-cache', pragma: 'no-cache' }],
    ['reload', { 'cache-control': 'no-cache', pragma: 'no-cache' }],
  ])(
    'the cache mode %s is told to caches on the way, and nothing of the other members',
    async (mode, fields) => {
      const sent = await result(`/sent?cache=${mode}`)
      const usual = ['accept', 'accept-encoding', 'connection', 'host', 'user-agent']
      expect(Object.keys(sent).sort()).toEqual([...usual, ...Object.keys(fields)].sort())
      expect(sent).toMatchObject(fields)
    },
  )

  test('of what is only wanted from a cache there is nothing', async () => {
    expect(await result('/sent?cache=only-if-cached')).toMatchObject({ name: 'TypeError' })
  })

  const sri = (hash: string, text = 'plain text') =>
    `${hash}-${createHash(hash).update(text).digest('base64')}`
  const PASSES = [200, 'other', 'plain text']
  const FAILS = { name: 'TypeError', message: 'fetch failed', code: 'RINGLET_FETCH_INTEGRITY' }
  test.each([
    [sri('sha256'), PASSES],
    [`\t${sri('sha384')}?option\n`, PASSES],
    [`${sri('sha512', 'other')} ${sri('sha512')}`, PASSES],
    [sri('sha256').replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''), PASSES],
    [`${sri('sha256', 'weaker hashes do not count')} ${sri('sha384')}`, PASSES],
    ['', PASSES],
    ['md5-abc of what is not understood nothing is asked', PASSES],
    [sri('sha256', 'other'), FAILS],
    [`${sri('sha256')} ${sri('sha512', 'other')}`, FAILS],
    ['sha256-', PASSES],
    ['sha256-abc', FAILS],
  ])('integrity %j', async (integrity, expected) => {
    const told = await result(`/integrity?of=${encodeURIComponent(integrity)}`)
    if (Array.isArray(expected)) expect(told).toEqual(expected)
    else expect(told).toMatchObject(expected)
  })

  test('integrity of no body is that of no bytes', async () => {
    expect(await result('/integrity-none')).toEqual([200, null])
  })

  test('too many end the request, and nobody else’s', async () => {
    const answer = await ask('/storm')
    expect(answer.status).toBe(500)
    expect(json(answer)['error']).toBe('subrequest-limit')
    expect((await ask('/')).body.toString()).toBe('plain')
  })

  test('what the answer leaves unread is let go of; what waitUntil holds goes on', async () => {
    expect((await ask('/unread')).body.toString()).toBe('answered')
    while (!closed.has('/drip?unread')) await new Promise(setImmediate)
    expect((await ask('/background')).body.toString()).toBe('first')
    await server.waitForLog(({ msg }) => msg === 'got plain text')
  })

  test('a client that leaves ends what was fetched for it', async () => {
    const wire = await Wire.connect(server.port)
    await wire.send('GET /leave HTTP/1.1\r\nHost: ringlet.test\r\n\r\n')
    await server.waitForLog(({ msg }) => msg === 'fetching')
    wire.reset()
    while (!closed.has('/hold?leave')) await new Promise(setImmediate)
    expect((await ask('/')).body.toString()).toBe('plain')
  })

  test('overwritten built-ins do not get in between', async () => {
    const answer = await ask('/prototypes')
    expect([200, 500]).toContain(answer.status)
    if (answer.status === 200) expect(answer.body.toString()).toBe('plain text')
    expect((await ask('/')).body.toString()).toBe('plain')
  })

  test('secrets and addresses are in no line of the log', () => {
    const text = JSON.stringify(server.logs())
    expect(text).not.toContain('do-not-log')
    expect(text).not.toContain('not.listed.test')
  })
})
