// What the process may come to, from its configuration, before it serves: every term is either held by something or measured.
// What is left of the budget is what runtimes may touch, and a shard that could not have one runtime does not start.

import { totalmem } from 'node:os'
import { CHUNK_POOL_BYTES } from './acceptor/chunks.ts'
import type { ShardMemory } from './actor/plan.ts'
import { type Config, functionLimits } from './config/index.ts'
import { RingletError } from './errors.ts'

const MIB = 2 ** 20

/** Measured under load, and rounded up: Node.js itself with the acceptor, and what each actor's thread adds. */
const PROCESS_BYTES = 96 * MIB
const ACTOR_BYTES = 16 * MIB
/** A connection that has nothing under way: the socket's objects, the acceptor's and the actor's. */
const CONNECTION_BYTES = 12 << 10
/** Log lines that the output does not take, of a thread (src/log.ts). */
const LOG_BYTES = MIB + (64 << 10)
/** A guest that runs may touch what a new instance has before it is asked again (src/engine/budget.ts). One runs at a time. */
const RUNNING_BYTES = 16 * MIB
/** What an instance costs at least (src/engine/instance.ts), for the greatest number of them. */
const INSTANCE_BYTES_MIN = 1 * MIB
/** Each reserves address space, and some of the mappings that the system allows a process (vm.max_map_count). */
const INSTANCES_MAX = 8192
/** Beside the linear memory of the one runtime that a shard must have room for. */
const INSTANCE_OVERHEAD_BYTES = MIB
/** What is kept for clients is counted on either side of the rings: by the actor, and by the acceptor. */
const SIDES = 2
/** Where the configuration does not say: this share of a shard's part, within bounds. */
const BUFFERS_SHARE = 1 / 8
const BUFFERS_BYTES_MIN = 4 * MIB
const BUFFERS_BYTES_MAX = 256 * MIB
/** Of a file that is being compressed. */
const COMPRESS_COPIES = 3
/** Of the memory that the process may have, where the configuration does not say. */
const DEFAULT_SHARE = 3 / 4

/** What is known of the memory only when the functions are built. */
export interface MemoryFacts {
  readonly imageBytes: number
  /** Rings, counters and parser scratch of one shard. */
  readonly shardBytes: number
}

/** Bytes. All terms together are at most the budget. */
export interface MemoryBound {
  readonly budget: number
  /** Measured: threads, log lines; and for each shard what a running guest may touch before it is asked. */
  readonly process: number
  readonly images: number
  readonly connections: number
  readonly rings: number
  /** On both sides of the rings. */
  readonly buffers: number
  /** Static files: contents and what is known of them, what is being compressed, and what is on its way. 0 without static routes. */
  readonly files: number
  readonly runtimes: number
  readonly penaltyRuntimes: number
}

/** Memory that this process may have: the machine's, or its container's. */
export function availableBytes(): number {
  // In Node.js' types from 20 on, and 0 or absurdly large where there is no limit.
  const limit = process.constrainedMemory() ?? 0
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}

/**
 * Divides the budget. Throws {@link RingletError} RINGLET_MEMORY_BUDGET when a shard could not have one runtime. Without a
 * budget in the configuration it is what the process may have by default, or more where that is needed: whoever set no
 * bound is warned, not refused.
 */
export function boundMemory(config: Config, facts: MemoryFacts, available = availableBytes()): MemoryBound {
  const { cores, acceptor, connection, penalty, watchdog } = config
  const lanes = penalty.offences > 0 ? 1 : 0
  const shards = cores + lanes
  const wished = config.memoryBudget || available * DEFAULT_SHARE
  const threads = (shards + watchdog.spares) * (ACTOR_BYTES + LOG_BYTES)
  const others = {
    process: PROCESS_BYTES + LOG_BYTES + threads + shards * RUNNING_BYTES,
    images: facts.imageBytes,
    connections: acceptor.maxConnections * CONNECTION_BYTES,
    rings: shards * facts.shardBytes,
    files: fileBytes(config),
    penaltyRuntimes: lanes * oneRuntime(config),
  }
  const smallest = sum(others) + cores * oneRuntime(config)
  const buffers =
    connection.bufferedBytes || defaultBuffers(wished / shards, (wished - smallest) / (shards * SIDES))
  const terms = { ...others, buffers: shards * SIDES * buffers }
  const rest = sum(terms)
  const needed = rest + cores * oneRuntime(config)
  const budget = Math.floor(config.memoryBudget || Math.max(wished, needed))
  if (needed > budget) refuse(config, needed, budget, buffers)
  return { budget, ...terms, runtimes: cores * Math.floor((budget - rest) / cores) }
}

/** Contents and metadata, what is compressed (its source, its result, and where that is handed over), and files on their way. */
function fileBytes({ cores, static: statics, files }: Config): number {
  if (statics.length === 0) return 0
  const { cacheBytes, metadataBytes, compressBytes } = files
  return cores * (cacheBytes + metadataBytes + COMPRESS_COPIES * compressBytes) + CHUNK_POOL_BYTES
}

const sum = (terms: Record<string, number>): number =>
  Object.values(terms).reduce((total, bytes) => total + bytes, 0)

/** Where the budget is short, what runtimes leave (`roomBytes`): so it is refused only where the least of buffers does not fit. */
function defaultBuffers(shardBytes: number, roomBytes: number): number {
  const share = Math.floor(Math.min((shardBytes * BUFFERS_SHARE) / SIDES, roomBytes))
  return Math.min(BUFFERS_BYTES_MAX, Math.max(BUFFERS_BYTES_MIN, share))
}

/** What the largest function may come to. */
function oneRuntime(config: Config): number {
  const limits = config.functions.map((fn) => functionLimits(config, fn.limits).memoryBytes)
  return INSTANCE_OVERHEAD_BYTES + Math.max(config.limits.memoryBytes, ...limits)
}

function refuse(config: Config, needed: number, budget: number, buffers: number): never {
  const { cores, acceptor, limits } = config
  const problem =
    `memoryBudget (${budget}) is less than the ${Math.ceil(needed)} bytes that one runtime on each shard needs: ` +
    `raise memoryBudget, or lower cores (${cores}), limits.memoryBytes (${limits.memoryBytes}), ` +
    `connection.bufferedBytes (${buffers}) or acceptor.maxConnections (${acceptor.maxConnections})`
  throw new RingletError('RINGLET_MEMORY_BUDGET', { problem })
}

/** What one shard may have of it. */
export function shardMemory(bound: MemoryBound, cores: number, isPenaltyLane: boolean): ShardMemory {
  const shards = cores + (bound.penaltyRuntimes > 0 ? 1 : 0)
  const runtimeBytes = isPenaltyLane ? bound.penaltyRuntimes : bound.runtimes / cores
  const instances = Math.min(
    Math.floor(runtimeBytes / INSTANCE_BYTES_MIN),
    Math.floor(INSTANCES_MAX / shards),
  )
  return { runtimeBytes, instances: Math.max(1, instances), bufferedBytes: bound.buffers / (SIDES * shards) }
}
