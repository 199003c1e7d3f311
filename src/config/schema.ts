/**
 * The one schema of the configuration: every key with its default, its bounds and its meaning. Types, flags, environment
 * names, error lines and docs/config.md are all derived from it. Bounds that tie several keys together: checks.ts.
 */
import { availableParallelism } from 'node:os'
import * as v from 'valibot'
import { functionsSchema } from './function-schema.ts'
import { choice, fraction, GIB, KIB, MIB, powerOfTwo, string, wholeNumber } from './leaf.ts'
import { isolation, limitsSchema } from './limits-schema.ts'
import { filesSchema, staticSchema } from './static-schema.ts'

const CORES_MAX = 256
const HOUR_MS = 3_600_000

const log = v.strictObject({
  level: v.optional(
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      meaning: 'Least severe log line that is written.',
      flag: '--log-level',
    }),
    'info',
  ),
  access: v.optional(
    choice(['off', 'on', 'sampled'], {
      meaning:
        'Access lines: none, one per answer, or one per sampleEvery answers; independent of log.level.',
      flag: '--access-log',
    }),
    'off',
  ),
  sampleEvery: v.optional(
    wholeNumber(1, 1_000_000, { meaning: 'With access "sampled": one line per this many answers.' }),
    100,
  ),
  lineBytes: v.optional(
    wholeNumber(256, MIB, { meaning: 'Longest log line; longer texts in it are cut.' }),
    8 * KIB,
  ),
})

const acceptor = v.strictObject({
  maxConnections: v.optional(
    wholeNumber(1, 1_000_000, { meaning: 'Open connections; further ones are closed at once.' }),
    10_000,
  ),
  backlog: v.optional(
    wholeNumber(1, 65_535, { meaning: 'Connections the kernel queues before they are accepted.' }),
    1024,
  ),
  reusePort: v.optional(
    choice(['off', 'on'], {
      meaning:
        'Whether processes may listen on the same port, each getting a part of its connections; Node.js 23.1.',
    }),
    'off',
  ),
  readBufferBytes: v.optional(
    wholeNumber(4 * KIB, MIB, { meaning: 'Most bytes of one read from a socket, hence of one record.' }),
    64 * KIB,
  ),
  writeTimeoutMs: v.optional(
    wholeNumber(100, HOUR_MS, {
      meaning: 'A client that takes no byte of its answer for so long is closed.',
    }),
    30_000,
  ),
  spinMicros: v.optional(
    wholeNumber(0, 10_000, { meaning: 'How long the acceptor looks again for answers before it sleeps.' }),
    50,
  ),
})

const ring = v.strictObject({
  requestBytes: v.optional(
    powerOfTwo(64 * KIB, 256 * MIB, {
      meaning: "Capacity of a shard's ring from the acceptor to the actor.",
    }),
    MIB,
  ),
  responseBytes: v.optional(
    powerOfTwo(64 * KIB, 256 * MIB, {
      meaning: "Capacity of a shard's ring from the actor to the acceptor.",
    }),
    MIB,
  ),
  highWatermark: v.optional(
    fraction(0.01, 1, { meaning: 'Share of the request ring in use above which reading pauses.' }),
    0.75,
  ),
  lowWatermark: v.optional(
    fraction(0, 0.99, { meaning: 'Share of the request ring in use below which reading resumes.' }),
    0.25,
  ),
  batchRecords: v.optional(
    wholeNumber(1, 65_536, { meaning: 'Most records read from a ring before other work gets its turn.' }),
    256,
  ),
  spinMicros: v.optional(
    wholeNumber(0, 10_000, { meaning: 'How long an actor looks again for requests before it sleeps.' }),
    100,
  ),
})

const connection = v.strictObject({
  receiveWindowBytes: v.optional(
    wholeNumber(8 * KIB, 64 * MIB, {
      meaning: 'Bytes of a connection read but not yet consumed by its actor.',
    }),
    256 * KIB,
  ),
  sendWindowBytes: v.optional(
    wholeNumber(16 * KIB, 256 * MIB, {
      meaning: "Bytes of answers a connection's client has not yet taken.",
    }),
    MIB,
  ),
  bufferedBytes: v.optional(
    wholeNumber(0, 64 * GIB, {
      meaning:
        'Kept for the connections of a shard together: requests that are not complete, answers not taken; then 503. 0: a share of the memory budget.',
    }),
    0,
  ),
  parser: v.optional(
    choice(['auto', 'simd', 'scalar'], {
      meaning: 'Which head parser: auto takes simd where the processor has it, and scalar elsewhere.',
    }),
    'auto',
  ),
  leadingEmptyLines: v.optional(
    wholeNumber(0, 64, { meaning: 'Empty lines ignored before a request line (RFC 9112, section 2.2).' }),
    4,
  ),
  maxRequests: v.optional(
    wholeNumber(0, 1_000_000_000, {
      meaning: 'Requests answered on one connection before it closes; 0: no limit.',
    }),
    0,
  ),
})

