// The library's entry: wires the parts together, starts and stops them. The command (main.ts) is a thin shell around it.

import { readFile } from 'node:fs/promises'
import { createSharedMemory, type SharedMemory } from '@shared/ringbuffer'
import { ACCEPTOR_MEMORY_BYTES, Acceptor } from './acceptor/acceptor.ts'
import { ShardLink } from './acceptor/link.ts'
import { type FunctionPlan, headLimits } from './actor/plan.ts'
import type { Config } from './config/index.ts'
import type { EngineKit } from './engine/build.ts'
import type { ImagesResult } from './engine/images.ts'
import { doubtsOf } from './engine/layout.ts'
import { RingletError } from './errors.ts'
import { stopBundler } from './functions/bundle.ts'
import { simdScratchBytes } from './http/simd.ts'
import { createLogger, type Log } from './log.ts'
import { availableBytes, boundMemory, type MemoryBound, shardMemory } from './memory.ts'
import { actorTotals, linkCounter } from './metrics.ts'
import { PenaltyBook } from './penalty.ts'
import { type Prepared, prepareFunctions } from './prepare.ts'
import { LANE, REQUEST } from './protocol.ts'
import { actorCounters, createShard, type ShardSizes, shardBytes } from './shard.ts'
import { createStanding, Standing } from './standing.ts'
import { Compressor, createExchange } from './static/compressor.ts'
import { checkFolders } from './static/folders.ts'
import { Supervisor } from './supervisor.ts'
import { Watchdog } from './watchdog.ts'

export { type Config, type ConfigInput, defaultConfig } from './config/index.ts'
export { RingletError } from './errors.ts'
export { exampleFunctions } from './functions/examples.ts'

/** How long stopped actors may take to end their threads' task; after that the threads are ended. */
const ACTOR_END_MS = 600

/** A spare thread's start takes as long as the server's: the first requests come before it. */
const SPARE_AFTER_MS = 500

/** A timer that is there to be there. */
const KEPT_MS = 60_000

/** A system that is out of descriptors says so for every file. */
const FILE_TROUBLE_MS = 1000

/** A started server. */
export interface Ringlet {
  readonly host: string
  /** The port it got; differs from the configuration's when that is 0. */
  readonly port: number
  readonly url: string
  /** Answers what is in flight, within `timeouts.shutdownMs`, and ends all threads. Later calls wait for the first. */
  stop(): Promise<void>
  /** Resolves, with the reason, when the server cannot go on by itself. */
  readonly failed: Promise<RingletError>
}

/**
 * Builds the functions, starts an actor for each core, and listens.
 * Rejects with {@link RingletError}: a function that does not build or initialise, a port that cannot be had.
 */
export async function start(config: Config): Promise<Ringlet> {
  const server = new Server(config)
  await kept(async () => {
    try {
      await server.start()
    } catch (error) {
      await server.discard()
      throw error
    }
  })
  return server
}

/**
 * Keeps the process alive for this long. A thread that has no task does not, whatever is awaited of it: Node.js would end with
 * exit code 0, without a word, in the middle of a start.
 */
async function kept(work: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => {}, KEPT_MS)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
}

/** Before 23.1 `listen` takes the option without a word, and does not share the port. */
function canReusePort(node: string): boolean {
  const [major, minor] = node.split('.').map(Number) as [number, number]
  return major > 23 || (major === 23 && minor >= 1)
}

/** The compiled SIMD parser; null when the configuration does not want it, or this machine has no SIMD and the choice is free. */
async function loadParser(choice: Config['connection']['parser']): Promise<WebAssembly.Module | null> {
  if (choice === 'scalar') return null
  try {
    return await WebAssembly.compile(await readFile(new URL('./head.wasm', import.meta.url)))
  } catch (error) {
    if (choice === 'auto' && error instanceof WebAssembly.CompileError) return null
    throw new RingletError('RINGLET_PARSER', { reason: (error as Error).message })
  }
}

class Server implements Ringlet {
  readonly #config: Config
  readonly #supervisor: Supervisor
  readonly #links: ShardLink[] = []
  #acceptor: Acceptor | undefined
  #log: Log | undefined
  #watchdog: Watchdog | undefined
  #standing: SharedMemory | undefined
  /** The shard of functions that keep using up their processor time; undefined when there is to be none. */
  #penaltyLink: ShardLink | undefined
  #penaltyStarted = false
  #bound: MemoryBound | undefined
  #stopped: Promise<void> | undefined
  #saved: Promise<void> | undefined
  #fileTroubles = 0
  #nextFileTroubleMs = 0
  #fail: (error: RingletError) => void = () => {}
  readonly failed: Promise<RingletError>
  port = 0

