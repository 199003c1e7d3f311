// All runtimes of one shard: a pool for each function, ready blank instances for whichever is asked for next, and one memory
// budget. A function without a runtime costs its bookkeeping only; its first request takes a blank, which is one copy of an
// image. When the budget is used up, the runtime that was used least recently becomes that of the function that is asked for.

import { LRUCache } from 'lru-cache'
import type { MemoryBudget } from './budget.ts'
import type { Image } from './image.ts'
import { Instance } from './instance.ts'
import type { EngineLayout } from './layout.ts'
import { footprintOf, grownFootprint } from './memory.ts'
import { type EngineCode, INITIAL_PAGES, PAGE_BYTES } from './module.ts'
import { FATE, Pool, type PoolEvents, type PoolLimits, type Runtime } from './pool.ts'

/** What the pools must know of a function. */
export interface PoolPlan {
  readonly image: Image
  readonly limits: PoolLimits
}

export interface PoolsLimits {
  readonly instances: number
  /** Ready instances that no function has yet, of each build of the engine that functions want. */
  readonly blanks: number
  /** Of every instance's memory, so that each fits any function; below it a function's own limit holds. */
  readonly maximumPages: number
}

/** A used instance goes to another function unless it has touched so much more than that needs: then it is dropped. */
const RECYCLED_EXTRA_BYTES = 4 << 20
/** When instances are at their bound, a runtime becomes a blank only after it was not used for so long. */
const UNUSED_MS = 1000
/** A shard that was not asked for anything for so long is taken to be idle: who has just been served may ask again. */
const PAUSE_MS = 5
const SHORT_PAUSE_MS = 1
/** At the start no more runtimes than these are made ready: each takes 2 ms, and one from a blank takes 0.1 ms later. */
const PREWARMED_MAX = 32

export class Pools<R extends Runtime> {
  readonly #code: EngineCode
  readonly #layout: EngineLayout
  readonly #limits: PoolsLimits
  readonly #budget: MemoryBudget
  readonly #events: PoolEvents
  readonly #wrap: (instance: Instance, functionIndex: number) => R
  readonly #pools: readonly Pool<R>[]
  /** Every runtime, least recently used first. Leased ones are in it, and passed over. */
  readonly #used: LRUCache<R, R>
  readonly #blanks: Instance[] = []
  /** Pools that want a runtime opened, once for each. */
  readonly #wanting: Pool<R>[] = []
  /** Runtimes to be collected when there is time. */
  readonly #due: R[] = []
  /** When a runtime was last given back. */
  #busyMs = Number.NEGATIVE_INFINITY
  /** Runtimes that all functions together may have. */
  readonly #runtimesMax: number
  /** What is in a blank, so that its pages are touched before a request needs them. */
  readonly #blankImage: Image | undefined
  /** Which builds of the engine functions want: with the write barrier or without. */
  readonly #builds: readonly boolean[]

  constructor(
    code: EngineCode,
    layout: EngineLayout,
    plans: readonly PoolPlan[],
    limits: PoolsLimits,
    budget: MemoryBudget,
    events: PoolEvents,
    wrap: (instance: Instance, functionIndex: number) => R,
  ) {
    this.#code = code
    this.#layout = layout
    this.#limits = limits
    this.#budget = budget
    this.#events = events
    this.#wrap = wrap
    this.#pools = plans.map((plan, index) => new Pool(index, plan.image, plan.limits))
    this.#runtimesMax = plans.reduce((sum, plan) => sum + plan.limits.maxRuntimes, 0)
    this.#blankImage = middleImage(plans)
    this.#builds = [...new Set(this.#pools.map((pool) => this.#wantsBarrier(pool)))]
    this.#used = new LRUCache<R, R>({ max: limits.instances, dispose: (runtime) => this.#leaves(runtime) })
  }

  /** Runtimes, leased ones included. */
  get size(): number {
    return this.#used.size
  }

  get blanks(): number {
    return this.#blanks.length
  }

  get budget(): MemoryBudget {
    return this.#budget
  }

  /** Runtimes of one function. */
  sizeOf(functionIndex: number): number {
    return this.#pools[functionIndex]!.size
  }

  /** Whether {@link grow} has something to do. */
  get wantsGrowth(): boolean {
    return this.#wanting.length > 0
  }

