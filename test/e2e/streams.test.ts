import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SMALL_PIECES_MAX, UNANSWERED_PIECE_MS } from '../../src/actor/pieces.ts'
import { field } from '../support/answer-parser.ts'
import { barrier } from '../support/expectations.ts'
import { Gate } from '../support/gate.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const KIB = 1024
const MIB = 1024 * KIB
const IDLE_MS = 400
const STREAM_MS = 1200

const HANDLER = `const text = new TextEncoder()
const endless = (piece: Uint8Array) => new ReadableStream({
  pull(c) { console.info('pulled'); c.enqueue(piece.slice()) },
  cancel(reason) { console.info('cancelled ' + reason.name) },
})
const of = (...chunks: unknown[]) => new ReadableStream({ start(c) { for (const chunk of chunks) c.enqueue(chunk); c.close() } })
const broken: Record<string, () => BodyInit> = {
  text: () => of(text.encode('good'), 'no bytes') as never,
  number: () => of(7) as never,
  words: () => of(new Uint16Array(4)) as never,
  error: () => new ReadableStream({ pull(c) { if (this.n) c.error(new Error('in the middle')); else { this.n = 1; c.enqueue(text.encode('good')) } } } as never),
  throw: () => new ReadableStream({ pull() { throw null } }),
  stuck: () => new ReadableStream({ start(c) { c.enqueue(text.encode('good')) } }),
  spin: () => new ReadableStream({ pull() { for (;;) {} } }, { highWaterMark: 0 }),
  empty: () => new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1)) ; c.enqueue = null } }),
}
const hostile: Record<string, () => ReadableStream> = {
  detached: () => { const piece = new Uint8Array(70000); const s = of(piece, text.encode('end')); structuredDetach(piece); return s },
  prototypes: () => {
    const poison = () => { throw new Error('poisoned') }
    Promise.prototype.then = poison as never
    Promise.prototype.catch = poison as never
    ;(globalThis as any).Promise = poison
    Object.defineProperty(Uint8Array.prototype, 'buffer', { get: poison })
    ArrayBuffer.prototype.slice = poison as never
    Object.getPrototypeOf(Uint8Array.prototype).subarray = poison
    return of(text.encode('calm'))
  },
  thenable: () => new ReadableStream({ pull(c) { c.enqueue(Object.assign(text.encode('then'), { then: (f: any) => f(1) })); c.close() } }),
  proxied: () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return of(proxy) },
  reader: () => { (ReadableStream as any).prototype.getReader = () => { throw new Error('mine') }; return of(text.encode('read')) },
  again: () => new ReadableStream({ pull(c) { c.enqueue(text.encode('once')); c.close(); try { c.enqueue(text.encode('twice')) } catch { console.info('closed') } } }),
}
function structuredDetach(piece: Uint8Array) { try { (piece.buffer as any).transfer() } catch {} }

let shared: ReadableStream
export default async (request: Request, env: unknown, ctx: { waitUntil(p: Promise<unknown>): void }) => {
  const { pathname, searchParams } = new URL(request.url)
  const piece = new Uint8Array(Number(searchParams.get('piece') ?? 65536)).fill(120)
  if (pathname === '/pieces' || pathname === '/over') {
    let left = Number(searchParams.get('count') ?? 10)
    const headers: Record<string, string> = {}
    if (searchParams.has('length')) headers['content-length'] = searchParams.get('length')!
    return new Response(new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(piece.slice()); else c.close() } }), { headers })
  }
  if (pathname === '/echo') return new Response(request.body)
  if (pathname === '/upper') return new Response(request.body!.pipeThrough(new TransformStream({
    transform(chunk, c) { c.enqueue(text.encode(new TextDecoder().decode(chunk).toUpperCase())) },
  })))
  if (pathname === '/sum') {
    let bytes = 0
    for await (const chunk of request.body!) bytes += chunk.length
    return Response.json({ bytes, used: request.bodyUsed })
  }
  if (pathname === '/count') {
    let pieces = 0
    for await (const _ of request.body!) pieces++
    return Response.json({ pieces })
  }
  if (pathname === '/too-late') {
    const late = async (c: ReadableStreamDefaultController) => {
      await fetch(searchParams.get('gate')!)
      c.enqueue(text.encode(await request.text().catch((error) => String(error))))
      c.close()
    }
    return new Response(new ReadableStream({ start(c) { void late(c) } }))
  }
  if (pathname === '/talk') {
    const { readable, writable } = new TransformStream()
    const writer = writable.getWriter()
    const { body } = request
    const talk = async () => {
      await writer.write(text.encode('who is there?'))
      for await (const chunk of body!) await writer.write(text.encode('hello ' + new TextDecoder().decode(chunk)))
      await writer.close()
    }
    ctx.waitUntil(talk())
    return new Response(readable)
  }
  if (pathname === '/first') {
    const reader = request.body!.getReader()
    const { value } = await reader.read()
    await reader.cancel()
    return Response.json({ first: value!.length })
  }
  if (pathname === '/endless') {
    request.signal.addEventListener('abort', () => console.info('aborted ' + request.signal.reason.name))
    return new Response(endless(piece))
  }
  if (pathname === '/ticking') {
    ctx.waitUntil(new Promise((resolve) => request.signal.addEventListener('abort', () => setTimeout(() => { console.info('after the client'); resolve(0) }, 0))))
    return new Response(new ReadableStream({ async pull(c) { c.enqueue(piece.slice()); await fetch(searchParams.get('gate')!) } }))
  }
  if (pathname === '/busy') {
    ctx.waitUntil(new Promise((resolve) => request.signal.addEventListener('abort', () => { console.info('busy no more'); resolve(0) })))
    return new Response(new ReadableStream({ pull(c) { for (let i = 0; i < 20_000; i++); c.enqueue(piece.slice()) } }))
  }
  if (pathname === '/waiting') { request.signal.onabort = () => console.info('gone while waiting'); console.info('waits'); await new Promise((resolve) => setTimeout(resolve, 60_000)) }
  if (pathname === '/paced') return new Response(new ReadableStream({ async pull(c) { await fetch(searchParams.get('gate')!); c.enqueue(text.encode('x')) } }))
  if (pathname === '/background') {
    ctx.waitUntil(fetch(searchParams.get('gate')!).then(() => console.info('background done')))
    return new Response(of(text.encode('front')))
  }
  if (pathname === '/broken') return new Response(broken[searchParams.get('how')!]!())
  if (pathname === '/hostile') return new Response(hostile[searchParams.get('how')!]!())
  if (pathname === '/locked') { const s = of(piece); s.getReader(); return new Response(s) }
  if (pathname === '/shared') return new Response(shared ??= of(text.encode('once')))
  if (pathname === '/looked') { const r = new Response('looked at'); if (r.body === null) throw 1; return r }
  if (pathname === '/global') { const before = (globalThis as any).seen; (globalThis as any).seen = 1; return new Response(of(text.encode(String(before)))) }
  return Response.text('plain')
}
`

