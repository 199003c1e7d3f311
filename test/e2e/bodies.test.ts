import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { field } from '../support/answer-parser.ts'
import { barrier } from '../support/expectations.ts'
import { Gate } from '../support/gate.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const KIB = 1024
const INLINE_BYTES = 64 * KIB
const BODY_MS = 2500

/** `/read` answers length and sum of the body, `/later` when the gate lets it; `/early` answers without reading it; the others misbehave. */
const HANDLER = `const sum = (bytes: Uint8Array) => { let a = 1, b = 0; for (const x of bytes) { a = (a + x) % 65521; b = (b + a) % 65521 } return b * 65536 + a }
export default async (request: Request, env: { GATE: string }, ctx: { waitUntil(p: Promise<unknown>): void }) => {
  const { pathname } = new URL(request.url)
  if (pathname === '/early') return Response.text('early', { status: 401 })
  if (pathname === '/large') return Response.text('x'.repeat(3_000_000))
  if (pathname === '/spin') for (;;) {}
  if (pathname === '/throw') throw new Error('before the body')
  if (pathname === '/never') return new Promise(() => {})
  if (pathname === '/later') await fetch(env.GATE)
  if (pathname === '/text') return Response.text(String((await request.text()).length))
  const bytes = await request.bytes()
  return Response.json({ length: bytes.length, sum: sum(bytes) })
}
`

const pattern = (length: number) => {
  const bytes = Buffer.alloc(length)
  let seed = length + 1
  for (let i = 0; i < length; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    bytes[i] = seed >>> 16
  }
  return bytes
}

function adler(bytes: Uint8Array): number {
  let a = 1
  let b = 0
  for (const x of bytes) {
    a = (a + x) % 65521
    b = (b + a) % 65521
  }
  return b * 65536 + a
}

const lengthHead = (path: string, length: number, extra = '') =>
  `POST ${path} HTTP/1.1\r\nHost: ringlet.test\r\n${extra}Content-Length: ${length}\r\n\r\n`
const chunkHead = (path: string) =>
  `POST ${path} HTTP/1.1\r\nHost: ringlet.test\r\nTransfer-Encoding: chunked\r\n\r\n`

function inChunks(bytes: Buffer, size: number): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size)
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

let server: RunningServer
let gate: Gate

beforeAll(async () => {
  gate = await Gate.open()
  server = await startServer({
    handlerFiles: { 'handler.ts': HANDLER },
    config: {
      functions: [
        {
          name: 'handler',
          file: 'handler.ts',
          routes: ['/*'],
          env: { GATE: gate.url },
          fetch: { allow: [gate.origin] },
        },
      ],
      limits: { cpuMs: 300, wallMs: 3000, bodyBytes: 1024 * KIB, inlineBodyBytes: INLINE_BYTES },
      timeouts: { bodyMs: BODY_MS },
      pool: { maxPerFunction: 4 },
    },
  })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  gate?.[Symbol.dispose]()
})

describe('a body of any size arrives as it was sent', () => {
  const sizes = [0, 1, INLINE_BYTES - 1, INLINE_BYTES, INLINE_BYTES + 1, 200 * KIB, 1024 * KIB]
  test.each(sizes)('%i bytes', async (size) => {
    using wire = await Wire.connect(server.port)
    const body = pattern(size)
    const expected = { length: size, sum: adler(body) }
    for (const path of ['/read', '/later']) {
      for (const step of [16 * KIB, 1024 * KIB]) {
        for (const parts of [
          [lengthHead(path, size), ...pieces(body, step)],
          [chunkHead(path), ...pieces(inChunks(body, 5000), step)],
        ]) {
          const sent = wire.send(...parts)
          if (path === '/later') {
            await gate.waiting(1)
            gate.release()
          }
          await sent
          expect(JSON.parse((await wire.read()).body.toString())).toEqual(expected)
        }
      }
    }
    await barrier(wire)
  })

  test('several at a time, each with its own', async () => {
    const wires = await Promise.all(Array.from({ length: 4 }, () => Wire.connect(server.port)))
    const bodies = wires.map((_, i) => pattern(150 * KIB + i))
    for (let at = 0; at < 160; at += 16) {
      for (const [i, wire] of wires.entries()) {
        if (at === 0) await wire.send(lengthHead('/read', bodies[i]!.length))
        await wire.send(bodies[i]!.subarray(at * KIB, (at + 16) * KIB))
      }
    }
    for (const [i, wire] of wires.entries()) {
      const answer = JSON.parse((await wire.read()).body.toString())
      expect(answer).toEqual({ length: bodies[i]!.length, sum: adler(bodies[i]!) })
      wire[Symbol.dispose]()
    }
  })

  test('more at a time than there are runtimes: who waits for one is held, not lost', async () => {
    const wires = await Promise.all(Array.from({ length: 9 }, () => Wire.connect(server.port)))
    const body = pattern(100 * KIB)
    for (const wire of wires) await wire.send(lengthHead('/read', body.length), body.subarray(0, 70 * KIB))
    for (const wire of wires) await wire.send(body.subarray(70 * KIB))
    for (const wire of wires) {
      expect(JSON.parse((await wire.read()).body.toString())).toEqual({
        length: body.length,
        sum: adler(body),
      })
      wire[Symbol.dispose]()
    }
  })
})

