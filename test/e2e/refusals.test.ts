import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { field, json } from '../support/answer-parser.ts'
import { SHORT } from '../support/corpus.ts'
import { ECHO_HANDLER } from '../support/echo.ts'
import { barrier, expectEcho, expectRefusal } from '../support/expectations.ts'
import { type BadMessage, REFUSALS } from '../support/refusals.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const FOLLOWING = Buffer.from('GET /smuggled HTTP/1.1\r\nHost: ringlet.test\r\n\r\n')
const GOOD = SHORT[0]!

let server: RunningServer
let barrierWire: Wire

beforeAll(async () => {
  server = await startServer({ args: ['handler.ts'], handlerFiles: { 'handler.ts': ECHO_HANDLER } })
  barrierWire = await Wire.connect(server.port)
})

afterAll(async () => {
  barrierWire?.[Symbol.dispose]()
  await server?.[Symbol.asyncDispose]()
})

/** Reads to the end of the connection: exactly one answer may be there, and it must be this refusal. */
async function expectOneRefusal(wire: Wire, message: BadMessage): Promise<void> {
  const answers = await wire.readToEnd()
  expect(answers, `${message.name}: one message, one answer`).toHaveLength(1)
  expectRefusal(answers[0]!, [message.status], message.name)
  expect(json<{ error: string }>(answers[0]!).error, message.name).toBe(message.error)
}

describe('refusals', () => {
  test.each(REFUSALS)('$status $error ($rfc): $name, then a valid request', async (message) => {
    using wire = await Wire.connect(server.port)
    await wire.sendMaybe(Buffer.concat([message.bytes, FOLLOWING]))
    await expectOneRefusal(wire, message)
  })

  test.each(REFUSALS)('$status $error ($rfc), byte by byte: $name', async (message) => {
    using wire = await Wire.connect(server.port)
    const bytes = Buffer.concat([message.bytes, FOLLOWING])
    for (let at = 0; at < bytes.length && wire.receivedBytes === 0; at++) {
      await wire.sendMaybe(bytes.subarray(at, at + 1))
      await barrier(barrierWire)
    }
    await expectOneRefusal(wire, message)
  })

  test.each(REFUSALS)('$status $error ($rfc), after a valid request: $name', async (message) => {
    using wire = await Wire.connect(server.port)
    await wire.sendMaybe(Buffer.concat([GOOD.bytes, message.bytes, FOLLOWING]))
    expectEcho(GOOD, await wire.read())
    await expectOneRefusal(wire, message)
  })

  test('a client that goes on sending still reads its refusal', async () => {
    using wire = await Wire.connect(server.port)
    const answers = wire.readToEnd()
    await wire.sendMaybe('GET / HTTP/1.1\r\nBad Name: 1\r\n')
    const junk = Buffer.alloc(16 * 1024, 'a')
    for (let count = 0; count < 64 && wire.receivedBytes === 0; count++) await wire.sendMaybe(junk)
    expect((await answers).map(({ status }) => status)).toEqual([400])
  })

  test.each([
    ['bad-host', 'Host: a b'],
    ['unknown-expectation', 'Host: a\r\nExpect: x'],
    ['body-too-large', 'Host: a\r\nContent-Length: 1000000000'],
    ['bad-chunk-size', 'Host: a\r\nTransfer-Encoding: chunked'],
  ])('a refusal of HEAD (%s) has no content, RFC 9110 9.3.2', async (_, fields) => {
    using wire = await Wire.connect(server.port)
    await wire.sendMaybe(`HEAD / HTTP/1.1\r\n${fields}\r\n\r\nx${FOLLOWING.toString()}`)
    const answer = await wire.read('HEAD')
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(field(answer, 'connection')).toBe('close')
    expect(Number(field(answer, 'content-length'))).toBeGreaterThan(0)
    await wire.waitForEnd()
    expect(wire.unread.toString()).toBe('')
  })

  test('a client that only ends its side is not answered', async () => {
    using wire = await Wire.connect(server.port)
    wire.halfClose()
    expect(await wire.readToEnd()).toEqual([])
  })

  test('a client that ends its side inside a head or a body is not left open', async () => {
    const parts = [
      'GET / HTTP/1.1\r\nHo',
      'POST / HTTP/1.1\r\nHost: ringlet.test\r\nContent-Length: 9\r\n\r\nabc',
    ]
    for (const part of parts) {
      using wire = await Wire.connect(server.port)
      wire.socket.end(part)
      const answers = await wire.readToEnd()
      expect(answers.filter(({ status }) => status < 400)).toEqual([])
    }
  })
})
