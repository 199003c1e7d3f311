// The runtimes of one function on one shard: how many there are, which are idle, and when one is reset or collected.
// Where their instances come from, and who must go when memory is short: pools.ts.

import type { Image } from './image.ts'
import type { Instance } from './instance.ts'
import type { InstanceLimits } from './limits.ts'
import { DUE, type HeapSize, Watermarks } from './watermarks.ts'

export type Isolation = 'reuse' | 'bounded' | 'request'

export interface PoolLimits {
  readonly maxRuntimes: number
  /** Requests that one runtime serves side by side, and all of them together. */
  readonly perRuntime: number
  readonly inFlight: number
  readonly isolation: Isolation
  /** For `bounded`: the runtime is reset after so many requests, or so long after its last reset. */
  readonly boundedRequests: number
  readonly boundedMs: number
  /** Garbage after an answer above which it is collected at the latest, and heap above which the runtime is reset then. */
  readonly gcSoftBytes: number
  readonly gcHighBytes: number
  readonly instance: InstanceLimits
}

/** What happened in a shard's pools, for its counters. */
export interface PoolEvents {
  /** A new instance. */
  opened(): void
  /** An instance was given a function's image that it had not. */
  loaded(): void
  /** A runtime was given up for another function, or for memory. */
  evicted(): void
  collected(): void
  reset(): void
  condemned(): void
  /** What a request has left on the heap, before any collection: how far its end has moved, and allocations that are alive. */
  left(bytes: number, allocations: number): void
  /** A memory may not grow, because the shard's budget is used up. */
  growthRefused(): void
  notOpened(error: unknown): void
}

/** What becomes of a runtime that comes back. */
export const FATE = { STAYS: 0, RESET: 1, CONDEMNED: 2, COLLECT: 3, COLLECT_LATER: 4 } as const

/** An instance with a function's image in it. */
export class Runtime {
  readonly instance: Instance
  /** Index of its function. */
  readonly functionIndex: number
  isLeased = false
  /** Requests that it serves at present. */
  inFlight = 0
  /** It takes no further request, and is reset after the last of those that it has. */
  isDraining = false
  /** It is in the list of those that are leased and take further requests. */
  isOpen = false
  /** It is in the list of those to be collected when there is time. */
  isDue = false
  lastUsedMs = 0
  /** Requests since the last reset. */
  served = 0
  loadedAtMs = 0
  /** The heap when the image had been loaded, after the last collection, and at the beginning of the request. */
  readonly loaded: HeapSize = { topBytes: 0, allocations: 0 }
  readonly alive: HeapSize = { topBytes: 0, allocations: 0 }
  readonly leased: HeapSize = { topBytes: 0, allocations: 0 }
  /** Body of the request, as far as it has come. */
  bodyBytes = 0

  constructor(instance: Instance, functionIndex: number) {
    this.instance = instance
    this.functionIndex = functionIndex
  }
}

function note({ memory }: Instance, size: HeapSize): void {
  size.topBytes = memory.topBytes
  size.allocations = memory.allocations
}

export class Pool<R extends Runtime> {
  readonly functionIndex: number
  readonly image: Image
  readonly limits: PoolLimits
  readonly marks: Watermarks
  readonly idle: R[] = []
  /** Leased runtimes that take further requests, the one that was leased last at the end. */
  readonly open: R[] = []
  /** Requests in all of its runtimes. */
  inFlight = 0
  /** Runtimes that exist, leased ones included. */
  size = 0
  /** Runtimes that are to be opened. */
  wanted = 0

  constructor(functionIndex: number, image: Image, limits: PoolLimits) {
    this.functionIndex = functionIndex
    this.image = image
    this.limits = limits
    this.marks = new Watermarks(limits.gcSoftBytes)
  }

  /** Whether its runtimes are reset so often that a write barrier costs less than to load the image each time. */
  get wantsBarrier(): boolean {
    return this.limits.isolation === 'request'
  }

  get isFull(): boolean {
    return this.size + this.wanted >= this.limits.maxRuntimes
  }

  /**
   * What is to become of a runtime after its request, by what went wrong, the isolation and the marks, in this order. One
   * whose request was given up (`spoiled`) is reset, since the guest is in the middle of something; or dropped when it has
   * touched much, since a memory cannot shrink.
   */
  fate(runtime: R, nowMs: number, spoiled: boolean): number {
    const { instance } = runtime
    const { isolation, boundedRequests, boundedMs, gcHighBytes } = this.limits
    if (instance.failure === 'engine') return FATE.CONDEMNED
    if (spoiled || instance.failure !== null) {
      return instance.memory.committedHeapBytes > gcHighBytes ? FATE.CONDEMNED : FATE.RESET
    }
    if (isolation === 'request') return FATE.RESET
    const isOld = runtime.served >= boundedRequests || nowMs - runtime.loadedAtMs >= boundedMs
    if (isolation === 'bounded' && isOld) return FATE.RESET
    // Its engine collects by itself: then what is there is alive, or will go.
    if (!instance.controlsGc) return instance.heapBytes > gcHighBytes ? FATE.RESET : FATE.STAYS
    const due = this.marks.due(instance.memory, runtime.alive, runtime.loaded, runtime.bodyBytes)
    return due === DUE.NO ? FATE.STAYS : due === DUE.NOW ? FATE.COLLECT : FATE.COLLECT_LATER
  }

  /** Whether there is a runtime for a further request at once. */
  get hasRoom(): boolean {
    return (this.idle.length > 0 || this.open.length > 0) && this.inFlight < this.limits.inFlight
  }

  /** A request begins, in a runtime that is idle or serves others. */
  begin(runtime: R): void {
    this.inFlight++
    if (runtime.inFlight++ === 0) {
      runtime.isLeased = true
      note(runtime.instance, runtime.leased)
      runtime.bodyBytes = 0
    }
    if (this.limits.perRuntime > 1) this.sort(runtime)
  }

  /** Puts a runtime among those that take further requests, or takes it out. */
  sort(runtime: R): void {
    const { inFlight, isDraining } = runtime
    const isOpen = inFlight > 0 && inFlight < this.limits.perRuntime && !isDraining
    if (isOpen === runtime.isOpen) return
    runtime.isOpen = isOpen
    if (isOpen) this.open.push(runtime)
    else this.open.splice(this.open.indexOf(runtime), 1)
  }

  /** A request has ended well. Where there are others the next one's account begins here. */
  end(runtime: R, events: PoolEvents): void {
    const { instance, leased, bodyBytes } = runtime
    const leftBytes = Math.max(0, instance.memory.topBytes - leased.topBytes)
    const leftAllocations = Math.max(0, instance.memory.allocations - leased.allocations)
    this.marks.note(leftBytes, leftAllocations, bodyBytes)
    events.left(leftBytes, leftAllocations)
    if (runtime.inFlight === 0) return
    note(instance, leased)
    runtime.bodyBytes = 0
  }

  /** Collects a runtime's garbage; what is to become of it then. */
  collect(runtime: R): number {
    const { instance } = runtime
    instance.collect()
    if (instance.failure !== null) return FATE.CONDEMNED
    note(instance, runtime.alive)
    return instance.heapBytes > this.limits.gcHighBytes ? FATE.RESET : FATE.STAYS
  }

  /** Puts the image in: a new runtime's first state, or a used one's again. */
  load(runtime: R, nowMs: number): void {
    runtime.instance.load(this.image, this.limits.instance)
    runtime.served = 0
    note(runtime.instance, runtime.loaded)
    note(runtime.instance, runtime.alive)
    runtime.loadedAtMs = nowMs
  }
}