  constructor(config: Config) {
    this.#config = config
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    this.#supervisor = new Supervisor(undefined, config.cores, config.watchdog.spares, config.restart, {
      restarted: (shard, reason) => this.#log?.error({ shard, reason }, 'actor restarted'),
      gaveUp: (error) => this.#fail(error),
    })
  }

  get host(): string {
    return this.#config.host
  }

  get url(): string {
    const { host } = this.#config
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.port}`
  }

  async start(): Promise<void> {
    const config = this.#config
    if (config.acceptor.reusePort === 'on' && !canReusePort(process.versions.node)) {
      throw new RingletError('RINGLET_REUSE_PORT', { version: process.version })
    }
    await checkFolders(config)
    const { level, lineBytes } = config.log
    const logging = createLogger({ level, name: 'ringlet', lineBytes }).then((log) => (this.#log = log))
    const [log, parser, prepared] = await Promise.all([
      logging,
      loadParser(config.connection.parser),
      prepareFunctions(
        config,
        (task) => this.#supervisor.buildImages(task),
        async (lines) => this.#reportTopLevel(await logging, lines),
      ),
    ])
    this.#reportTopLevel(log, prepared.lines)
    for (const { text, ...fields } of prepared.warnings) log.warn(fields, text)
    const { kit, plans } = prepared
    for (const { unknown, instead } of doubtsOf(kit.layout)) {
      log.warn({ engine: kit.variant, unknown, instead }, 'engine not recognised in full')
    }
    const sizes = { ...config.ring, scratchBytes: parser === null ? 0 : simdScratchBytes(headLimits(config)) }
    const images = new Set(
      plans.flatMap(({ image }) => (image.base === null ? [image] : [image, image.base])),
    )
    const imageBytes = [...images].reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
    this.#bound = boundMemory(config, { imageBytes, shardBytes: shardBytes(sizes) })
    log.info(this.#bound, 'memory budget')
    const available = availableBytes()
    if (this.#bound.budget > available) {
      log.warn({ budget: this.#bound.budget, available }, 'this may need more memory than there is')
    }
    this.#link(sizes)
    this.#standing = createStanding(plans.length)
    await this.#startActors(this.#links, LANE.NORMAL, kit, parser, plans)
    this.port = await this.#listen()
    this.#watch(plans, kit, parser)
    log.info(
      {
        host: config.host,
        port: this.port,
        url: this.url,
        cores: config.cores,
        functions: plans.length,
        cached: prepared.cached,
        engine: kit.variant,
        parser: parser === null ? 'scalar' : 'simd',
      },
      'listening',
    )
    log.flush()
    this.#saved = this.#save(prepared)
  }

  /** After the start, which it would make longer. */
  async #save(prepared: Prepared): Promise<void> {
    const warning = await prepared.save()
    if (warning === undefined) return
    const { text, ...fields } = warning
    this.#log?.warn(fields, text)
    this.#log?.flush()
  }

  /** What top-level code printed. */
  #reportTopLevel(log: Log, lines: ImagesResult['lines']): void {
    for (const { function: name, text, error } of lines) {
      if (error === undefined) log.info({ function: name }, text)
      else log.warn({ function: name, error }, text)
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= kept(() => this.#stop())
    return this.#stopped
  }

  /** Ends what a failed start left. */
  async discard(): Promise<void> {
    void stopBundler()
    this.#supervisor.expectEnd()
    this.#acceptor?.stop()
    await this.#supervisor.stop(0)
    this.#log?.output.close()
  }

  #link(sizes: ShardSizes): void {
    const { cores, ring, connection } = this.#config
    const bell = createSharedMemory(ACCEPTOR_MEMORY_BYTES)
    const { receiveWindowBytes, sendWindowBytes } = connection
    const limits = { receiveWindowBytes, sendWindowBytes, batchRecords: ring.batchRecords }
    const link = (index: number) => new ShardLink(createShard(index, sizes, bell), limits)
    for (let index = 0; index < cores; index++) this.#links.push(link(index))
    if (this.#config.penalty.offences > 0) this.#penaltyLink = link(cores)
  }

  #startActors(
    links: readonly ShardLink[],
    lane: number,
    kit: EngineKit,
    parser: WebAssembly.Module | null,
    functions: readonly FunctionPlan[],
  ): Promise<void> {
    const { cores, log, ring, connection, limits, fetch, timeouts } = this.#config
    const { pool, gc, bounded, watchdog, penalty, files } = this.#config
    const config = {
      log,
      ring,
      connection,
      limits,
      fetch,
      timeouts,
      pool,
      gc,
      bounded,
      watchdog,
      penalty,
      files,
    }
    const memory = shardMemory(this.#bound!, cores, lane === LANE.PENALTY)
    return this.#supervisor.start(links, ({ handle }) => ({
      shard: handle,
      kit,
      parser,
      functions,
      statics: this.#config.static,
      exchange: this.#exchangeOf(handle.index),
      standing: this.#standing!,
      lane,
      hasOthers: cores > 1,
      config,
      memory,
    }))
  }

  /** Where a shard's compressed files come to lie, and who makes them. */
  #exchangeOf(index: number): SharedArrayBuffer {
    const { static: statics, functions, files } = this.#config
    const link = this.#links[index]
    const folders = [...statics, ...functions.flatMap(({ assets }) => assets ?? [])]
    const isMade = link !== undefined && folders.some(({ compression }) => compression === 'on')
    const exchange = createExchange(isMade ? files.compressBytes : 0)
    if (isMade) {
      const compressor = new Compressor(
        exchange,
        () => link.tell(REQUEST.COMPRESSED),
        () => link.counters.get(linkCounter.restarts),
      )
      link.onCompress = (payload) => void compressor.submit(payload)
    }
    return exchange
  }

  /** One line a second at most. */
  #fileTrouble(path: string, reason: string): void {
    this.#fileTroubles++
    const nowMs = performance.now()
    if (nowMs < this.#nextFileTroubleMs) return
    this.#nextFileTroubleMs = nowMs + FILE_TROUBLE_MS
    this.#log?.error({ path, reason, times: this.#fileTroubles }, 'file unavailable')
    this.#fileTroubles = 0
  }

  /** Watches what the functions do to their shards. */
  #watch(plans: readonly FunctionPlan[], kit: EngineKit, parser: WebAssembly.Module | null): void {
    const { watchdog, penalty } = this.#config
    const log = this.#log!
    const standing = new Standing(this.#standing!, plans.length)
    const links = this.#allLinks()
    this.#watchdog = new Watchdog(
      links.map(({ handle }) => handle),
      plans.map(({ limits }) => limits.cpuMs),
      standing,
      watchdog,
      {
        isWanted: ({ shard, slot, generation }) => links[shard]!.slots.find(slot, generation) !== undefined,
        hung: ({ shard, functionIndex, ranMs, ...culprit }) => {
          const { name, limits } = plans[functionIndex]!
          const limit = { cpuMs: limits.cpuMs, graceMs: watchdog.graceMs }
          log.error(
            { shard, function: name, ...limit, ranMs },
            'actor ended: native code that cannot be interrupted',
          )
          this.#supervisor.end(shard, culprit)
        },
        arrivals: (shard) => links[shard]!.arrivals,
        quarantined: (functionIndex, untilMs) => {
          const { name } = plans[functionIndex]!
          const until = new Date(untilMs).toISOString()
          log.error({ function: name, strikes: watchdog.strikes, until }, 'function quarantined')
        },
      },
    )
    this.#watchdog.start()
    const book = new PenaltyBook(plans.length, standing, penalty, (functionIndex) => {
      log.warn(
        { function: plans[functionIndex]!.name },
        'function served apart: it keeps using up its processor time or its memory, or its shard',
      )
      log.flush()
      this.#startPenaltyLane(kit, parser, plans)
    })
    for (const link of links)
      link.onOffence = (functionIndex) => book.offence(functionIndex, performance.now())
    setTimeout(() => void this.#supervisor.spare(), SPARE_AFTER_MS).unref()
  }

  /** Its actor starts when it is first needed. */
  #startPenaltyLane(kit: EngineKit, parser: WebAssembly.Module | null, plans: readonly FunctionPlan[]): void {
    if (this.#penaltyStarted || this.#penaltyLink === undefined) return
    this.#penaltyStarted = true
    this.#startActors([this.#penaltyLink], LANE.PENALTY, kit, parser, plans).then(
      () => this.#supervisor.spare(),
      (error: unknown) => {
        this.#log?.error({ reason: String(error) }, 'the penalty lane did not start')
        // Whoever waits there is answered, and its functions are served as before.
        this.#penaltyStarted = false
        const standing = new Standing(this.#standing!, plans.length)
        for (let index = 0; index < plans.length; index++) standing.penalise(index, 0)
        this.#penaltyLink?.down(undefined, false)
      },
    )
  }

  #allLinks(): ShardLink[] {
    return this.#penaltyLink === undefined ? this.#links : [...this.#links, this.#penaltyLink]
  }

  async #listen(): Promise<number> {
    const { host, port, acceptor, balance } = this.#config
    this.#acceptor = new Acceptor(
      { host, port, ...acceptor, balance, heldBytes: this.#bound!.buffers / 2 },
      this.#links,
      this.#penaltyLink,
      { unavailable: (path, reason) => this.#fileTrouble(path, reason) },
    )
    try {
      return await this.#acceptor.listen()
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'EADDRINUSE') throw new RingletError('RINGLET_PORT_IN_USE', { host, port })
      throw new RingletError('RINGLET_LISTEN', { host, port, reason: code ?? message })
    }
  }

  async #stop(): Promise<void> {
    const log = this.#log
    log?.info({ connections: this.#acceptor?.connections ?? 0 }, 'stopping')
    await this.#acceptor?.drain(this.#config.timeouts.shutdownMs)
    this.#watchdog?.stop()
    this.#supervisor.expectEnd()
    for (const link of this.#allLinks()) link.tell(REQUEST.STOP)
    await this.#supervisor.stop(ACTOR_END_MS)
    this.#acceptor?.stop()
    await this.#saved
    log?.info(actorTotals(this.#allLinks().map(({ handle }) => actorCounters(handle))), 'stopped')
    log?.output.close()
  }
}
