// An actor on the test's own thread, over real rings, with an engine that only takes time, and a clock that only moves by that.

import { Counters, countersBytes, createSharedMemory, Producer } from '@shared/ringbuffer'
import { vi } from 'vitest'
import { Actor } from '../../src/actor/actor.ts'
import { BufferBudget } from '../../src/actor/bytes.ts'
import { HostWork } from '../../src/actor/calls.ts'
import type { Exchange } from '../../src/actor/exchange.ts'
import { Outbox } from '../../src/actor/outbox.ts'
import type { FunctionPlan } from '../../src/actor/plan.ts'
import type { Reporter } from '../../src/actor/report.ts'
import { GuestRuntime } from '../../src/actor/runtime.ts'
import { ParserScratch } from '../../src/actor/scratch.ts'
import { Service } from '../../src/actor/service.ts'
import type { CpuMeter } from '../../src/engine/cpu.ts'
import type { Instance } from '../../src/engine/instance.ts'
import type { Pools } from '../../src/engine/pools.ts'
import { Router } from '../../src/functions/router.ts'
import { HEAD_KIND, STATE } from '../../src/guest/ops.ts'
import { ScalarParser } from '../../src/http/parser.ts'
import type { LineLog } from '../../src/log.ts'
import { ACTOR_NUMBERS } from '../../src/metrics.ts'
import { LANE, REQUEST } from '../../src/protocol.ts'
import {
  acceptorBell,
  actorActivity,
  answerRoomBell,
  createShard,
  requestRing,
  responseRing,
} from '../../src/shard.ts'
import { createStanding, Standing } from '../../src/standing.ts'
import { CHUNKED_LIMITS, HEAD_LIMITS, SESSION_LIMITS } from './fake-sink.ts'

/** One request as it ran: which connection's, of which function, from when to when. */
export interface Served {
  readonly slot: number
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
}

interface VirtualFunction {
  readonly name: string
  readonly costMs: number
}

const LIMITS = {
  cpuMs: 60_000,
  wallMs: 600_000,
  memoryBytes: 1 << 26,
  stackBytes: 1 << 18,
  responseBytes: 4096,
  timers: 10,
  hostCalls: 10,
  concurrency: 64,
  requestsPerRuntime: 1,
}
const SIZES = {
  requestBytes: 1 << 20,
  responseBytes: 1 << 22,
  scratchBytes: 0,
  highWatermark: 1,
  lowWatermark: 0.5,
}

export class VirtualShard {
  readonly served: Served[] = []
  nowMs = 1000
  /** Requests of a function served by one runtime at a time. */
  readonly runtimes: number
  readonly #leased = new Map<number, number>()
  readonly #functions: readonly VirtualFunction[]
  readonly #handle = createShard(0, SIZES, createSharedMemory(64))
  readonly #requests = new Producer(requestRing(this.#handle))
  readonly #timetable: { readonly atMs: number; readonly slot: number; readonly name: string }[] = []
  readonly service: Service
  readonly #actor: Actor
  /** Called after each request: more may be sent. */
  onServed: (served: Served) => void = () => {}

