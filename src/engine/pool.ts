// The runtimes of one function on one shard: a few instances with its image in them, each serving one request at a time.

import type { Image } from './image.ts'
import { Instance } from './instance.ts'
import type { EngineLayout } from './layout.ts'
import type { InstanceLimits } from './limits.ts'
import { type EngineCode, PAGE_BYTES } from './module.ts'

export type Isolation = 'reuse' | 'bounded' | 'request'

export interface PoolLimits {
  readonly maxRuntimes: number
  readonly memoryBytes: number
  readonly isolation: Isolation
  /** For `bounded`: the runtime is reset after so many requests, or so long after its last reset. */
  readonly boundedRequests: number
  readonly boundedMs: number
  /** Heap in use after an answer above which garbage is collected, and above which the runtime is reset. */
  readonly gcSoftBytes: number
  readonly gcHighBytes: number
  readonly instance: InstanceLimits
}

/** What happened in a pool, for the shard's counters. */
export interface PoolEvents {
  opened(): void
  collected(): void
  reset(): void
  condemned(): void
  notOpened(error: unknown): void
}

const REGROWTH = 1.5

/** An instance with a function's image in it. */
export class Runtime {
  readonly instance: Instance
  /** Requests since the last reset. */
  served = 0
  loadedAtMs = 0
  /** Heap that was alive at the last collection, and half as much again. */
  collectAboveBytes = 0

  constructor(instance: Instance) {
    this.instance = instance
  }
}

export class Pool<R extends Runtime> {
  readonly #code: EngineCode
  readonly #layout: EngineLayout
  readonly #image: Image
  readonly #limits: PoolLimits
  readonly #events: PoolEvents
  readonly #wrap: (instance: Instance) => R
  readonly #idle: R[] = []
  #size = 0
  #wanted = 0

  constructor(
    code: EngineCode,
    layout: EngineLayout,
    image: Image,
    limits: PoolLimits,
    events: PoolEvents,
    wrap: (instance: Instance) => R,
  ) {
    this.#code = code
    this.#layout = layout
    this.#image = image
    this.#limits = limits
    this.#events = events
    this.#wrap = wrap
  }

  /** Runtimes that exist, leased ones included. */
  get size(): number {
    return this.#size
  }

  /** Whether none is ready, and there may be no more of them. */
  get isExhausted(): boolean {
    return this.#idle.length === 0 && this.#size + this.#wanted >= this.#limits.maxRuntimes
  }

  /** Whether {@link grow} has something to do. */
  get wantsGrowth(): boolean {
    return this.#wanted > 0
  }

  /** A runtime for one request, or undefined when none is ready: then one more is wanted, within the limit. */
  lease(): R | undefined {
    const runtime = this.#idle.pop()
    if (runtime === undefined && this.#size + this.#wanted < this.#limits.maxRuntimes) this.#wanted++
    return runtime
  }

  /** Opens what is wanted. It takes about 2 ms a runtime, in which the thread serves nobody. */
  async grow(): Promise<void> {
    while (this.#wanted > 0) {
      this.#wanted--
      try {
        await this.open()
      } catch (error) {
        // No memory for another: who waits for it gets the next that comes free, or 503.
        this.#wanted = 0
        this.#events.notOpened(error)
      }
    }
  }

  async open(): Promise<void> {
    const { memoryBytes, instance: limits } = this.#limits
    const { pages } = this.#image
    const instance = await Instance.open(this.#code, this.#layout, memoryBytes / PAGE_BYTES, pages)
    const runtime = this.#wrap(instance)
    instance.load(this.#image, limits)
    runtime.loadedAtMs = performance.now()
    this.#size++
    this.#idle.push(runtime)
    this.#events.opened()
  }

  /**
   * Takes a runtime back after its request: reset, collected or as it is, by the isolation, the watermarks and what went
   * wrong. A runtime whose request was given up (`spoiled`) is reset, since the guest is in the middle of something.
   */
  giveBack(runtime: R, nowMs: number, spoiled: boolean): void {
    const { instance } = runtime
    const { isolation, boundedRequests, boundedMs, gcSoftBytes, gcHighBytes } = this.#limits
    runtime.served++
    if (instance.failure === 'engine' || (spoiled && instance.committedHeapBytes > gcHighBytes)) {
      this.#condemn()
      return
    }
    const due =
      isolation === 'bounded' &&
      (runtime.served >= boundedRequests || nowMs - runtime.loadedAtMs >= boundedMs)
    if (spoiled || instance.failure !== null || isolation === 'request' || due) {
      this.#reset(runtime, nowMs)
    } else if (instance.heapBytes > Math.max(gcSoftBytes, runtime.collectAboveBytes)) {
      instance.collect()
      this.#events.collected()
      if (instance.failure !== null) {
        this.#condemn()
        return
      }
      // What is still there is alive: the next collection waits until it has grown by half.
      runtime.collectAboveBytes = instance.heapBytes * REGROWTH
      if (instance.heapBytes > gcHighBytes) this.#reset(runtime, nowMs)
    }
    this.#idle.push(runtime)
  }

  /** The instance is dropped with all its memory; another takes its place. */
  #condemn(): void {
    this.#size--
    this.#events.condemned()
    if (this.#size + this.#wanted === 0) this.#wanted++
  }

  #reset(runtime: R, nowMs: number): void {
    runtime.instance.load(this.#image, this.#limits.instance)
    runtime.served = 0
    runtime.collectAboveBytes = 0
    runtime.loadedAtMs = nowMs
    this.#events.reset()
  }
}
