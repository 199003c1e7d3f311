import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Answer } from '../support/answer-parser.ts'
import { LONG, SHORT, type ValidRequest } from '../support/corpus.ts'
import { ECHO_HANDLER } from '../support/echo.ts'
import { barrier, expectEcho } from '../support/expectations.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

/** Requests that leave the connection open, one after the other: what a pipelining client sends. */
const PIPELINE = SHORT.filter((request) => !request.closes)
/** Every byte of a request up to this length is a place to split it; of longer ones, the ends and a sample between. */
const SPLIT_EVERYWHERE_BYTES = 320

let server: RunningServer
let barrierWire: Wire

beforeAll(async () => {
  server = await startServer({
    args: ['handler.ts'],
    handlerFiles: { 'handler.ts': ECHO_HANDLER },
    config: {
      limits: { bodyBytes: 2 * 1024 * 1024, chunkOverheadBytes: 65_536, cpuMs: 5_000, wallMs: 10_000 },
    },
  })
  barrierWire = await Wire.connect(server.port)
})

afterAll(async () => {
  barrierWire?.[Symbol.dispose]()
  await server?.[Symbol.asyncDispose]()
})

/** Sends each list of pieces as one request with a barrier between pieces; one connection for as long as it lives. */
async function exchange(request: ValidRequest, ways: Iterable<readonly Uint8Array[]>): Promise<number> {
  let wire = await Wire.connect(server.port)
  let count = 0
  try {
    for (const pieces of ways) {
      for (const [at, piece] of pieces.entries()) {
        if (at > 0) await barrier(barrierWire)
        await wire.send(piece)
      }
      expectEcho(request, await wire.readFinal(request.method))
      count++
      if (!request.closes) continue
      expect(await wire.waitForEnd(), request.name).toBe('end')
      expect(wire.unread.length, request.name).toBe(0)
      wire[Symbol.dispose]()
      wire = await Wire.connect(server.port)
    }
    expect(wire.unread.length, `${request.name}: bytes after the last answer`).toBe(0)
  } finally {
    wire[Symbol.dispose]()
  }
  return count
}

function* splitPoints(length: number): Generator<number> {
  for (let at = 1; at < length; at++) {
    const inside = length > SPLIT_EVERYWHERE_BYTES && at > 64 && at < length - 64
    if (!inside || at % 257 === 0) yield at
  }
}

function* splits(bytes: Buffer): Generator<Uint8Array[]> {
  for (const at of splitPoints(bytes.length)) yield [bytes.subarray(0, at), bytes.subarray(at)]
}

function cut(bytes: Buffer, points: readonly number[]): Buffer[] {
  const edges = [0, ...new Set(points.filter((at) => at > 0 && at < bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  )
  return edges.slice(1).map((end, at) => bytes.subarray(edges[at], end))
}

/** Sends requests as these pieces on one connection, and checks every answer in order. */
async function pipeline(requests: readonly ValidRequest[], pieces: readonly Uint8Array[]): Promise<void> {
  using wire = await Wire.connect(server.port)
  const sent = (async () => {
    for (const [at, piece] of pieces.entries()) {
      if (at > 0) await barrier(barrierWire)
      await wire.send(piece)
    }
  })()
  const answers: Answer[] = []
  for (const request of requests) answers.push(await wire.readFinal(request.method))
  await sent
  for (const [at, request] of requests.entries()) expectEcho(request, answers[at]!)
  expect(wire.unread.length).toBe(0)
}

describe('valid requests', () => {
  test.each(SHORT)('whole: $name', async (request) => {
    expect(await exchange(request, [[request.bytes], [request.bytes]])).toBe(2)
  })

  test.each(SHORT)('split at every byte: $name', async (request) => {
    expect(await exchange(request, splits(request.bytes))).toBeGreaterThan(15)
  })

  test.each(SHORT.filter(({ bytes }) => bytes.length <= SPLIT_EVERYWHERE_BYTES))(
    'byte by byte: $name',
    async (request) => {
      const single = cut(request.bytes, [...request.bytes.keys()])
      expect(single).toHaveLength(request.bytes.length)
      expect(await exchange(request, [single])).toBe(1)
    },
  )

  test.each(LONG)('whole and in pieces: $name', async (request) => {
    const bytes = request.bytes
    const points = [
      1,
      20,
      60,
      90,
      91,
      1000,
      16_383,
      16_384,
      65_535,
      65_536,
      bytes.length - 3,
      bytes.length - 1,
    ]
    const ways = [[bytes], cut(bytes, points), ...points.slice(3, 6).map((at) => cut(bytes, [at]))]
    expect(await exchange(request, ways)).toBe(ways.length)
  })
})

describe('pipelining', () => {
  test('the whole corpus in one write is answered in order', async () => {
    await pipeline(PIPELINE, [Buffer.concat(PIPELINE.map(({ bytes }) => bytes))])
  })

  test('the corpus backwards, long bodies between', async () => {
    const requests = [...PIPELINE]
      .reverse()
      .flatMap((request, at) => (at % 20 === 0 ? [request, LONG[1]!] : [request]))
    await pipeline(requests, [Buffer.concat(requests.map(({ bytes }) => bytes))])
  })

  test('a request and the start of the next in one write, at every byte of the next', async () => {
    const [first, second] = [PIPELINE.find(({ body }) => body?.length === 5)!, PIPELINE[1]!]
    const both = Buffer.concat([first.bytes, second.bytes])
    for (let at = first.bytes.length; at < both.length; at++) await pipeline([first, second], cut(both, [at]))
  })

  test('any requests of the corpus, cut at any places', async () => {
    const requests = fc.array(fc.constantFrom(...PIPELINE), { minLength: 1, maxLength: 12 })
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(requests, places, async (chosen, fractions) => {
        const bytes = Buffer.concat(chosen.map((request) => request.bytes))
        await pipeline(
          chosen,
          cut(
            bytes,
            fractions.map((fraction) => Math.floor(fraction * bytes.length)),
          ),
        )
      }),
      { numRuns: 150 },
    )
  })

  test('what follows a request that closes is not answered', async () => {
    using wire = await Wire.connect(server.port)
    await wire.send(
      Buffer.concat([PIPELINE[0]!.bytes, SHORT.find(({ closes }) => closes)!.bytes, PIPELINE[1]!.bytes]),
    )
    const answers = await wire.readToEnd()
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
  })

  test('a client that ends its side after its requests gets every answer, then the end', async () => {
    using wire = await Wire.connect(server.port)
    const requests = PIPELINE.filter(({ method }) => method !== 'HEAD').slice(0, 10)
    wire.socket.end(Buffer.concat(requests.map(({ bytes }) => bytes)))
    const answers = await wire.readToEnd()
    expect(answers).toHaveLength(10)
    for (const [at, request] of requests.entries()) expectEcho(request, answers[at]!)
  })
})