  constructor(functions: readonly VirtualFunction[], { queueRequests = 1000, runtimes = 64 } = {}) {
    this.#functions = functions
    this.runtimes = runtimes
    const plans = functions.map(({ name }) => ({
      name,
      routes: [`/${name}`],
      env: null,
      limits: LIMITS,
      isolation: 'reuse',
    })) as unknown as FunctionPlan[]
    const outbox = new Outbox(
      this.#handle.memory.buffer,
      new Producer(responseRing(this.#handle)),
      acceptorBell(this.#handle),
      answerRoomBell(this.#handle),
    )
    const pools = this.#pools(plans)
    const buffers = new BufferBudget(1 << 28)
    const { buffer } = createSharedMemory(countersBytes(ACTOR_NUMBERS))
    const counters = new Counters({ buffer, offset: 0 }, ACTOR_NUMBERS)
    this.service = new Service({
      pools,
      functions: functions.length,
      router: new Router(plans),
      statics: undefined as never,
      outbox,
      counters,
      activity: actorActivity(this.#handle),
      standing: new Standing(createStanding(functions.length), functions.length),
      lane: LANE.NORMAL,
      hasOthers: false,
      report: { wantsAccess: false } as Reporter,
      sendWindowBytes: 65536,
      responseHeadBytes: 4096,
      maxRequests: 0,
      queueRequests,
      queueMs: 60_000,
      busyMs: 0,
      holdMs: 0,
      buffers,
      work: new HostWork(new Map(), buffers),
      onProgress: (session) => this.#actor.advance(session),
    })
    this.#actor = new Actor({
      shard: this.#handle,
      outbox,
      service: this.service,
      pools,
      log: { output: { flush: () => {} } } as unknown as LineLog,
      gauges: () => {},
      scratch: new ParserScratch(new ScalarParser(HEAD_LIMITS), CHUNKED_LIMITS),
      sessionLimits: { ...SESSION_LIMITS, headMs: 600_000, bodyMs: 600_000, idleMs: 600_000 },
      receiveWindowBytes: 65536,
      batchRecords: 256,
      spinMicros: 0,
    })
  }

  /** A request on this connection, `afterMs` from now; at once it lies in the ring. */
  send(slot: number, name: string, afterMs = 0): void {
    this.#timetable.push({ atMs: this.nowMs + afterMs, slot, name })
    this.#timetable.sort((a, b) => a.atMs - b.atMs)
    this.#arrive()
  }

  /** Serves until so many requests have run. */
  async run(requests: number): Promise<readonly Served[]> {
    const spy = vi.spyOn(performance, 'now').mockImplementation(() => this.nowMs)
    const onServed = this.onServed
    this.onServed = (served) => {
      onServed(served)
      if (this.served.length === requests) this.#requests.tryWrite(REQUEST.STOP, 0, 0, new Uint8Array(0))
    }
    try {
      await this.#actor.run()
    } finally {
      spy.mockRestore()
    }
    return this.served
  }

  /** How long each request of a function waited before it ran, when all were sent at once. */
  waitsMs(name: string): number[] {
    return this.served.filter((each) => each.name === name).map(({ fromMs }) => fromMs - 1000)
  }

  #arrive(): void {
    while (this.#timetable.length > 0 && this.#timetable[0]!.atMs <= this.nowMs) {
      const { slot, name } = this.#timetable.shift()!
      const text = `GET /${name} HTTP/1.1\r\nhost: x\r\n\r\n`
      if (!this.#requests.tryWrite(REQUEST.DATA, slot, 1, new Uint8Array(Buffer.from(text)))) {
        throw new Error('the request ring is full')
      }
    }
  }

  #pools(plans: readonly FunctionPlan[]): Pools<GuestRuntime> {
    const pools = {
      wantsGrowth: false,
      tidyAtMs: Number.POSITIVE_INFINITY,
      isExhausted: () => false,
      holds: () => true,
      lease: (index: number) => {
        const leased = this.#leased.get(index) ?? 0
        if (leased === this.runtimes) return undefined
        this.#leased.set(index, leased + 1)
        return new GuestRuntime(this.#instance(index), index, plans[index]!, this.service)
      },
      giveBack: ({ functionIndex }: GuestRuntime) =>
        this.#leased.set(functionIndex, this.#leased.get(functionIndex)! - 1),
    }
    return pools as unknown as Pools<GuestRuntime>
  }

  #instance(index: number): Instance {
    const { name, costMs } = this.#functions[index]!
    let host: Exchange | undefined
    const instance = {
      failure: null,
      state: STATE.PENDING as number,
      status: 200,
      headKind: HEAD_KIND.TEXT,
      headStart: 0,
      headEnd: 0,
      bodyStart: 0,
      bodyEnd: 0,
      bytes: new Uint8Array(0),
      waiting: 0,
      cpu: undefined as CpuMeter | undefined,
      begin: (exchange: Exchange, cpu: CpuMeter) => {
        host = exchange
        instance.cpu = cpu
        cpu.begin(0)
      },
      settle: () => {},
      invoke: () => {
        const fromMs = this.nowMs
        this.nowMs += costMs
        instance.cpu!.usedMs = costMs
        instance.state = STATE.EMPTY
        const served = { slot: host!.session!.slot, name, fromMs, toMs: this.nowMs }
        this.served.push(served)
        this.onServed(served)
        this.#arrive()
      },
    }
    return instance as unknown as Instance
  }
}
