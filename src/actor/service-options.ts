// What the service of a shard is made of.

import type { Activity, Counters } from '@shared/ringbuffer'
import type { Pools } from '../engine/pools.ts'
import type { Router } from '../functions/router.ts'
import type { Standing } from '../standing.ts'
import type { BufferBudget } from './bytes.ts'
import type { HostWork } from './calls.ts'
import type { Outbox } from './outbox.ts'
import type { Reporter } from './report.ts'
import type { GuestRuntime } from './runtime.ts'
import type { Session } from './session.ts'
import type { StaticService } from './static.ts'

export interface ServiceOptions {
  readonly pools: Pools<GuestRuntime>
  readonly functions: number
  readonly router: Router
  /** Static routes: the router's indexes behind those of functions. */
  readonly statics: StaticService
  readonly outbox: Outbox
  readonly counters: Counters
  readonly activity: Activity
  readonly standing: Standing
  /** One of `LANE`: which functions this shard is for. */
  readonly lane: number
  /** Whether there are other shards of the normal lane. */
  readonly hasOthers: boolean
  readonly report: Reporter
  readonly sendWindowBytes: number
  readonly responseHeadBytes: number
  /** Requests on one connection before it is closed, 0 for no limit. */
  readonly maxRequests: number
  readonly queueRequests: number
  readonly queueMs: number
  /** `watchdog.holdMs`, for the log. */
  readonly holdMs: number
  /** `penalty.busyMs`: processor time from which on an answered request is reported as well; 0: none is. */
  readonly busyMs: number
  /** What sessions and waiting requests may keep together. */
  readonly buffers: BufferBudget
  /** What guests have the host do. */
  readonly work: HostWork
  /** A session has moved on outside of its own input: by a timer, or a runtime that came free. */
  readonly onProgress: (session: Session) => void
}