  /** Whether a request for this function would have to wait for another one's end. */
  isExhausted(functionIndex: number): boolean {
    const pool = this.#pools[functionIndex]!
    if (pool.hasRoom) return false
    if (pool.inFlight >= pool.limits.inFlight) return true
    return pool.isFull || (this.#blanks.length === 0 && !this.#canOpen(pool.image))
  }

  /**
   * A runtime for one request: one that serves others and takes more, else an idle one, else a blank with the image copied into it, else that of a function which was not
   * used for longest, when there is no room for another. Undefined when there is none: then one more is wanted, within the limits.
   */
  lease(functionIndex: number): R | undefined {
    const pool = this.#pools[functionIndex]!
    if (pool.inFlight >= pool.limits.inFlight) return undefined
    const runtime = pool.open.at(-1) ?? pool.idle.pop() ?? this.#settle(pool)
    if (runtime === undefined) return undefined
    pool.begin(runtime)
    return runtime
  }

  /** Takes a runtime back after a request. If that was its last: dropped, reset, collected or as it is. */
  giveBack(runtime: R, nowMs: number, spoiled: boolean): void {
    const pool = this.#pools[runtime.functionIndex]!
    const { instance } = runtime
    runtime.served++
    runtime.inFlight--
    pool.inFlight--
    runtime.lastUsedMs = this.#busyMs = nowMs
    if (instance.failure === null) pool.end(runtime, this.#events)
    if (runtime.inFlight > 0) {
      if (spoiled || !this.#goesOn(pool, runtime, nowMs)) runtime.isDraining = true
      pool.sort(runtime)
      return
    }
    let fate: number = pool.fate(runtime, nowMs, spoiled || runtime.isDraining)
    runtime.isDraining = false
    if (pool.limits.perRuntime > 1) pool.sort(runtime)
    if (fate === FATE.COLLECT) fate = this.#collect(pool, runtime)
    if (fate === FATE.CONDEMNED) {
      this.#condemn(runtime)
      return
    }
    if (fate === FATE.RESET) this.#reset(pool, runtime, nowMs)
    if (fate === FATE.COLLECT_LATER && !runtime.isDue) {
      runtime.isDue = true
      this.#due.push(runtime)
    }
    this.#used.get(runtime)
    runtime.isLeased = false
    pool.idle.push(runtime)
    this.holds(runtime)
  }

  /** Between two steps of a runtime's other requests: collects if that is due; whether it may take further ones. */
  #goesOn(pool: Pool<R>, runtime: R, nowMs: number): boolean {
    const fate = pool.fate(runtime, nowMs, false)
    if (fate !== FATE.COLLECT) return fate === FATE.STAYS || fate === FATE.COLLECT_LATER
    return this.#collect(pool, runtime) === FATE.STAYS
  }

  /**
   * Counts what a runtime holds now: after its request, and when it stays leased while its guest waits. False when that does
   * not fit into the budget even after every idle runtime is given up: then the request must end.
   */
  holds({ instance }: R): boolean {
    this.#budget.charge(instance)
    return this.#budget.excessWith(0) <= 0 || this.#makeRoom(0)
  }

  /** Opens one instance that is wanted. It takes 2 to 3 ms, in which the thread serves nobody. */
  async grow(): Promise<void> {
    const pool = this.#wanting.shift()
    if (pool === undefined) return
    pool.wanted--
    try {
      await this.#open(pool)
    } catch (error) {
      // No memory for another: who waits for it gets the next that comes free, or 503.
      for (; pool.wanted > 0; pool.wanted--) this.#wanting.splice(this.#wanting.indexOf(pool), 1)
      this.#events.notOpened(error)
    }
  }

  /** Makes runtimes ready before the first request, as long as that takes no more than half of the budget. */
  async prewarm(perFunction: number): Promise<void> {
    for (const pool of this.#pools) {
      while (pool.size < Math.min(perFunction, pool.limits.maxRuntimes)) {
        const { limitBytes, usedBytes } = this.#budget
        if (this.#used.size >= PREWARMED_MAX || usedBytes > limitBytes / 2 || !this.#hasRoomFor(pool.image))
          return
        await this.#open(pool)
      }
    }
  }

  /**
   * When there is something to do that no request waits for. A collection at once; a blank takes longer, so it waits for a
   * pause in which nobody has asked for anything, a shorter one if there is none left.
   */
  get tidyAtMs(): number {
    if (this.#due.length > 0) return 0
    if (!this.#canAddBlank) return Number.POSITIVE_INFINITY
    return this.#busyMs + (this.#blanks.length === 0 ? SHORT_PAUSE_MS : PAUSE_MS)
  }

  get #canAddBlank(): boolean {
    return this.#wantsBlank && (this.#hasRoomFor(this.#blankImage) || this.#unused !== undefined)
  }

  /** One piece of work for a thread that has nothing else to do: a collection, or a blank. */
  async tidy(nowMs: number): Promise<void> {
    const runtime = this.#due.pop()
    if (runtime !== undefined) {
      this.#collectDue(runtime, nowMs)
      return
    }
    if (!this.#wantsBlank) return
    if (this.#hasRoomFor(this.#blankImage)) {
      try {
        this.#addBlank(await this.#openInstance(INITIAL_PAGES, this.#scarceBuild))
      } catch (error) {
        this.#events.notOpened(error)
      }
      return
    }
    const unused = this.#unused
    if (unused === undefined) return
    const instance = this.#evict(unused)
    if (instance !== undefined) this.#addBlank(instance)
  }

  get #wantsBlank(): boolean {
    if (this.#blankImage === undefined || this.#blanksOf(this.#scarceBuild) >= this.#limits.blanks)
      return false
    return this.#used.size + this.#blanks.length < this.#runtimesMax
  }

  #wantsBarrier(pool: Pool<R>): boolean {
    return this.#code.barrier !== null && pool.wantsBarrier
  }

  /** The build of which there are the fewest blanks. */
  get #scarceBuild(): boolean {
    return this.#builds.reduce((a, b) => (this.#blanksOf(b) < this.#blanksOf(a) ? b : a))
  }

  #blanksOf(hasBarrier: boolean): number {
    let count = 0
    for (const blank of this.#blanks) if (blank.memory.hasBarrier === hasBarrier) count++
    return count
  }

  /** The runtime that was used least recently, if that is long ago. */
  get #unused(): R | undefined {
    const oldest = this.#oldest()
    return oldest !== undefined && performance.now() - oldest.lastUsedMs > UNUSED_MS ? oldest : undefined
  }

  #oldest(): R | undefined {
    for (const runtime of this.#used.rkeys()) if (!runtime.isLeased) return runtime
    return undefined
  }

  /** Gives a function a runtime without opening an instance; undefined, and one wanted, when that needs one. */
  #settle(pool: Pool<R>): R | undefined {
    if (pool.size >= pool.limits.maxRuntimes) return undefined
    if (pool.image.pages > INITIAL_PAGES) {
      // Its top-level code needed more than a new instance has: it gets one of its own.
      if (this.#canOpen(pool.image)) this.#want(pool)
      return undefined
    }
    const index = this.#blanks.findLastIndex((blank) => blank.memory.hasBarrier === this.#wantsBarrier(pool))
    let instance = index < 0 ? undefined : this.#blanks.splice(index, 1)[0]
    if (instance === undefined && !this.#hasRoomFor(pool.image)) {
      // Any image runs on either build, only slower.
      instance = this.#blanks.pop()
      const oldest = instance === undefined ? this.#oldest() : undefined
      if (instance === undefined && oldest === undefined) return undefined
      if (oldest !== undefined) instance = this.#evict(oldest)
    }
    if (instance !== undefined) return this.#furnish(pool, instance)
    this.#want(pool)
    return undefined
  }

  #want(pool: Pool<R>): void {
    if (pool.isFull) return
    pool.wanted++
    this.#wanting.push(pool)
  }

  /** Whether one more instance fits into both bounds. */
  #hasRoomFor(image: Image | undefined): boolean {
    return (
      image !== undefined &&
      this.#used.size + this.#blanks.length < this.#limits.instances &&
      this.#budget.excessWith(footprintOf(image)) <= 0
    )
  }

