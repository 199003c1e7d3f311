import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { json } from '../support/answer-parser.ts'
import { LONG, SHORT, type ValidRequest } from '../support/corpus.ts'
import { ECHO_HANDLER, type Echo, startOracle } from '../support/echo.ts'
import { REFUSALS } from '../support/refusals.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

/**
 * Where node:http (Node 20) and this server part, and why that is meant: the oracle's status (0: closed unanswered), and
 * the reason. The key is the message's name in the tables. A later Node that has become as strict may agree.
 */
const DIFFERENCES: Readonly<Record<string, readonly [oracle: number, reason: string]>> = {
  'another coding under chunked': [200, 'node hands on a body that is still gzip-coded'],
  'Transfer-Encoding in HTTP/1.0': [200, 'RFC 9112 6.1: the framing must be taken for faulty'],
  'two Hosts that agree': [200, 'RFC 9112 3.2 asks for 400 for more than one Host line'],
  'two Hosts that differ': [200, 'RFC 9112 3.2 asks for 400 for more than one Host line'],
  'a space in Host': [200, 'RFC 9112 3.2 asks for 400 for an invalid Host; node leaves it to the handler'],
  'a path in Host': [200, 'as above'],
  'userinfo in Host': [200, 'as above'],
  'a list in Host': [200, 'as above'],
  'a port that is none': [200, 'as above'],
  'a port beyond 65535': [200, 'as above'],
  'an IPv6 address without its end': [200, 'as above'],
  'no version': [200, 'node serves HTTP/0.9; a line cut short must not pass for a request'],
  'version 2.0': [200, 'RFC 9110 15.6.6: another major version is 505'],
  'version 0.9': [200, 'RFC 9110 15.6.6: another major version is 505'],
  'the preface of HTTP/2': [400, 'node knows the preface and calls it a bad request'],
  'two spaces before the target': [
    200,
    'RFC 9112 3 has single spaces; tolerance is optional and has been abused',
  ],
  'two spaces after the target': [200, 'as above'],
  'a fragment in the target': [200, 'RFC 9112 3.2 has no fragment in a target'],
  'the asterisk with GET': [200, 'RFC 9112 3.2.4: only for OPTIONS'],
  'CONNECT to a path': [0, 'node closes on CONNECT when nobody listens for it'],
  'userinfo in absolute-form': [200, 'RFC 9110 4.2.4 advises to treat userinfo as an error'],
  'no host in absolute-form': [200, 'RFC 9110 4.2.1: an empty host must be rejected'],
  'a bare CR before the request': [200, 'RFC 9112 2.2: a bare CR is an error outside content'],
  'a bare LF before the request': [200, 'bare LF is refused everywhere, node accepts it here'],
  'only empty lines': [0, 'node skips any number of them'],
}

let server: RunningServer
let oracle: Awaited<ReturnType<typeof startOracle>>

beforeAll(async () => {
  oracle = await startOracle()
  server = await startServer({
    args: ['handler.ts'],
    handlerFiles: { 'handler.ts': ECHO_HANDLER },
    config: { limits: { cpuMs: 5_000, chunkOverheadBytes: 65_536 } },
  })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await oracle?.close()
})

/** The first answer to these bytes; 0 when the connection ends without any. The client's side ends after them. */
async function firstAnswer(
  port: number,
  bytes: Buffer,
  method = 'GET',
): Promise<{ status: number; echo?: Echo }> {
  using wire = await Wire.connect(port)
  wire.socket.end(bytes)
  const [answer] = await wire.readToEnd(method)
  if (!answer) return { status: 0 }
  const hasEcho = answer.status === 200 && method !== 'HEAD'
  return hasEcho ? { status: 200, echo: json<Echo>(answer) } : { status: answer.status }
}

/** The parts of an echo that the protocol fixes. What is combined or dropped on the way is each API's own choice. */
function fixedParts(request: ValidRequest, echo: Echo | undefined): Partial<Echo> | undefined {
  if (!echo) return undefined
  const headers = Object.fromEntries(
    Object.keys(request.headers).map((name) => [name, echo.headers[name] ?? '(none)']),
  )
  const parts = { method: echo.method, headers, ...(request.url && { url: echo.url }) }
  return request.body ? { ...parts, bodyBytes: echo.bodyBytes, digest: echo.digest } : parts
}

describe('against node:http', () => {
  test.each([...SHORT, ...LONG])('valid: $name', async (request) => {
    const ours = await firstAnswer(server.port, request.bytes, request.method)
    const theirs = await firstAnswer(oracle.port, request.bytes, request.method)
    expect(ours.status).toBe(200)
    expect(theirs.status, 'the oracle').toBe(200)
    expect(fixedParts(request, ours.echo)).toEqual(fixedParts(request, theirs.echo))
  })

  test.each(REFUSALS)('refused: $name', async (message) => {
    const ours = await firstAnswer(server.port, message.bytes)
    const theirs = await firstAnswer(oracle.port, message.bytes)
    const difference = DIFFERENCES[message.name]
    expect(ours.status).toBe(message.status)
    expect([message.status, difference?.[0]], 'the oracle').toContain(theirs.status)
  })

  test('every listed difference names a message of the tables', () => {
    const names = new Set(REFUSALS.map(({ name }) => name))
    expect(Object.keys(DIFFERENCES).filter((name) => !names.has(name))).toEqual([])
  })
})
