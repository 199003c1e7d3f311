// A shard's shared memory: one WebAssembly.Memory with the actor's doorbell, both rings and the shard's counters, so that
// everything a shard shares lies in one place (and a WebAssembly parser can work on the ring's own bytes).

import {
  Activity,
  activityBytes,
  CACHE_LINE_BYTES,
  Counters,
  countersBytes,
  createSharedMemory,
  Doorbell,
  doorbellBytes,
  type RingPlace,
  ringBytes,
  type SharedMemory,
} from '@shared/ringbuffer'
import { ACTOR_NUMBERS, LINK_COUNTERS } from './metrics.ts'

export interface ShardSizes {
  readonly requestBytes: number
  readonly responseBytes: number
  /** For the actor's parser; 0 for none. */
  readonly scratchBytes: number
  /** Shares of the capacity. */
  readonly highWatermark: number
  readonly lowWatermark: number
}

/** Places in a shard's memory; plain numbers, the same on both sides. */
interface ShardLayout {
  readonly bytes: number
  readonly doorbell: number
  readonly requestRoomBell: number
  readonly answerRoomBell: number
  readonly activity: number
  readonly actorCounters: number
  readonly linkCounters: number
  readonly request: number
  readonly response: number
  readonly scratch: number
  readonly sizes: ShardSizes
}

/** What an actor and the acceptor are given to meet: structured-cloneable. */
export interface ShardHandle {
  readonly index: number
  readonly memory: SharedMemory
  readonly layout: ShardLayout
  /** One doorbell of the acceptor for all shards. */
  readonly acceptorBell: SharedMemory
}

/** Bytes of a shard's memory. */
export function shardBytes(sizes: ShardSizes): number {
  return layoutShard(sizes).bytes
}

function layoutShard(sizes: ShardSizes): ShardLayout {
  let at = 0
  const take = (bytes: number) => {
    const from = at
    at += Math.ceil(bytes / CACHE_LINE_BYTES) * CACHE_LINE_BYTES
    return from
  }
  const doorbell = take(doorbellBytes)
  const requestRoomBell = take(doorbellBytes)
  const answerRoomBell = take(doorbellBytes)
  const activity = take(activityBytes)
  const actorCounters = take(countersBytes(ACTOR_NUMBERS))
  const linkCounters = take(countersBytes(LINK_COUNTERS.length))
  const request = take(ringBytes(sizes.requestBytes))
  const response = take(ringBytes(sizes.responseBytes))
  // Last, so that whatever is parsed in place has memory behind it.
  const scratch = take(sizes.scratchBytes)
  const bells = { doorbell, requestRoomBell, answerRoomBell }
  return { bytes: at, ...bells, activity, actorCounters, linkCounters, request, response, scratch, sizes }
}

export function createShard(index: number, sizes: ShardSizes, acceptorBell: SharedMemory): ShardHandle {
  const layout = layoutShard(sizes)
  return { index, memory: createSharedMemory(layout.bytes), layout, acceptorBell }
}

/** Where the actor sleeps. */
export function actorBell({ memory, layout }: ShardHandle): Doorbell {
  return new Doorbell({ buffer: memory.buffer, offset: layout.doorbell })
}

/** Rung by the actor when it has released request-ring space that the acceptor said it waits for. Nobody sleeps on it. */
export function requestRoomBell({ memory, layout }: ShardHandle): Doorbell {
  return new Doorbell({ buffer: memory.buffer, offset: layout.requestRoomBell })
}

/** Where the actor sleeps while the response ring is full: a bell of its own, or every drain would wake an idle actor. */
export function answerRoomBell({ memory, layout }: ShardHandle): Doorbell {
  return new Doorbell({ buffer: memory.buffer, offset: layout.answerRoomBell })
}

/** Where the acceptor sleeps, for all shards. */
export function acceptorBell(handle: ShardHandle): Doorbell {
  return new Doorbell({ buffer: handle.acceptorBell.buffer, offset: 0 })
}

/** The guest that the actor runs now, with its tags: function, slot, generation, and when its request is to be over (`sharedMs`). */
export function actorActivity({ memory, layout }: ShardHandle): Activity {
  return new Activity({ buffer: memory.buffer, offset: layout.activity })
}

/** The ring from the acceptor to the actor. */
export function requestRing({ memory, layout }: ShardHandle): RingPlace {
  const capacity = layout.sizes.requestBytes
  return {
    buffer: memory.buffer,
    offset: layout.request,
    capacity,
    highWatermark: Math.floor(capacity * layout.sizes.highWatermark),
    lowWatermark: Math.floor(capacity * layout.sizes.lowWatermark),
  }
}

/** The ring from the actor to the acceptor. */
export function responseRing({ memory, layout }: ShardHandle): RingPlace {
  return { buffer: memory.buffer, offset: layout.response, capacity: layout.sizes.responseBytes }
}

export function actorCounters({ memory, layout }: ShardHandle): Counters {
  return new Counters({ buffer: memory.buffer, offset: layout.actorCounters }, ACTOR_NUMBERS)
}

export function linkCounters({ memory, layout }: ShardHandle): Counters {
  return new Counters({ buffer: memory.buffer, offset: layout.linkCounters }, LINK_COUNTERS.length)
}