  /** Whether one more instance fits when idle ones are given up. */
  #canOpen(image: Image): boolean {
    if (this.#used.size + this.#blanks.length >= this.#limits.instances && this.#oldest() === undefined)
      return false
    const excessBytes = this.#budget.excessWith(footprintOf(image))
    return excessBytes <= 0 || excessBytes <= this.#idleBytes()
  }

  async #open(pool: Pool<R>): Promise<void> {
    const { image } = pool
    if (!this.#canOpen(image)) return
    this.#makeRoom(footprintOf(image))
    if (this.#used.size + this.#blanks.length >= this.#limits.instances) this.#dropOne()
    const pages = Math.max(image.pages, INITIAL_PAGES)
    const instance = await this.#openInstance(pages, this.#wantsBarrier(pool))
    pool.idle.push(this.#furnish(pool, instance))
  }

  async #openInstance(pages: number, hasBarrier: boolean): Promise<Instance> {
    const { maximumPages } = this.#limits
    const instance = await Instance.open(this.#code, this.#layout, maximumPages, pages, hasBarrier)
    instance.memory.mayGrow = (bytes) => this.#mayGrow(instance, bytes)
    this.#events.opened()
    return instance
  }

  #addBlank(instance: Instance): void {
    const image = this.#blankImage!
    instance.load(image, { cpuMs: 0, hostCalls: 0, gcHardBytes: 0 })
    this.#budget.charge(instance)
    this.#blanks.push(instance)
  }

  #furnish(pool: Pool<R>, instance: Instance): R {
    const runtime = this.#wrap(instance, pool.functionIndex)
    const nowMs = performance.now()
    pool.load(runtime, nowMs)
    runtime.lastUsedMs = nowMs
    pool.size++
    this.#used.set(runtime, runtime)
    this.#budget.charge(instance)
    this.#events.loaded()
    return runtime
  }