const fetch = v.strictObject({
  connections: v.optional(
    wholeNumber(1, 10_000, {
      meaning: 'Connections of a shard to one origin; further requests to it wait for one.',
    }),
    64,
  ),
  connectMs: v.optional(
    wholeNumber(10, HOUR_MS, { meaning: 'Time to resolve a name, connect, and agree on TLS.' }),
    10_000,
  ),
  headMs: v.optional(
    wholeNumber(10, HOUR_MS, { meaning: 'Time from a sent request to the head of its response.' }),
    30_000,
  ),
  idleMs: v.optional(
    wholeNumber(10, HOUR_MS, { meaning: "Time between two pieces of a response's body." }),
    30_000,
  ),
  keepAliveMs: v.optional(
    wholeNumber(1, HOUR_MS, { meaning: 'How long an idle connection is kept for the next request.' }),
    4000,
  ),
  responseBytes: v.optional(
    wholeNumber(KIB, 64 * GIB, { meaning: 'Body of a response that a function fetches, decoded.' }),
    64 * MIB,
  ),
})

const timeouts = v.strictObject({
  headMs: v.optional(
    wholeNumber(10, HOUR_MS, {
      meaning: 'From the first byte of a request to the end of its head; then 408.',
    }),
    10_000,
  ),
  bodyMs: v.optional(
    wholeNumber(10, HOUR_MS, { meaning: 'From the end of the head to the end of the body; then 408.' }),
    30_000,
  ),
  idleMs: v.optional(
    wholeNumber(10, HOUR_MS, { meaning: 'A connection without a request is closed after this.' }),
    60_000,
  ),
  shutdownMs: v.optional(
    wholeNumber(0, HOUR_MS, { meaning: 'Longest wait for answers in flight when the server stops.' }),
    10_000,
  ),
})

const pool = v.strictObject({
  maxPerFunction: v.optional(wholeNumber(1, 1024, { meaning: 'Runtimes of one function on one shard.' }), 64),
  prewarm: v.optional(
    wholeNumber(0, 1024, { meaning: 'Runtimes of each function made ready on each shard at start.' }),
    1,
  ),
  blanks: v.optional(
    wholeNumber(0, 64, {
      meaning:
        'Ready runtimes on each shard that no function has yet: a first request is one copy then. Where some functions have request isolation and others do not, so many for either.',
    }),
    2,
  ),
  queueRequests: v.optional(
    wholeNumber(0, 100_000, {
      meaning: 'Requests of a shard that wait for a runtime; further ones get 503.',
    }),
    1000,
  ),
  queueMs: v.optional(
    wholeNumber(0, 60_000, { meaning: 'Longest wait of a request for a runtime; then 503.' }),
    1000,
  ),
})

const gc = v.strictObject({
  softBytes: v.optional(
    wholeNumber(64 * KIB, 1024 * MIB, {
      meaning:
        'Garbage in a runtime above which it is collected after an answer at the latest; what requests leave may lower the mark.',
    }),
    2 * MIB,
  ),
  highBytes: v.optional(
    wholeNumber(64 * KIB, 1024 * MIB, {
      meaning: 'Heap beyond the image’s own above which, when collected, a runtime is reset.',
    }),
    16 * MIB,
  ),
})

const bounded = v.strictObject({
  requests: v.optional(
    wholeNumber(1, 1_000_000_000, {
      meaning: 'With isolation "bounded": answers after which a runtime is reset.',
    }),
    1000,
  ),
  seconds: v.optional(
    wholeNumber(1, 86_400, { meaning: 'With isolation "bounded": age at which a runtime is reset.' }),
    60,
  ),
})

const cache = v.strictObject({
  mode: v.optional(
    choice(['on', 'off'], {
      meaning: 'Whether functions that are ready to run are kept on disk for the next start.',
      flag: '--cache',
    }),
    'on',
  ),
  folder: v.optional(
    v.nullable(
      string(
        4096,
        {
          meaning: 'Where; relative to the folder of the configuration file. Nobody else may write there.',
          defaultText: '$XDG_CACHE_HOME/ringlet or ~/.cache/ringlet',
        },
        undefined,
        'a path',
      ),
    ),
    null,
  ),
  maxBytes: v.optional(
    wholeNumber(MIB, 1024 * 1024 * MIB, {
      meaning: 'Size of all its files together; beyond it the oldest are removed.',
    }),
    1024 * MIB,
  ),
})

const restart = v.strictObject({
  max: v.optional(
    wholeNumber(0, 1000, {
      meaning: 'Restarts of one actor within windowMs; one more ends the process with exit code 1.',
    }),
    5,
  ),
  windowMs: v.optional(
    wholeNumber(100, HOUR_MS, { meaning: 'The window in which restarts are counted.' }),
    60_000,
  ),
})