describe('an answer before the body', () => {
  test.each(['/early', '/throw'])(
    '%s: the rest is read and dropped, and the connection goes on',
    async (path) => {
      for (const framing of ['length', 'chunks']) {
        using wire = await Wire.connect(server.port)
        const body = pattern(500 * KIB)
        await wire.send(framing === 'length' ? lengthHead(path, body.length) : chunkHead(path))
        const raw = framing === 'length' ? body : inChunks(body, 9000)
        await wire.send(raw.subarray(0, 100 * KIB))
        const answer = await wire.read()
        expect(answer.status).toBe(path === '/early' ? 401 : 500)
        await wire.send(raw.subarray(100 * KIB))
        await barrier(wire)
      }
    },
  )

  test('a large one, to a client that sends before it reads', async () => {
    using wire = await Wire.connect(server.port)
    const body = pattern(1024 * KIB)
    wire.socket.pause()
    await wire.send(lengthHead('/large', body.length), body)
    wire.socket.resume()
    expect((await wire.read()).body.length).toBe(3_000_000)
    await barrier(wire)
  })

  test.each([
    ['an error in what is dropped', 'zz\r\n'],
    ['more than the limit', inChunks(pattern(1100 * KIB), 9000).toString('latin1')],
  ])('%s: no second answer, the connection closes', async (_, rest) => {
    using wire = await Wire.connect(server.port)
    await wire.send(chunkHead('/early'), inChunks(pattern(100 * KIB), 9000).subarray(0, -5))
    expect((await wire.read()).status).toBe(401)
    await wire.sendMaybe(rest)
    await wire.waitForEnd()
    expect(wire.unread.length).toBe(0)
  })
})

describe('Expect: 100-continue', () => {
  const expects = 'Expect: 100-continue\r\n'
  test('is answered when the handler reads, and the body follows', async () => {
    using wire = await Wire.connect(server.port)
    const body = pattern(300 * KIB)
    await wire.send(lengthHead('/later', body.length, expects))
    await gate.waiting(1)
    expect(wire.unread.length).toBe(0)
    gate.release()
    expect((await wire.read()).status).toBe(100)
    await wire.send(body)
    expect(JSON.parse((await wire.read()).body.toString())).toMatchObject({ sum: adler(body) })
    await barrier(wire)
  })

  test('is never answered when the handler does not read: the final answer, and the end', async () => {
    using wire = await Wire.connect(server.port)
    await wire.send(lengthHead('/early', 300 * KIB, expects))
    const answer = await wire.read()
    expect(answer.status).toBe(401)
    expect(field(answer, 'connection')).toBe('close')
    await wire.waitForEnd()
  })
})