  /** Ends an idle runtime; its instance, unless that has touched so much that it is dropped. */
  #evict(runtime: R): Instance | undefined {
    const { instance, functionIndex } = runtime
    const { idle, image } = this.#pools[functionIndex]!
    idle.splice(idle.indexOf(runtime), 1)
    this.#used.delete(runtime)
    this.#events.evicted()
    const extraBytes = instance.memory.footprintBytes - footprintOf(image)
    if (!instance.memory.hasGrown && extraBytes <= RECYCLED_EXTRA_BYTES) return instance
    this.#budget.drop(instance)
    return undefined
  }

  /** A runtime is no more: what its pool and the lists must know. */
  #leaves(runtime: R): void {
    this.#pools[runtime.functionIndex]!.size--
    if (runtime.isDue) this.#due.splice(this.#due.indexOf(runtime), 1)
  }

  /** The instance is dropped with all its memory; another takes its place when one is needed. */
  #condemn(runtime: R): void {
    this.#used.delete(runtime)
    this.#budget.drop(runtime.instance)
    this.#budget.reclaim(0)
    this.#events.condemned()
  }

  #reset(pool: Pool<R>, runtime: R, nowMs: number): void {
    pool.load(runtime, nowMs)
    this.#events.reset()
  }

  #collect(pool: Pool<R>, runtime: R): number {
    this.#events.collected()
    return pool.collect(runtime)
  }

  #collectDue(runtime: R, nowMs: number): void {
    runtime.isDue = false
    const pool = this.#pools[runtime.functionIndex]!
    // Leased again meanwhile, or collected or reset: then its next giving back decides.
    if (runtime.isLeased || pool.fate(runtime, nowMs, false) < FATE.COLLECT) return
    const fate = this.#collect(pool, runtime)
    if (fate === FATE.RESET) this.#reset(pool, runtime, nowMs)
    if (fate !== FATE.CONDEMNED) return
    pool.idle.splice(pool.idle.indexOf(runtime), 1)
    this.#condemn(runtime)
  }

  /** A guest's allocation needs more linear memory: others are given up for it, since it may have what its function's limit says. */
  #mayGrow(instance: Instance, bytes: number): boolean {
    const total = grownFootprint(bytes)
    if (this.#makeRoom(total - instance.memory.chargedBytes)) {
      this.#budget.charge(instance, total)
      return true
    }
    this.#events.growthRefused()
    return false
  }

  /** Drops blanks, then idle runtimes, least recently used first, until so many bytes more fit; none when that would not be enough. */
  #makeRoom(bytes: number): boolean {
    const excessBytes = this.#budget.excessWith(bytes)
    if (excessBytes > 0 && excessBytes > this.#idleBytes()) return false
    while (this.#budget.excessWith(bytes) > 0) this.#dropOne()
    this.#budget.reclaim(bytes)
    return true
  }

  #dropOne(): void {
    const instance = this.#blanks.pop() ?? this.#evict(this.#oldest()!)
    if (instance !== undefined) this.#budget.drop(instance)
  }

  /** What could be freed at once. Asked only when memory is short. */
  #idleBytes(): number {
    let bytes = this.#blanks.reduce((sum, { memory }) => sum + memory.chargedBytes, 0)
    for (const { isLeased, instance } of this.#used.keys())
      if (!isLeased) bytes += instance.memory.chargedBytes
    return bytes
  }
}

/** Of the images that fit into a new instance, one that touches about as much as another of them will. */
function middleImage(plans: readonly PoolPlan[]): Image | undefined {
  const fitting = plans.map(({ image }) => image).filter(({ pages }) => pages <= INITIAL_PAGES)
  const bySize = fitting.toSorted((a, b) => a.extentBytes - b.extentBytes)
  return bySize[fitting.length >> 1]
}

/** Pages that every instance's memory may grow to, so that each fits any of these functions. */
export function maximumPages(plans: readonly PoolPlan[]): number {
  const needed = plans.map(({ image, limits }) =>
    Math.max(image.pages, Math.ceil((limits.instance.memoryBytes ?? 0) / PAGE_BYTES)),
  )
  return Math.max(INITIAL_PAGES, ...needed)
}
