// Puts an actor together from its plan and runs it: the body of the thread's task.

import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { basename } from 'node:path'
import { Producer } from '@shared/ringbuffer'
import { MemoryBudget } from '../engine/budget.ts'
import { loadEngineCode } from '../engine/module.ts'
import type { PoolEvents, PoolLimits } from '../engine/pool.ts'
import { maximumPages, Pools } from '../engine/pools.ts'
import { Router } from '../functions/router.ts'
import { bundleFilename, mapStack } from '../functions/source-map.ts'
import { compressionOps } from '../host/compression/compression.ts'
import { Fetcher } from '../host/fetch/fetch.ts'
import { asyncOps } from '../host/ops.ts'
import { subtleOps } from '../host/subtle/heavy.ts'
import type { ChunkedLimits } from '../http/chunked.ts'
import { type HeadParser, ScalarParser } from '../http/parser.ts'
import { SimdParser } from '../http/simd.ts'
import { accessLogger, LineLog } from '../log.ts'
import { type ActorCounter, actorCounter, actorGauge } from '../metrics.ts'
import { LANE } from '../protocol.ts'
import { acceptorBell, actorActivity, actorCounters, answerRoomBell, responseRing } from '../shard.ts'
import { Standing } from '../standing.ts'
import { mergeRoutes } from '../static/routes.ts'
import { Actor } from './actor.ts'
import { BufferBudget } from './bytes.ts'
import { HostWork } from './calls.ts'
import { Outbox } from './outbox.ts'
import { type ActorConfig, type ActorPlan, type FunctionPlan, headLimits } from './plan.ts'
import { Reporter } from './report.ts'
import type { SessionLimits } from './request.ts'
import { GuestRuntime } from './runtime.ts'
import { ParserScratch } from './scratch.ts'
import { Service } from './service.ts'
import { StaticService } from './static.ts'

/** Above this heap the engine's own collector runs within a request: half of what the function may have. */
const gcHardBytes = (memoryBytes: number) => memoryBytes / 2

function poolLimits(plan: FunctionPlan, config: ActorConfig): PoolLimits {
  const { cpuMs, hostCalls, memoryBytes, concurrency, requestsPerRuntime } = plan.limits
  return {
    maxRuntimes: Math.min(config.pool.maxPerFunction, concurrency),
    perRuntime: requestsPerRuntime,
    inFlight: concurrency,
    isolation: plan.isolation,
    boundedRequests: config.bounded.requests,
    boundedMs: config.bounded.seconds * 1000,
    gcSoftBytes: config.gc.softBytes,
    gcHighBytes: config.gc.highBytes,
    instance: { cpuMs, hostCalls, gcHardBytes: gcHardBytes(memoryBytes), memoryBytes },
  }
}

function sessionLimits({ limits, connection, timeouts }: ActorConfig): SessionLimits {
  return {
    bodyBytes: limits.bodyBytes,
    inlineBodyBytes: limits.inlineBodyBytes,
    sendWindowBytes: connection.sendWindowBytes,
    headMs: timeouts.headMs,
    bodyMs: timeouts.bodyMs,
    idleMs: timeouts.idleMs,
  }
}

function chunkedLimits({ limits }: ActorConfig): ChunkedLimits {
  const { fields, bodyBytes, chunkOverheadBytes, trailerBytes } = limits
  return {
    bodyBytes,
    extensionBytes: chunkOverheadBytes,
    overheadBytes: chunkOverheadBytes + trailerBytes,
    trailerBytes,
    trailerFields: fields,
  }
}

function headParser({ shard, parser, config }: ActorPlan): HeadParser {
  const limits = headLimits(config)
  if (parser === null) return new ScalarParser(limits)
  return new SimdParser(parser, { memory: shard.memory, offset: shard.layout.scratch }, limits)
}

/** The number by which Linux knows this thread, for the watchdog; 0 elsewhere. */
function kernelThread(): number {
  try {
    return Number(basename(readlinkSync('/proc/thread-self'))) || 0
  } catch {
    return 0
  }
}

/** Whoever shares a core with the penalty lane goes first. Only Linux lets a thread have a priority of its own. */
function lowerPriority(thread: number): void {
  if (thread === 0) return
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW)
  } catch {
    // Without it the lane is still a thread of its own.
  }
}