const watchdog = v.strictObject({
  graceMs: v.optional(
    wholeNumber(50, 60_000, {
      meaning:
        'How long native code that cannot be interrupted may go on after limits.cpuMs; then its thread is ended.',
    }),
    250,
  ),
  spares: v.optional(
    wholeNumber(0, 1, {
      meaning: 'Threads kept ready to take over the shard of one that was ended; 0: it is started then.',
    }),
    1,
  ),
  strikes: v.optional(
    wholeNumber(1, 1000, {
      meaning: 'Threads that a function may cost within windowMs; then its quarantine.',
    }),
    3,
  ),
  windowMs: v.optional(
    wholeNumber(100, 24 * HOUR_MS, { meaning: 'The window in which strikes are counted.' }),
    600_000,
  ),
  holdMs: v.optional(
    wholeNumber(0, 600_000, {
      meaning:
        'Processor time that one run of a function may have while requests wait for its shard; then 503, whatever limits.cpuMs says. 0: never; with a single function never.',
    }),
    1000,
  ),
  quarantineMs: v.optional(
    wholeNumber(100, 24 * HOUR_MS, { meaning: 'How long a function in quarantine is answered 503.' }),
    60_000,
  ),
})

const penalty = v.strictObject({
  offences: v.optional(
    wholeNumber(0, 1_000_000, {
      meaning:
        'Requests that used up limits.cpuMs or limits.memoryBytes within windowMs; then their function is served apart. 0: never.',
    }),
    4,
  ),
  windowMs: v.optional(wholeNumber(10, HOUR_MS, { meaning: 'The window in which they are counted.' }), 2000),
  busyMs: v.optional(
    wholeNumber(0, HOUR_MS, {
      meaning:
        'Processor time of a request from which on it is counted with them, though it stayed within its limits. 0: none is.',
    }),
    0,
  ),
  ms: v.optional(
    wholeNumber(10, 24 * HOUR_MS, {
      meaning: 'How long a function is served apart after its last such request.',
    }),
    10_000,
  ),
})

const balance = v.strictObject({
  lookMs: v.optional(
    wholeNumber(0, 10_000, {
      meaning: 'How often it is looked which shards are busy, so that idle connections leave them; 0: never.',
    }),
    20,
  ),
  busyShare: v.optional(
    fraction(0.1, 1, { meaning: 'A shard that has so large a share of its time to work is busy.' }),
    0.75,
  ),
  calmShare: v.optional(
    fraction(0, 0.9, {
      meaning: 'A shard with no more than this is calm: it takes connections of a busy one.',
    }),
    0.25,
  ),
  stayMs: v.optional(
    wholeNumber(0, HOUR_MS, {
      meaning: 'A connection that has moved, or keeps its shard busy, stays for so long.',
    }),
    5000,
  ),
  connections: v.optional(
    wholeNumber(1, 10_000, { meaning: 'Most connections that leave a shard at one look.' }),
    8,
  ),
})

export const configSchema = v.strictObject({
  host: v.optional(
    string(
      255,
      { meaning: 'Address or name to listen on.', flag: '--host' },
      /^\S+$/,
      'an address or a name',
    ),
    '127.0.0.1',
  ),
  port: v.optional(
    wholeNumber(0, 65_535, { meaning: 'Port to listen on; 0: any free one.', flag: '--port' }),
    8080,
  ),
  cores: v.optional(
    wholeNumber(1, CORES_MAX, {
      meaning: 'Shards: actor threads, each with a ring pair.',
      flag: '--cores',
      defaultText: 'processors available',
    }),
    () => Math.min(availableParallelism(), CORES_MAX),
  ),
  memoryBudget: v.optional(
    wholeNumber(0, 1024 * GIB, {
      meaning:
        'Bytes that the process may have: it does not start when its configuration needs more. 0: three quarters of what the machine or its container has.',
    }),
    0,
  ),
  engine: v.optional(
    choice(['quickjs', 'quickjs-ng'], {
      meaning: "Which build of QuickJS runs the functions: Bellard's, or quickjs-ng's.",
      flag: '--engine',
    }),
    'quickjs',
  ),
  isolation: v.optional(isolation('--isolation'), 'reuse'),
  log: v.optional(log, {}),
  acceptor: v.optional(acceptor, {}),
  ring: v.optional(ring, {}),
  connection: v.optional(connection, {}),
  limits: v.optional(limitsSchema, {}),
  fetch: v.optional(fetch, {}),
  timeouts: v.optional(timeouts, {}),
  pool: v.optional(pool, {}),
  gc: v.optional(gc, {}),
  bounded: v.optional(bounded, {}),
  restart: v.optional(restart, {}),
  watchdog: v.optional(watchdog, {}),
  penalty: v.optional(penalty, {}),
  balance: v.optional(balance, {}),
  cache: v.optional(cache, {}),
  static: v.optional(staticSchema, []),
  files: v.optional(filesSchema, {}),
  functions: v.optional(functionsSchema, []),
})

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** The effective configuration: complete, validated, frozen. */
export type Config = DeepReadonly<v.InferOutput<typeof configSchema>>
/** What a caller may give: any part of it; the rest is defaults. */
export type ConfigInput = DeepReadonly<v.InferInput<typeof configSchema>>
export type FunctionConfig = Config['functions'][number]
