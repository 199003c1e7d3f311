// What an actor is given at its start: plain data, cloned to the thread, with the large parts in shared memory.

import type { SharedMemory } from '@shared/ringbuffer'
import type { Config } from '../config/index.ts'
import type { EngineKit } from '../engine/build.ts'
import type { Image } from '../engine/image.ts'
import type { Isolation } from '../engine/pool.ts'
import type { MapSource } from '../functions/source-map.ts'
import type { HeadLimits } from '../http/head-limits.ts'
import type { ShardHandle } from '../shard.ts'
import type { StaticPlan } from '../static/plan.ts'

/** One function, ready to run. */
export interface FunctionPlan {
  readonly name: string
  readonly routes: readonly string[]
  readonly image: Image
  readonly isolation: Isolation
  /** JSON text of its env, null for none. Handed to the guest at its first request, never part of an image. */
  readonly env: string | null
  /** Source map of its bundle, for stack traces in the log. */
  readonly map: MapSource
  /** The folder that it answers from by `env.ASSETS`: `functions[].assets`; null for none. */
  readonly assets: StaticPlan | null
  /** Where it may send requests: `functions[].fetch`. */
  readonly fetch: { readonly allow: readonly string[]; readonly addresses: readonly string[] }
  readonly limits: {
    readonly cpuMs: number
    readonly wallMs: number
    readonly memoryBytes: number
    readonly stackBytes: number
    readonly responseBytes: number
    readonly streamBytes: number
    readonly streamIdleMs: number
    readonly streamMs: number
    readonly timers: number
    readonly pendingCalls: number
    readonly subrequests: number
    readonly hostCalls: number
    readonly concurrency: number
    readonly requestsPerRuntime: number
  }
}

/** The sections of the configuration that an actor reads. */
export type ActorConfig = Pick<
  Config,
  | 'log'
  | 'ring'
  | 'connection'
  | 'limits'
  | 'timeouts'
  | 'pool'
  | 'gc'
  | 'bounded'
  | 'fetch'
  | 'watchdog'
  | 'penalty'
  | 'files'
>

/** A shard's share of the memory budget (src/memory.ts). */
export interface ShardMemory {
  /** Of all instances together, by what they have touched. */
  readonly runtimeBytes: number
  readonly instances: number
  /** Of all buffers of its actor together. */
  readonly bufferedBytes: number
}

export interface ActorPlan {
  readonly shard: ShardHandle
  readonly kit: EngineKit
  /** The compiled SIMD parser; null where the scalar one serves. */
  readonly parser: WebAssembly.Module | null
  readonly functions: readonly FunctionPlan[]
  readonly statics: readonly StaticPlan[]
  /** Where files that were compressed for this shard come to lie. */
  readonly exchange: SharedArrayBuffer
  /** Memory of a `Standing`. */
  readonly standing: SharedMemory
  /** One of `LANE`. */
  readonly lane: number
  /** Whether there are other shards of the normal lane. */
  readonly hasOthers: boolean
  readonly config: ActorConfig
  readonly memory: ShardMemory
}

export function headLimits({ limits, connection }: Pick<Config, 'limits' | 'connection'>): HeadLimits {
  const { headBytes, targetBytes, fields } = limits
  return { headBytes, targetBytes, fields, leadingEmptyLines: connection.leadingEmptyLines }
}
