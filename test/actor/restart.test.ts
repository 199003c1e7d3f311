// Actors that end: real sockets, acceptor, rings and supervisor, over an actor that ends when it is asked to.

import { Counters, createSharedMemory } from '@shared/ringbuffer'
import { afterEach, expect, test, vi } from 'vitest'
import { ACCEPTOR_MEMORY_BYTES, Acceptor } from '../../src/acceptor/acceptor.ts'
import { ShardLink } from '../../src/acceptor/link.ts'
import type { ActorPlan } from '../../src/actor/plan.ts'
import type { RingletError } from '../../src/errors.ts'
import { ACTOR_COUNTERS, linkCounter } from '../../src/metrics.ts'
import { IDLE_COUNTS, REQUEST, RESPONSE } from '../../src/protocol.ts'
import { createShard, requestRing, responseRing, type ShardHandle } from '../../src/shard.ts'
import { Supervisor } from '../../src/supervisor.ts'
import { Wire } from '../support/wire.ts'

const ENTRY = new URL('./mortal-actor.mjs', import.meta.url).href
const SIZES = {
  requestBytes: 65536,
  responseBytes: 65536,
  scratchBytes: 0,
  highWatermark: 0.75,
  lowWatermark: 0.5,
}
const END_MS = 5000

/** The plan of `mortal-actor.mjs`. */
function planOf(handle: ShardHandle, failsAtStart: boolean) {
  const { memory, layout, index, acceptorBell } = handle
  const at = (offset: number) => ({ buffer: memory.buffer, offset })
  const plan = {
    shard: index,
    failsAtStart,
    places: {
      request: requestRing(handle),
      response: responseRing(handle),
      bell: at(layout.doorbell),
      acceptorBell: { buffer: acceptorBell.buffer, offset: 0 },
      counters: at(layout.actorCounters),
    },
    counters: ACTOR_COUNTERS.length,
    request: REQUEST,
    response: RESPONSE,
    idleBits: 31 - Math.log2(IDLE_COUNTS),
  }
  return plan as unknown as ActorPlan
}

class World {
  readonly restarts: { shard: number; reason: string }[] = []
  readonly gaveUp: RingletError[] = []
  readonly links: ShardLink[]
  readonly supervisor: Supervisor
  readonly acceptor: Acceptor
  readonly #wires: Wire[] = []
  #port = 0

  constructor(cores: number, maxRestarts: number) {
    const bell = createSharedMemory(ACCEPTOR_MEMORY_BYTES)
    const limits = { receiveWindowBytes: 65536, sendWindowBytes: 65536, batchRecords: 64 }
    this.links = Array.from({ length: cores }, (_, i) => new ShardLink(createShard(i, SIZES, bell), limits))
    this.supervisor = new Supervisor(
      ENTRY,
      cores,
      0,
      { max: maxRestarts, windowMs: 600_000 },
      {
        restarted: (shard, reason) => this.restarts.push({ shard, reason }),
        gaveUp: (error) => this.gaveUp.push(error),
      },
    )
    const acceptor = {
      host: '127.0.0.1',
      port: 0,
      backlog: 64,
      reusePort: 'off' as const,
      maxConnections: 64,
      readBufferBytes: 16384,
      writeTimeoutMs: 10_000,
      heldBytes: 1 << 20,
      balance: { lookMs: 0, busyShare: 1, calmShare: 0, stayMs: 0, connections: 1 },
      spinMicros: 0,
    }
    this.acceptor = new Acceptor(acceptor, this.links)
  }

  async start(failsAtStart = false): Promise<void> {
    await this.supervisor.start(this.links, ({ handle }) => planOf(handle, failsAtStart))
    this.#port = await this.acceptor.listen()
  }

