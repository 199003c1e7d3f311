// Guests that are stopped from outside, by the shared word: past a deadline, for others that wait, because the server stops.

import { describe, expect, test } from 'vitest'
import { field } from '../support/answer-parser.ts'
import { barrier } from '../support/expectations.ts'
import { Gate } from '../support/gate.ts'
import { type LogLine, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ringlet.test\r\n\r\n`

const GOOD = { name: 'good', routes: ['/good', '/'], code: 'export default () => Response.text("good")' }
/** Waits as long as it is told, then never ends. */
const BURNS = {
  name: 'burns',
  routes: ['/burns'],
  code: `export default async (request) => {
    const ms = Number(new URL(request.url).searchParams.get('ms') ?? 0)
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
    for (;;) {}
  }`,
}
/** Answers, and burns on in waitUntil. */
const AFTER = {
  name: 'after',
  routes: ['/after'],
  code: `export default (request, env, ctx) => {
    ctx.waitUntil(new Promise((resolve) => setTimeout(() => { for (;;) {} }, 250)))
    return Response.text('after')
  }`,
}

async function answerOf(wire: Wire): Promise<[number, string]> {
  const { status, body } = await wire.read()
  return [status, status === 200 ? body.toString() : JSON.parse(body.toString()).error]
}

const endedAs = (name: string) => (line: LogLine) =>
  line['msg'] === 'request ended by its host' && (line['error'] as { name: string }).name === name

describe('a deadline', () => {
  const limits = { cpuMs: 30_000, wallMs: 30_000 }
  const ofItsOwn = { ...BURNS, limits: { cpuMs: 1000, wallMs: 1000 } }

  test('ends what runs when it comes, though there is processor time left', async () => {
    await using server = await startServer({ config: { functions: [GOOD, ofItsOwn], limits } })
    using wire = await Wire.connect(server.port)
    await wire.send(get('/burns?ms=300'))
    expect(await answerOf(wire)).toEqual([504, 'wall-limit'])
    const line = await server.waitForLog(endedAs('wall-limit'))
    expect(line).toMatchObject({ function: 'burns', error: { message: 'limit 1000 ms, and it was running' } })
    expect((line['error'] as { stack: string }).stack).toContain('inline')
    expect(line['cpuMs']).toBeLessThan(1000)
    await wire.send(get('/good'))
    expect(await answerOf(wire)).toEqual([200, 'good'])
  })

  test('ends what runs on after its answer', async () => {
    const after = { ...AFTER, limits: { cpuMs: 400, wallMs: 400 } }
    await using server = await startServer({ config: { functions: [GOOD, after], limits } })
    using wire = await Wire.connect(server.port)
    await wire.send(get('/after'))
    expect(await answerOf(wire)).toEqual([200, 'after'])
    await server.waitForLog(endedAs('wall-limit'))
    await wire.send(get('/good'))
    expect(await answerOf(wire)).toEqual([200, 'good'])
  })
})

describe('a function that holds its shard', () => {
  const limits = { cpuMs: 60_000, wallMs: 60_000 }

  test('while others wait is stopped, and they are answered', async () => {
    const watchdog = { holdMs: 200 }
    await using server = await startServer({ config: { functions: [GOOD, BURNS], limits, watchdog } })
    using burning = await Wire.connect(server.port)
    await burning.send(get('/burns'))
    // What comes before the watchdog's first look may be the run itself, so clients come one after the other.
    const waiting: Wire[] = []
    const comes = setInterval(async () => {
      const wire = await Wire.connect(server.port)
      waiting.push(wire)
      await wire.send(get('/good'))
    }, 50)
    const answer = await burning.read()
    clearInterval(comes)
    for (const wire of waiting) {
      expect(await answerOf(wire)).toEqual([200, 'good'])
      wire[Symbol.dispose]()
    }
    expect(answer.status).toBe(503)
    expect(JSON.parse(answer.body.toString()).error).toBe('overloaded')
    expect(field(answer, 'retry-after')).toBe('1')
    const line = await server.waitForLog(endedAs('overloaded'))
    const message = 'limit 200 ms of processor time while other requests waited'
    expect(line).toMatchObject({ function: 'burns', error: { message } })
  })
})

describe('a client that closes with a FIN while its guest runs or waits', () => {
  const slowUntil = (gate: Gate) => ({
    name: 'slow',
    routes: ['/slow'],
    env: { GATE: gate.url },
    fetch: { allow: [gate.origin] },
    code: `export default async (request, { GATE }) => {
      await fetch(GATE)
      const end = Date.now() + 20
      while (Date.now() < end) {}
      console.info('answers')
      return Response.text('x'.repeat(300_000))
    }`,
  })

  test('costs no more than its guest: the answer finds nobody, the connection is dropped', async () => {
    const limits = { cpuMs: 5000, wallMs: 60_000 }
    const pool = { queueMs: 30_000 }
    using gate = await Gate.open()
    await using server = await startServer({ config: { functions: [GOOD, slowUntil(gate)], limits, pool } })
    for (let i = 0; i < 10; i++) {
      const wire = await Wire.connect(server.port)
      await wire.send(get('/slow'))
      // Nothing has come that was not read, so this is a FIN: whether the client still reads cannot be seen.
      wire.socket.destroy()
    }
    await gate.waiting(1)
    gate.stayOpen()
    const answers = (line: LogLine) => line['msg'] === 'answers'
    let seen = 0
    await server.waitForLog((line) => answers(line) && ++seen === 10)
    using wire = await Wire.connect(server.port)
    await wire.send(get('/good'))
    expect(await answerOf(wire)).toEqual([200, 'good'])
    // With a connection left over this would take the ten seconds of `timeouts.shutdownMs`.
    const startedMs = performance.now()
    expect(await server.stop()).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(performance.now() - startedMs).toBeLessThan(8_000)
  })

  test('and one that only ended its side has its answer', async () => {
    using gate = await Gate.open()
    const functions = [GOOD, slowUntil(gate)]
    await using server = await startServer({ config: { functions, limits: { cpuMs: 5000 } } })
    using wire = await Wire.connect(server.port)
    await wire.send(get('/slow'))
    await gate.waiting(1)
    wire.halfClose()
    gate.release()
    const [answer, ...more] = await wire.readToEnd()
    expect([answer!.status, answer!.body.length, more.length]).toEqual([200, 300_000, 0])
  })
})

describe('the end of the server', () => {
  test('stops what runs and what waits, each is answered, and the exit is 0', async () => {
    const waits = {
      name: 'waits',
      routes: ['/waits'],
      code: 'export default () => new Promise((resolve) => setTimeout(resolve, 50_000))',
    }
    await using server = await startServer({
      config: {
        functions: [GOOD, BURNS, waits],
        limits: { cpuMs: 60_000, wallMs: 60_000 },
        timeouts: { shutdownMs: 300 },
        pool: { maxPerFunction: 1, queueMs: 60_000 },
        watchdog: { holdMs: 0 },
      },
    })
    const wires = await Promise.all(Array.from({ length: 5 }, () => Wire.connect(server.port)))
    const [running, behind, half, pending, waiting] = wires as [Wire, Wire, Wire, Wire, Wire]
    await pending.send(get('/waits'))
    await waiting.send(get('/waits'))
    await half.send('GET /good HTTP/1.1\r\nHost: ringlet')
    using probe = await Wire.connect(server.port)
    await barrier(probe)
    await running.send(get('/burns'))
    await behind.send(get('/burns') + get('/good'))
    const startedMs = performance.now()
    const exit = await server.stop()
    expect(exit).toMatchObject({ code: 0, signal: null })
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    for (const wire of [running, behind, pending, waiting]) {
      const [answer, ...more] = await wire.readToEnd()
      expect(answer!.status).toBe(503)
      expect(JSON.parse(answer!.body.toString()).error).toBe('shutting-down')
      expect(field(answer!, 'connection')).toBe('close')
      expect(more).toEqual([])
    }
    expect(await half.readToEnd()).toEqual([])
    const stopped = server.logs().find(({ msg }) => msg === 'stopped')
    expect(stopped).toMatchObject({ cancelled: 1 })
    for (const wire of wires) wire[Symbol.dispose]()
  })
})
