/** Limits: the whole section, and the part of it that one function may override. */
import * as v from 'valibot'
import { choice, GIB, KIB, MIB, multipleOf, wholeNumber } from './leaf.ts'

const DAY_MS = 86_400_000

export const isolation = (flag?: string) =>
  choice(['reuse', 'bounded', 'request'], {
    meaning:
      "When a function's runtime is reset: never unless it must be, within bounds, or after each request.",
    ...(flag && { flag }),
  })

const cpuMs = wholeNumber(1, 60_000, { meaning: 'Processor time of one request in its handler; then 503.' })
const wallMs = wholeNumber(1, 600_000, {
  meaning: 'Time from a request to its answer, waits included; then 504.',
})
/** 16 MiB is what the engine's memory starts with; a WebAssembly page is 64 KiB. */
const memoryBytes = multipleOf(64 * KIB, 20 * MIB, GIB, {
  meaning: "Memory of one runtime, 16 MiB of it the engine's; then 503.",
})
/** Above this some recursion overflows the thread's own stack before the guest's. */
const stackBytes = wholeNumber(32 * KIB, 512 * KIB, { meaning: 'Stack of one runtime.' })
const responseBytes = wholeNumber(KIB, 256 * MIB, {
  meaning: 'Body of an answer that is there whole; then 500.',
})
const streamBytes = wholeNumber(KIB, 1024 * GIB, {
  meaning: 'Body of an answer that comes piece by piece; what is longer is cut off.',
})
const streamIdleMs = wholeNumber(10, DAY_MS, {
  meaning: 'Time in which a streamed answer must have a further piece, while its client takes them.',
})
const streamMs = wholeNumber(10, DAY_MS, {
  meaning: 'Time from the head of a streamed answer to its end.',
})
const timers = wholeNumber(0, 100_000, { meaning: 'Timers of one request that are pending.' })
const pendingCalls = wholeNumber(0, 10_000, {
  meaning: 'Host calls of one request that take time and have not ended: fetch, cryptography and the like.',
})
const subrequests = wholeNumber(0, 10_000, {
  meaning: 'Requests that a handler sends by fetch during one request, redirects included; then 500.',
})
const hostCalls = wholeNumber(1, 10_000_000, {
  meaning: 'Calls from a handler to its host during one request.',
})
const concurrency = wholeNumber(1, 10_000, {
  meaning: 'Requests in flight per function and shard; further ones wait.',
})
const requestsPerRuntime = wholeNumber(1, 1024, {
  meaning: 'Requests that one runtime serves side by side, while their handlers wait; 1: one at a time.',
})

export const limitsSchema = v.strictObject({
  headBytes: v.optional(
    wholeNumber(KIB, MIB, { meaning: 'Request line and fields together; then 431.' }),
    16 * KIB,
  ),
  targetBytes: v.optional(wholeNumber(64, 512 * KIB, { meaning: 'Request target; then 414.' }), 8 * KIB),
  fields: v.optional(wholeNumber(8, 4096, { meaning: "Fields of a request's head; then 431." }), 100),
  bodyBytes: v.optional(wholeNumber(0, 64 * GIB, { meaning: 'Body of a request; then 413.' }), MIB),
  inlineBodyBytes: v.optional(
    wholeNumber(0, 256 * MIB, {
      meaning:
        'Body that is awaited whole before its handler runs; of a longer one the handler gets what comes.',
    }),
    MIB,
  ),
  chunkOverheadBytes: v.optional(
    wholeNumber(KIB, 16 * MIB, {
      meaning: 'Chunk sizes and extensions of one chunked body together; then 413.',
    }),
    16 * KIB,
  ),
  trailerBytes: v.optional(
    wholeNumber(0, MIB, { meaning: 'Trailer fields after a chunked body; then 431.' }),
    8 * KIB,
  ),
  responseBytes: v.optional(responseBytes, 8 * MIB),
  streamBytes: v.optional(streamBytes, GIB),
  streamIdleMs: v.optional(streamIdleMs, 60_000),
  streamMs: v.optional(streamMs, 3_600_000),
  responseHeadBytes: v.optional(
    wholeNumber(KIB, MIB, { meaning: 'Status line and fields of an answer together; then 500.' }),
    32 * KIB,
  ),
  cpuMs: v.optional(cpuMs, 50),
  wallMs: v.optional(wallMs, 10_000),
  memoryBytes: v.optional(memoryBytes, 64 * MIB),
  stackBytes: v.optional(stackBytes, 256 * KIB),
  timers: v.optional(timers, 1000),
  pendingCalls: v.optional(pendingCalls, 100),
  subrequests: v.optional(subrequests, 50),
  hostCalls: v.optional(hostCalls, 10_000),
  concurrency: v.optional(concurrency, 64),
  requestsPerRuntime: v.optional(requestsPerRuntime, 1),
  initMs: v.optional(
    wholeNumber(10, 60_000, { meaning: "Processor time of a function's top-level code at start." }),
    5000,
  ),
})

/** What `functions[].limits` may hold: no defaults, what is left out comes from the section above. */
export const functionLimitsSchema = v.strictObject({
  cpuMs: v.exactOptional(cpuMs),
  wallMs: v.exactOptional(wallMs),
  memoryBytes: v.exactOptional(memoryBytes),
  stackBytes: v.exactOptional(stackBytes),
  responseBytes: v.exactOptional(responseBytes),
  streamBytes: v.exactOptional(streamBytes),
  streamIdleMs: v.exactOptional(streamIdleMs),
  streamMs: v.exactOptional(streamMs),
  timers: v.exactOptional(timers),
  pendingCalls: v.exactOptional(pendingCalls),
  subrequests: v.exactOptional(subrequests),
  hostCalls: v.exactOptional(hostCalls),
  concurrency: v.exactOptional(concurrency),
  requestsPerRuntime: v.exactOptional(requestsPerRuntime),
})
