import { randomBytes } from 'node:crypto'
import * as zlib from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningServer, startServer } from '../support/server.ts'

const HANDLER = `
const name = (promise: Promise<unknown>) => promise.then(() => 'nothing', (error) => error?.name ?? error)
async function both(stream: any, chunks: unknown[]) {
  const writer = stream.writable.getWriter()
  const sent = (async () => { for (const chunk of chunks) await writer.write(chunk); await writer.close() })()
  const read = new Response(stream.readable).arrayBuffer()
  return [await name(sent), await name(read)]
}
export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname: path, searchParams } = new URL(request.url)
    const pathname = path.replace('/tight', '')
    const format = searchParams.get('format') as never
    if (pathname === '/compress') return new Response(request.body!.pipeThrough(new CompressionStream(format)))
    if (pathname === '/decompress') return new Response(request.body!.pipeThrough(new DecompressionStream(format)))
    if (pathname === '/broken') {
      const bytes = new Uint8Array(await request.arrayBuffer())
      const step = Number(searchParams.get('step'))
      const chunks = []
      for (let i = 0; i < bytes.length; i += step) chunks.push(bytes.subarray(i, i + step))
      return Response.json(await both(new DecompressionStream(format), chunks))
    }
    if (pathname === '/count') {
      let bytes = 0
      for await (const chunk of request.body!.pipeThrough(new DecompressionStream(format)) as any) bytes += chunk.length
      return Response.json(bytes)
    }
    if (pathname === '/chunks') {
      const out = []
      for (const chunk of [undefined, null, 1, 'text', {}, [1]]) out.push(await both(new CompressionStream('gzip'), [chunk]))
      return Response.json(out)
    }
    if (pathname === '/many') {
      const streams = Array.from({ length: 17 }, () => new CompressionStream('gzip'))
      return Response.json(await Promise.all(streams.map(async (stream) => {
        void name(stream.readable.getReader().read())
        return name(stream.writable.getWriter().write(new Uint8Array(1)))
      })))
    }
    if (pathname === '/ends') {
      const cancelled = new CompressionStream('gzip')
      const writer = cancelled.writable.getWriter()
      const pending = name(writer.write(new Uint8Array(9)))
      await cancelled.readable.cancel('enough')
      const aborted = new DecompressionStream('gzip')
      const reading = name(aborted.readable.getReader().read())
      await aborted.writable.abort('no more')
      return Response.json([await pending, await name(writer.closed), await reading])
    }
    const bad = (make: () => unknown) => { try { make(); return 'nothing' } catch (error: any) { return error.name } }
    const { prototype } = CompressionStream
    return Response.json([
      bad(() => new (CompressionStream as any)()), bad(() => new DecompressionStream('br' as never)),
      bad(() => (CompressionStream as any)('gzip')), bad(() => Reflect.get(prototype, 'readable', {})),
      String(new CompressionStream('gzip')), CompressionStream.length, DecompressionStream.name, Object.keys(prototype),
      Object.keys(globalThis).includes('CompressionStream'),
    ])
  },
}`
/** What decoding takes is charged to the function, on a busy machine several times over: only one has a limit that it meets. */
const CPU_MS = 10_000
const TIGHT_CPU_MS = 100

const FORMATS = [
  ['gzip', zlib.gzipSync, zlib.gunzipSync],
  ['deflate', zlib.deflateSync, zlib.inflateSync],
  ['deflate-raw', zlib.deflateRawSync, zlib.inflateRawSync],
] as const

let server: RunningServer