let server: RunningServer

beforeAll(async () => {
  const source = { file: 'handler.ts' }
  server = await startServer({
    handlerFiles: { 'handler.ts': HANDLER },
    config: {
      log: { level: 'info' },
      limits: {
        cpuMs: 300,
        wallMs: 1000,
        bodyBytes: 4 * MIB,
        inlineBodyBytes: 0,
        streamBytes: 4 * MIB,
        streamIdleMs: IDLE_MS,
        streamMs: STREAM_MS,
      },
      pool: { maxPerFunction: 1 },
      functions: [
        { name: 'one', ...source, routes: ['/*'], fetch: { allow: ['http://127.0.0.1:*'] } },
        {
          name: 'paced',
          ...source,
          routes: ['/paced'],
          fetch: { allow: ['http://127.0.0.1:*'] },
          limits: { cpuMs: 10_000, wallMs: 10_000, subrequests: 10_000 },
        },
        { name: 'anew', ...source, routes: ['/global', '/hostile'], isolation: 'request' },
        {
          name: 'lasting',
          ...source,
          routes: ['/echo', '/upper', '/pieces', '/endless', '/ticking', '/busy'],
          fetch: { allow: ['http://127.0.0.1:*'] },
          limits: { streamBytes: 64 * MIB, streamMs: 60_000, streamIdleMs: 20_000, cpuMs: 1000 },
        },
      ],
    },
  })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const get = (path: string, version = '1.1') => `GET ${path} HTTP/${version}\r\nHost: ringlet.test\r\n\r\n`
const post = (path: string) =>
  `POST ${path} HTTP/1.1\r\nHost: ringlet.test\r\nTransfer-Encoding: chunked\r\n\r\n`
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
const LAST = '0\r\n\r\n'

async function ask(path: string) {
  const wire = await Wire.connect(server.port)
  try {
    await wire.send(get(path))
    return await wire.readFinal()
  } finally {
    wire.reset()
  }
}

const line = (text: string) => server.waitForLog(({ msg }) => msg === text)
/** How often this line has been written. */
const count = (text: string) => server.logs().filter(({ msg }) => msg === text).length

describe('a streamed answer', () => {
  test('is chunked, whole, and its connection goes on', async () => {
    const wire = await Wire.connect(server.port)
    await wire.send(get('/pieces?count=30'), get('/'))
    const answer = await wire.read()
    expect(answer.status).toBe(200)
    expect(field(answer, 'transfer-encoding')).toBe('chunked')
    expect(field(answer, 'content-length')).toBeUndefined()
    expect(answer.body.length).toBe(30 * 65536)
    expect(answer.body.every((byte) => byte === 120)).toBe(true)
    expect((await wire.read()).body.toString()).toBe('plain')
    wire.reset()
  })

  test.each([1, 100, 65_537, 700_000])('of pieces of %i bytes', async (piece) => {
    const answer = await ask(`/pieces?count=7&piece=${piece}`)
    expect(answer.body.length).toBe(7 * piece)
  })

  test('without a piece is an empty body', async () => {
    expect((await ask('/pieces?count=0')).body.length).toBe(0)
    expect((await ask('/pieces?count=3&piece=0')).body.length).toBe(0)
  })

  test('has a Content-Length where the handler knows it', async () => {
    const answer = await ask('/pieces?count=2&piece=5&length=10')
    expect(field(answer, 'content-length')).toBe('10')
    expect(field(answer, 'transfer-encoding')).toBeUndefined()
    expect(answer.body.toString()).toBe('xxxxxxxxxx')
  })

  test.each([9, 11])('that is not as long as it says (%i for 10) breaks its connection', async (length) => {
    const wire = await Wire.connect(server.port)
    await wire.send(get(`/pieces?count=2&piece=5&length=${length}`))
    await expect(wire.read()).rejects.toThrow(/inside a response/)
    expect((await ask('/')).body.toString()).toBe('plain')
  })

  test('goes to a client of HTTP/1.0 without chunks, up to the end of the connection', async () => {
    const wire = await Wire.connect(server.port)
    await wire.send(get('/pieces?count=3&piece=4', '1.0'))
    await wire.waitForEnd()
    const [head, body] = wire.unread.toString('latin1').split('\r\n\r\n')
    expect(head).not.toMatch(/transfer-encoding|content-length/i)
    expect(head).toMatch(/connection: close/i)
    expect(body).toBe('xxxxxxxxxxxx')
  })

  test('to HEAD is its head: the stream is cancelled, the connection goes on', async () => {
    const wire = await Wire.connect(server.port)
    await wire.send('HEAD /endless HTTP/1.1\r\nHost: ringlet.test\r\n\r\n', get('/'))
    expect((await wire.read('HEAD')).status).toBe(200)
    expect((await wire.read()).body.toString()).toBe('plain')
    wire.reset()
    await line('cancelled AbortError')
  })

  test('of a body that was only looked at has its length', async () => {
    const answer = await ask('/looked')
    expect(field(answer, 'content-length')).toBe('9')
    expect(answer.body.toString()).toBe('looked at')
  })

  test('waits for its client: what is pulled is bounded by the windows', async () => {
    const wire = await Wire.connect(server.port)
    const before = count('pulled')
    wire.socket.pause()
    await wire.send(get('/endless?piece=131072'))
    await line('pulled')
    const other = await Wire.connect(server.port)
    for (let i = 0; i < 30; i++) await barrier(other)
    other.reset()
    // The send window, what the acceptor keeps, and the kernel's buffers.
    expect((count('pulled') - before) * 131_072).toBeLessThan(24 * MIB)
    wire.reset()
    await line('aborted AbortError')
  })

  test('breaks off above limits.streamBytes', async () => {
    const wire = await Wire.connect(server.port)
    await wire.send(get('/over?count=5&piece=1048576'))
    await expect(wire.read()).rejects.toThrow(/inside a response/)
    expect(wire.receivedBytes).toBeGreaterThan(3 * MIB)
    expect(wire.receivedBytes).toBeLessThan(5 * MIB)
    await server.waitForLog(
      ({ error }) => (error as { name?: string } | undefined)?.name === 'response-too-large',
    )
  })

  test.each([
    ['between two pieces', false, /no piece in 400 ms/],
    ['altogether', true, /limit 1200 ms of a stream/],
  ])('breaks off when it takes too long %s', async (_title, isOpen, detail) => {
    const wire = await Wire.connect(server.port)
    using gate = await Gate.open()
    if (isOpen) gate.stayOpen()
    await wire.send(get(`/paced?gate=${gate.url}`))
    await expect(wire.read()).rejects.toThrow(/inside a response/)
    const limit = await server.waitForLog(({ error }) =>
      detail.test((error as { message?: string } | undefined)?.message ?? ''),
    )
    expect((limit['error'] as { name: string }).name).toBe('wall-limit')
    expect((await ask('/')).body.toString()).toBe('plain')
  })

  test.each(['text', 'number', 'words', 'error', 'throw', 'stuck', 'spin'])(
    'that fails (%s) ends without its last chunk, and costs nobody else anything',
    async (how) => {
      const wire = await Wire.connect(server.port)
      await wire.send(get(`/broken?how=${how}`))
      await expect(wire.read()).rejects.toThrow(/inside a response/)
      expect((await ask('/')).body.toString()).toBe('plain')
    },
  )

  test.each([
    ['prototypes', 'calm'],
    ['thenable', 'then'],
    ['reader', 'read'],
    ['again', 'once'],
  ])('of a handler that is hostile (%s) comes as it should, or its connection breaks', async (how, body) => {
    const wire = await Wire.connect(server.port)
    await wire.send(get(`/hostile?how=${how}`))
    const answer = await wire.read().catch(() => undefined)
    if (answer?.status === 200) expect(answer.body.toString()).toBe(body)
    else if (answer !== undefined) expect(answer.status).toBe(500)
    wire.reset()
    // Its realm is its own affair; another function's is not.
    expect((await ask('/global')).body.toString()).toBe('undefined')
  })

  test.each(['detached', 'proxied'])('of what cannot be sent (%s) is an answer or an end', async (how) => {
    const wire = await Wire.connect(server.port)
    await wire.send(get(`/hostile?how=${how}`))
    const answer = await wire.read().catch(() => undefined)
    if (answer?.status === 200) expect(answer.body.toString()).toMatch(/^(x|\0)*end$/)
    wire.reset()
    expect((await ask('/global')).body.toString()).toBe('undefined')
  })

  test('of a stream that is locked, or was sent before, is 500', async () => {
    expect((await ask('/locked')).status).toBe(500)
    const [first, second] = [await ask('/shared'), await ask('/shared')]
    expect([first.status, second.status].sort()).toEqual([200, 500])
  })

  test('keeps its runtime to its end, and waitUntil longer', async () => {
    using gate = await Gate.open()
    expect((await ask(`/background?gate=${gate.url}`)).body.toString()).toBe('front')
    await gate.waiting(1)
    expect(count('background done')).toBe(0)
    gate.release()
    await line('background done')
  })

  test('in isolation by request sees nothing of the one before', async () => {
    for (let i = 0; i < 3; i++) expect((await ask('/global')).body.toString()).toBe('undefined')
  })
})

describe('a client that leaves', () => {
  test('cancels the stream, aborts the signal, and the runtime serves on', async () => {
    const wire = await Wire.connect(server.port)
    using gate = await Gate.open()
    await wire.send(get(`/ticking?gate=${gate.url}`))
    await gate.waiting(1)
    gate.release()
    await gate.waiting(1)
    await wire.receive(65_536)
    wire.reset()
    await line('after the client')
    expect((await ask('/pieces?count=1&piece=3')).body.toString()).toBe('xxx')
  })

  test('while its handler runs: the step ends, and then the same', async () => {
    for (let clients = 1; clients <= 10; clients++) {
      const wire = await Wire.connect(server.port)
      await wire.send(get('/busy'))
      await wire.receive(300_000)
      wire.reset()
      let seen = 0
      await server.waitForLog(({ msg }) => msg === 'busy no more' && ++seen === clients)
    }
  })

  test('before there is an answer: the signal is aborted', async () => {
    const wire = await Wire.connect(server.port)
    await wire.send(get('/waiting'))
    await line('waits')
    wire.reset()
    await line('gone while waiting')
    expect((await ask('/')).body.toString()).toBe('plain')
  })
})

describe('a request’s body as a stream', () => {
  test('each piece goes through to the answer before the next is sent', async () => {
    for (const path of ['/echo', '/upper']) {
      const wire = await Wire.connect(server.port)
      await wire.send(post(path), chunk('first '.repeat(4000)))
      await wire.receive(24_000)
      await wire.send(chunk('second '.repeat(4000)))
      await wire.receive(52_000)
      await wire.send(chunk('end'), LAST)
      const { body } = await wire.read('POST')
      const sent = `${'first '.repeat(4000)}${'second '.repeat(4000)}end`
      expect(body.toString()).toBe(path === '/upper' ? sent.toUpperCase() : sent)
      await barrier(wire)
      wire.reset()
    }
  })

  test('of small pieces: each is answered before the next is sent', async () => {
    for (const path of ['/echo', '/upper']) {
      const wire = await Wire.connect(server.port)
      await wire.send(post(path))
      // The first go on at once, the others after a short time.
      for (let i = 0; i < SMALL_PIECES_MAX + 4; i++) {
        const before = wire.receivedBytes
        await wire.send(chunk('a'))
        await wire.receive(before + 1)
      }
      await wire.send(LAST)
      const { body } = await wire.read('POST')
      expect(body.toString()).toBe((path === '/upper' ? 'A' : 'a').repeat(SMALL_PIECES_MAX + 4))
      await barrier(wire)
      wire.reset()
    }
  })

  test('a conversation that the handler begins', async () => {
    const wire = await Wire.connect(server.port)
    const hear = async (text: string) => {
      while (!wire.unread.includes(text)) await wire.receive(wire.receivedBytes + 1)
    }
    await wire.send(post('/talk'))
    await hear('who is there?')
    await wire.send(chunk('ringlet'))
    await hear('hello ringlet')
    await wire.send(chunk('again'), LAST)
    expect((await wire.read('POST')).body.toString()).toBe('who is there?hello ringlethello again')
    await barrier(wire)
    wire.reset()
  })

  test('that is asked for after the answer has begun was dropped, and says so', async () => {
    using gate = await Gate.open()
    const wire = await Wire.connect(server.port)
    await wire.send(post(`/too-late?gate=${gate.url}`), chunk('body'))
    await gate.waiting(1)
    await wire.send(LAST)
    gate.release()
    expect((await wire.read('POST')).body.toString()).toMatch(/^TypeError: the body was dropped/)
    await barrier(wire)
    wire.reset()
  })

  test('byte by byte comes in as many pieces as its time allows', async () => {
    const wire = await Wire.connect(server.port)
    const sinceMs = performance.now()
    await wire.send(post('/count'))
    for (let i = 0; i < 2000; i++) await wire.send(chunk('x'))
    await wire.send(LAST)
    const { pieces } = JSON.parse((await wire.readFinal('POST')).body.toString())
    const spentMs = performance.now() - sinceMs
    expect(pieces).toBeGreaterThan(0)
    // Two more: what came with the head, and what was left at the end.
    expect(pieces).toBeLessThanOrEqual(SMALL_PIECES_MAX + spentMs / UNANSWERED_PIECE_MS + 2)
    wire.reset()
  })

  test('is read by a loop, and was used then', async () => {
    const wire = await Wire.connect(server.port)
    await wire.send(post('/sum'))
    for (let i = 0; i < 20; i++) await wire.send(chunk('x'.repeat(50_000)))
    await wire.send(LAST)
    expect(JSON.parse((await wire.readFinal('POST')).body.toString())).toEqual({
      bytes: 1_000_000,
      used: true,
    })
    wire.reset()
  })

  test('that is cancelled is dropped, and the connection goes on', async () => {
    const wire = await Wire.connect(server.port)
    const length = 3 * MIB
    await wire.send(
      `POST /first HTTP/1.1\r\nHost: ringlet.test\r\nContent-Length: ${length}\r\n\r\n`,
      Buffer.alloc(length),
    )
    const { status, body } = await wire.readFinal('POST')
    expect(status).toBe(200)
    expect(JSON.parse(body.toString()).first).toBeGreaterThan(0)
    await barrier(wire)
    wire.reset()
  })

  test('that nobody reads does not stop the answer', async () => {
    const wire = await Wire.connect(server.port)
    const length = 3 * MIB
    await wire.send(
      `POST /pieces?count=4 HTTP/1.1\r\nHost: ringlet.test\r\nContent-Length: ${length}\r\n\r\n`,
      Buffer.alloc(length),
    )
    expect((await wire.readFinal('POST')).body.length).toBe(4 * 65_536)
    await barrier(wire)
    wire.reset()
  })

  test('whose client waits for 100 (Continue) gets it before the head of the answer', async () => {
    const wire = await Wire.connect(server.port)
    await wire.send(
      'POST /echo HTTP/1.1\r\nHost: ringlet.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
    )
    expect((await wire.read('POST')).status).toBe(100)
    await wire.send('hello')
    expect((await wire.read('POST')).body.toString()).toBe('hello')
    wire.reset()
  })

  test('that ends in the middle ends the answer', async () => {
    const wire = await Wire.connect(server.port)
    await wire.send(post('/echo'), chunk('x'.repeat(20_000)))
    await wire.receive(20_000)
    await wire.send('not a chunk\r\n')
    await expect(wire.read('POST')).rejects.toThrow(/inside a response/)
  })
})