describe('what goes wrong while a body arrives', () => {
  test('a client that leaves frees its runtime', async () => {
    for (let i = 0; i < 8; i++) {
      const wire = await Wire.connect(server.port)
      await wire.send(lengthHead('/read', 300 * KIB), pattern(100 * KIB))
      if (i % 2 === 0) wire.reset()
      else {
        wire.halfClose()
        await wire.waitForEnd()
        expect(wire.receivedBytes).toBe(0)
      }
      wire[Symbol.dispose]()
    }
    using wire = await Wire.connect(server.port)
    await barrier(wire)
  })

  test('a client that stalls is answered 408, and its runtime serves others', async () => {
    const wires = await Promise.all(Array.from({ length: 4 }, () => Wire.connect(server.port)))
    for (const wire of wires) await wire.send(lengthHead('/read', 300 * KIB), pattern(100 * KIB))
    for (const wire of wires) {
      const answer = await wire.read()
      expect(answer.status).toBe(408)
      expect(JSON.parse(answer.body.toString()).error).toBe('body-timeout')
      await wire.waitForEnd()
      wire[Symbol.dispose]()
    }
    using other = await Wire.connect(server.port)
    await barrier(other)
  })

  test.each([
    ['too much of it', inChunks(pattern(1100 * KIB), 9000), 413, 'body-too-large'],
    [
      'a bad chunk',
      Buffer.concat([inChunks(pattern(100 * KIB), 9000).subarray(0, -5), Buffer.from('xyz\r\n')]),
      400,
      'bad-chunk-size',
    ],
  ])('%s: one answer, then the end', async (_, raw, status, error) => {
    using wire = await Wire.connect(server.port)
    await wire.sendMaybe(chunkHead('/read'), ...pieces(raw, 20_000))
    const answers = await wire.readToEnd()
    expect(answers.map((each) => each.status)).toEqual([status])
    expect(JSON.parse(answers[0]!.body.toString()).error).toBe(error)
  })

  test('a handler that burns its time, or never answers, gets its limit, and the connection goes on', async () => {
    using wire = await Wire.connect(server.port)
    const body = pattern(200 * KIB)
    await wire.send(lengthHead('/spin', body.length), body)
    expect((await wire.read()).status).toBe(503)
    await wire.send(lengthHead('/never', body.length), body)
    expect((await wire.read()).status).toBe(500)
    await barrier(wire)
  })

  test('nothing of all that has ended an actor', () => {
    expect(server.logs().filter(({ msg }) => msg === 'actor restarted')).toEqual([])
  })
})

test('a permission to send goes to the client that asked for it, also when its handler reads later', async () => {
  using gate = await Gate.open()
  await using small = await startServer({
    config: {
      limits: { inlineBodyBytes: 1024 },
      functions: [
        {
          name: 'up',
          routes: ['/up'],
          code: 'export default async (r, { GATE }) => { await fetch(GATE); return Response.text(String((await r.text()).length)) }',
          env: { GATE: gate.url },
          fetch: { allow: [gate.origin] },
        },
        { name: 'hi', routes: ['/hi'], code: 'export default () => Response.text("hi")' },
      ],
    },
  })
  using up = await Wire.connect(small.port)
  using hi = await Wire.connect(small.port)
  await up.send('POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n')
  await hi.send('GET /hi HTTP/1.1\r\nHost: a\r\n\r\n')
  expect((await hi.read()).body.toString()).toBe('hi')
  await gate.waiting(1)
  gate.release()
  expect((await up.read()).status).toBe(100)
  expect(hi.unread.length).toBe(0)
  await up.send('x'.repeat(5000))
  expect((await up.read()).body.toString()).toBe('5000')
})

test('a body that comes byte by byte costs its function no more than one that comes at once', async () => {
  await using small = await startServer({
    args: ['-e', 'export default async (r) => Response.text(String((await r.text()).length))'],
    config: { limits: { inlineBodyBytes: 0, cpuMs: 20, hostCalls: 10 } },
  })
  using wire = await Wire.connect(small.port)
  await wire.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n')
  for (let i = 0; i < 4000; i++) await wire.send('x')
  expect((await wire.read()).body.toString()).toBe('4000')
  await wire.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (let i = 0; i < 1000; i++) await wire.send('1\r\nx\r\n')
  await wire.send('0\r\n\r\n')
  expect((await wire.read()).body.toString()).toBe('1000')
})

test('a body that streams may be larger than the memory of its runtime; whoever wants it whole exceeds that', async () => {
  const bodyBytes = 40 * 1024 * KIB
  await using small = await startServer({
    args: ['handler.ts'],
    handlerFiles: {
      'handler.ts': `export default async (request: Request) => {
        if (request.url.endsWith('whole')) return Response.text(String((await request.bytes()).length))
        let length = 0
        for await (const piece of request.body as never as AsyncIterable<Uint8Array>) length += piece.length
        return Response.text(String(length))
      }`,
    },
    config: {
      limits: { memoryBytes: 32 * 1024 * KIB, inlineBodyBytes: INLINE_BYTES, bodyBytes, cpuMs: 5_000 },
    },
  })
  const send = (path: string) =>
    fetch(small.url + path, { method: 'POST', body: Buffer.alloc(bodyBytes, 'x') })
  expect(await (await send('/pieces')).text()).toBe(String(bodyBytes))
  using wire = await Wire.connect(small.port)
  await wire.send(`POST /whole HTTP/1.1\r\nHost: a\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
  await wire.send(Buffer.alloc(bodyBytes, 'x'))
  const { status, body } = await wire.read()
  expect([status, JSON.parse(body.toString()).error]).toEqual([503, 'memory-limit'])
  expect(await (await send('/pieces')).text()).toBe(String(bodyBytes))
})