/** Resolves when the acceptor says STOP; `ready` is called when the actor can serve. */
export async function runActor(plan: ActorPlan, ready: () => void): Promise<void> {
  const { shard, kit, functions, config, memory } = plan
  const counters = actorCounters(shard)
  const activity = actorActivity(shard)
  const thread = kernelThread()
  activity.start(thread)
  if (plan.lane === LANE.PENALTY) lowerPriority(thread)
  const count = (name: ActorCounter) => () => counters.add(actorCounter[name], 1)
  let peakBytes = 0
  let peakAllocations = 0
  const events: PoolEvents = {
    opened: count('opened'),
    loaded: count('loaded'),
    evicted: count('evicted'),
    growthRefused: count('growthRefused'),
    left: (bytes, allocations) => {
      counters.add(actorCounter.leftBytes, bytes)
      counters.add(actorCounter.leftAllocations, allocations)
      peakBytes = Math.max(peakBytes, bytes)
      peakAllocations = Math.max(peakAllocations, allocations)
    },
    collected: count('collections'),
    reset: count('resets'),
    condemned: count('condemned'),
    notOpened: (error) => log.write('error', { reason: String(error) }, 'a runtime could not be opened'),
  }
  const { level, lineBytes } = config.log
  const log = new LineLog({ level, name: `actor-${shard.index}`, lineBytes })
  const code = await loadEngineCode(kit.variant, kit.wasm, kit.barrier, kit.guest)
  const { buffer } = shard.memory
  const outbox = new Outbox(
    buffer,
    new Producer(responseRing(shard)),
    acceptorBell(shard),
    answerRoomBell(shard),
  )
  const poolPlans = functions.map((fn) => ({ image: fn.image, limits: poolLimits(fn, config) }))
  const pools = new Pools<GuestRuntime>(
    code,
    kit.layout,
    poolPlans,
    { instances: memory.instances, blanks: config.pool.blanks, maximumPages: maximumPages(poolPlans) },
    new MemoryBudget(memory.runtimeBytes),
    events,
    (instance, index) => new GuestRuntime(instance, index, functions[index]!, service),
  )
  const policies = functions.map(({ name, fetch, limits }) => ({
    name,
    ...fetch,
    subrequests: limits.subrequests,
  }))
  const fetcher = new Fetcher(policies, config.fetch)
  const buffers = new BufferBudget(memory.bufferedBytes)
  const report = new Reporter(shard.index, log, accessLogger(config, log.output), (stack, fn) =>
    mapStack(stack, fn.map, bundleFilename(fn.name)),
  )
  const { routes, behind } = mergeRoutes(functions, plan.statics)
  const scratch = new ParserScratch(headParser(plan), chunkedLimits(config))
  const statics = new StaticService({
    plans: plan.statics,
    functions: functions.length,
    assets: functions.map(({ assets }) => assets),
    behind,
    limits: config.files,
    exchange: plan.exchange,
    parser: scratch.parser,
    outbox,
    counters,
    log,
    report,
  })
  const service: Service = new Service({
    pools,
    functions: functions.length,
    router: new Router(routes),
    statics,
    outbox,
    counters,
    activity,
    standing: new Standing(plan.standing, functions.length),
    lane: plan.lane,
    hasOthers: plan.hasOthers,
    report,
    sendWindowBytes: config.connection.sendWindowBytes,
    responseHeadBytes: config.limits.responseHeadBytes,
    maxRequests: config.connection.maxRequests,
    queueRequests: config.pool.queueRequests,
    queueMs: config.pool.queueMs,
    holdMs: config.watchdog.holdMs,
    busyMs: config.penalty.busyMs,
    buffers,
    work: new HostWork(
      asyncOps(fetcher.ops, statics.assets.ops, subtleOps, compressionOps),
      buffers,
      () => fetcher.openSockets,
    ),
    onProgress: (session) => actor.advance(session),
  })
  const actor: Actor = new Actor({
    shard,
    outbox,
    service,
    pools,
    log,
    gauges: () => {
      const { budget } = pools
      counters.set(actorGauge.leftPeakBytes, peakBytes)
      counters.set(actorGauge.leftPeakAllocations, peakAllocations)
      counters.set(actorGauge.runtimes, pools.size)
      counters.set(actorGauge.blanks, pools.blanks)
      counters.set(actorGauge.runtimeBytes, budget.usedBytes)
      counters.set(actorGauge.runtimePeakBytes, budget.peakBytes)
      counters.set(actorGauge.bufferedBytes, buffers.usedBytes)
      counters.set(actorGauge.bufferedPeakBytes, buffers.peakBytes)
      counters.set(actorGauge.staticBytes, statics.cachedBytes)
    },
    scratch,
    sessionLimits: sessionLimits(config),
    receiveWindowBytes: config.connection.receiveWindowBytes,
    batchRecords: config.ring.batchRecords,
    spinMicros: config.ring.spinMicros,
  })
  await pools.prewarm(config.pool.prewarm)
  ready()
  await actor.run()
  await fetcher.close()
  log.output.close()
}