beforeAll(async () => {
  server = await startServer({
    handlerFiles: { 'handler.ts': HANDLER },
    config: {
      cores: 1,
      limits: { cpuMs: CPU_MS },
      functions: [
        { name: 'handler', file: 'handler.ts', routes: ['/*'] },
        { name: 'tight', file: 'handler.ts', routes: ['/tight/*'], limits: { cpuMs: TIGHT_CPU_MS } },
      ],
    },
  })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const ask = (path: string, body?: Uint8Array) =>
  fetch(`http://127.0.0.1:${server.port}${path}`, body === undefined ? {} : { method: 'POST', body })
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer())

describe.each(FORMATS)('%s', (format, pack, unpack) => {
  // Text, what cannot be compressed, nothing at all, and what is longer than a piece.
  const inputs = [Buffer.from('Ringlet '.repeat(1000)), randomBytes(200_000), Buffer.alloc(1)]

  test('goes both ways, as zlib has it', async () => {
    for (const input of inputs) {
      expect(unpack(await bytesOf(await ask(`/compress?format=${format}`, input))).equals(input)).toBe(true)
      expect((await bytesOf(await ask(`/decompress?format=${format}`, pack(input)))).equals(input)).toBe(true)
    }
  })

  test('of nothing is a valid end of itself, and nothing is no such end', async () => {
    expect((await bytesOf(await ask(`/decompress?format=${format}`, pack('')))).length).toBe(0)
    expect(await (await ask(`/broken?format=${format}&step=1`, new Uint8Array(0))).json()).toEqual([
      'TypeError',
      'TypeError',
    ])
  })

  test.each([1, 7, 65_536])(
    'fails by a TypeError on both sides: damaged, cut, with more behind; in steps of %i',
    async (step) => {
      const good = pack(Buffer.from('expected output'))
      const damaged = Buffer.from(good)
      damaged[0] = 0xff
      const wrong = [
        damaged,
        good.subarray(0, -1),
        ...[0, 1, 0x1f].map((byte) => Buffer.concat([good, Buffer.of(byte)])),
        Buffer.concat([good, good]),
        Buffer.concat([good, pack('')]),
      ]
      if (format !== 'deflate-raw') {
        const sum = Buffer.from(good)
        sum[good.length - (format === 'gzip' ? 5 : 1)]! ^= 1
        wrong.push(sum)
      }
      for (const body of wrong) {
        const result = await (await ask(`/broken?format=${format}&step=${step}`, body)).json()
        expect(result, body.toString('hex')).toEqual(['TypeError', 'TypeError'])
      }
      expect(await (await ask(`/broken?format=${format}&step=${step}`, good)).json()).toEqual([
        'nothing',
        'nothing',
      ])
    },
  )
})

/** A gzip file of `content` whose header has these flags and optional fields, and the checksum of it all where that is asked for. */
function gzipWith(flags: number, fields: string, headerCrc?: (crc: number) => number): Buffer {
  const plain = zlib.gzipSync('content')
  const head = Buffer.concat([
    Buffer.of(0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 255),
    Buffer.from(fields, 'latin1'),
  ])
  const sum = Buffer.alloc(headerCrc === undefined ? 0 : 2)
  if (headerCrc !== undefined) sum.writeUInt16LE(headerCrc(zlib.crc32(head) & 0xffff))
  return Buffer.concat([head, sum, plain.subarray(10)])
}

describe.each([1, 3, 65_536])('the header of a gzip file, in steps of %i', (step) => {
  test.each([
    ['no field', gzipWith(0, ''), 'nothing'],
    ['a name', gzipWith(8, 'file.txt\0'), 'nothing'],
    ['an empty extra field, an empty name, a comment', gzipWith(28, '\0\0\0a comment\0'), 'nothing'],
    ['all fields', gzipWith(31, '\x03\0abcfile\0comment\0', (crc) => crc), 'nothing'],
    ['a checksum that is right', gzipWith(2, '', (crc) => crc), 'nothing'],
    ['a checksum that is wrong', gzipWith(2, '', (crc) => crc ^ 1), 'TypeError'],
    ['a flag that has no meaning', gzipWith(32, ''), 'TypeError'],
    ['a name without end', gzipWith(8, 'x'.repeat(100)).subarray(0, 100), 'TypeError'],
    ['another method', Buffer.from(gzipWith(0, '')).fill(7, 2, 3), 'TypeError'],
  ])('with %s', async (_, file, outcome) => {
    const result = await (await ask(`/broken?format=gzip&step=${step}`, file)).json()
    expect(result).toEqual([outcome, outcome])
  })
})

test('what a few bytes bring comes piece by piece, and not into the memory of the function at once', async () => {
  const bytes = 24 * 1024 * 1024
  expect(await (await ask('/count?format=gzip', zlib.gzipSync(Buffer.alloc(bytes)))).json()).toBe(bytes)
})

test('what it costs is charged: a bomb is over the processor time of its request', async () => {
  const answer = await ask('/tight/count?format=gzip', zlib.gzipSync(Buffer.alloc(128 * 1024 * 1024)))
  expect(answer.status).toBe(503)
  expect(await answer.json()).toMatchObject({ error: 'cpu-limit' })
})

test('chunks that are no buffers are a TypeError', async () => {
  expect(await (await ask('/chunks')).json()).toEqual(Array(6).fill(['TypeError', 'TypeError']))
})

test('sixteen streams at once in a request, and as many in the next', async () => {
  for (let round = 0; round < 2; round++) {
    expect(await (await ask('/many')).json()).toEqual([...Array(16).fill('nothing'), 'RangeError'])
  }
})

test('cancelling and aborting end the other side', async () => {
  expect(await (await ask('/ends')).json()).toEqual(['enough', 'enough', 'no more'])
})

test('the interfaces are as WebIDL has them', async () => {
  expect(await (await ask('/')).json()).toEqual([
    ...Array(4).fill('TypeError'),
    '[object CompressionStream]',
    1,
    'DecompressionStream',
    ['readable', 'writable'],
    false,
  ])
})