  /** A connection that an actor has answered once: on the shard with the fewest, the first of them. */
  async connect(): Promise<Wire> {
    const wire = await Wire.connect(this.#port)
    this.#wires.push(wire)
    await ask(wire)
    return wire
  }

  /** One connection for each shard, in their order, when all have equally many. */
  async connectEach(): Promise<Wire[]> {
    const wires: Wire[] = []
    for (const link of this.links) {
      const wire = await this.connect()
      expect((await ask(wire)).shard).toBe(link.handle.index)
      wires.push(wire)
    }
    return wires
  }

  /** Data records that a shard's actors have dealt with. */
  dealtWith(shard: number): number {
    const { memory, layout } = this.links[shard]!.handle
    return new Counters({ buffer: memory.buffer, offset: layout.actorCounters }, ACTOR_COUNTERS.length).get(0)
  }

  /** Sends a request and waits until the actor has it. */
  async leave(wire: Wire, path: string, shard = 0): Promise<void> {
    const before = this.dealtWith(shard)
    await wire.send(requestFor(path))
    await vi.waitFor(() => expect(this.dealtWith(shard)).toBe(before + 1), { interval: 5 })
  }

  async end(): Promise<void> {
    for (const wire of this.#wires) wire[Symbol.dispose]()
    this.supervisor.expectEnd()
    for (const link of this.links) link.tell(REQUEST.STOP)
    await this.supervisor.stop(END_MS)
    this.acceptor.stop()
  }
}

const requestFor = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`

/** Who answers: a shard, and one of its actor's lives. */
async function ask(wire: Wire, path = '/'): Promise<{ shard: number; life: string }> {
  await wire.send(requestFor(path))
  const { status, body } = await wire.read()
  expect(status).toBe(200)
  return JSON.parse(body.toString())
}

let worlds: World[] = []
async function world(cores: number, { maxRestarts = 10 } = {}): Promise<World> {
  const made = new World(cores, maxRestarts)
  worlds.push(made)
  await made.start()
  return made
}
afterEach(async () => {
  for (const each of worlds) await each.end()
  worlds = []
})

test.each(['/throw', '/exit', '/mid-write'])(
  '%s: requests in flight get 502, idle connections and other shards go on',
  async (death) => {
    const w = await world(2)
    const [idle, other] = await w.connectEach()
    const [held, otherHeld] = await w.connectEach()
    const [half] = await w.connectEach()
    const [killer] = await w.connectEach()
    const before = await ask(idle!)
    const otherBefore = await ask(other!)
    await w.leave(held!, '/hold')
    await w.leave(otherHeld!, '/hold', 1)
    await w.leave(half!, '/half')
    await half!.receive(1)
    await killer!.send(requestFor(death))

    for (const wire of [held!, killer!]) {
      const answer = await wire.read()
      expect(answer.status).toBe(502)
      expect(JSON.parse(answer.body.toString())).toMatchObject({ error: 'shard-restarted', status: 502 })
      wire.halfClose()
      await wire.waitForEnd()
    }
    await half!.waitForEnd()
    expect(half!.unread.toString('latin1')).toMatch(/half$/)

    // The same connection, a next life.
    const after = await ask(idle!)
    expect(after.shard).toBe(0)
    expect(after.life).not.toBe(before.life)
    expect(await ask(idle!)).toEqual(after)
    // The other shard: the same life, its request still in flight.
    expect(await ask(other!)).toEqual(otherBefore)
    expect(otherHeld!.unread.length).toBe(0)
    expect(w.restarts.map(({ shard }) => shard)).toEqual([0])
    expect(w.gaveUp).toEqual([])
    expect(w.links.map(({ counters }) => counters.get(linkCounter.restarts))).toEqual([1, 0])
  },
)

test('the reason of an end is told', async () => {
  const w = await world(1)
  const [killer] = await w.connectEach()
  await killer!.send(requestFor('/throw'))
  expect((await killer!.read()).status).toBe(502)
  await vi.waitFor(() => expect(w.restarts).toEqual([{ shard: 0, reason: 'asked to' }]))
})

test('clients that come and go while an actor ends again and again are all answered or closed', async () => {
  const w = await world(1, { maxRestarts: 100 })
  for (let round = 0; round < 8; round++) {
    const idle = await w.connect()
    const before = await ask(idle)
    const leaving = await w.connect()
    const killer = await w.connect()
    await killer.send(requestFor(round % 2 === 0 ? '/throw' : '/exit'))
    // Its end falls into the time without an actor, or beside it.
    leaving.reset()
    expect((await killer.read()).status).toBe(502)
    killer.halfClose()
    await killer.waitForEnd()
    expect((await ask(idle)).life).not.toBe(before.life)
    idle.halfClose()
    idle[Symbol.dispose]()
    await vi.waitFor(() => expect(w.acceptor.connections).toBe(0))
  }
  expect(w.restarts).toHaveLength(8)
  expect(w.links[0]!.size).toBe(0)
})

test('draining outlives an actor: the next one is told, and closes what is idle', async () => {
  const w = await world(1)
  const [first, second] = [await w.connect(), await w.connect()]
  await ask(first)
  await ask(second, '/die-on-drain')
  const drained = w.acceptor.drain(END_MS)
  for (const wire of [first, second]) {
    expect(await wire.waitForEnd()).toBe('end')
    expect(wire.unread.length).toBe(0)
    wire.halfClose()
  }
  await drained
  expect(w.restarts).toEqual([{ shard: 0, reason: 'asked to, by draining' }])
})

test('actors that end too often are given up, once; the other shards still serve', async () => {
  const w = await world(2, { maxRestarts: 2 })
  const [, other] = await w.connectEach()
  for (let end = 0; end < 3; end++) {
    const killer = await w.connect()
    await killer.send(requestFor('/throw'))
    expect((await killer.read()).status).toBe(502)
    killer.halfClose()
    await killer.waitForEnd()
    await vi.waitFor(() => expect(w.restarts.length + w.gaveUp.length).toBe(end + 1))
    await vi.waitFor(() => expect(w.acceptor.connections).toBe(2))
  }
  expect(w.restarts).toHaveLength(2)
  expect(w.gaveUp.map(({ code }) => code)).toEqual(['RINGLET_RESTART_INTENSITY'])
  expect(w.gaveUp[0]!.message).toBe('the actor of shard 0 ended more than 2 times in 600000 ms: asked to')
  expect(w.links.map(({ up }) => up)).toEqual([false, true])
  expect((await ask(other!)).shard).toBe(1)
})

test('an actor that does not start fails the start', async () => {
  const w = new World(1, 10)
  worlds.push(w)
  await expect(w.start(true)).rejects.toMatchObject({
    code: 'RINGLET_ACTOR_START',
    message: 'the actor of shard 0 did not start: no start',
  })
  expect(w.restarts).toEqual([])
  expect(w.gaveUp).toEqual([])
})
