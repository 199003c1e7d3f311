// The threads that actors run in. The command starts the first one before it has loaded anything else: a thread takes longer to
// start than all the rest of a start with a warm cache.

import { Piscina } from 'piscina'

/** Thread stack: with the guest's own stack limit below it, recursion ends as a guest's error (design/engine.md). */
const THREAD_STACK_MB = 16
/** V8's young generation of an actor: what it allocates per request is little and short-lived, and its default is 48 MB. */
const YOUNG_GENERATION_MB = 6
/** More than any configuration asks for: how many there are is not known yet when the first one starts. */
const THREADS_MAX = 1024

const entry = new URL('./workers/actor.js', import.meta.url).href
let early: Piscina | undefined

function open(filename: string, minThreads: number, maxThreads: number): Piscina {
  const threads = new Piscina({
    filename,
    minThreads,
    maxThreads,
    concurrentTasksPerWorker: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // An actor sleeps on its own doorbell; piscina's waiting for tasks on another would only add wake-ups.
    atomics: 'disabled',
    resourceLimits: { stackSizeMb: THREAD_STACK_MB, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  })
  // A thread's death also rejects its task's promise, and is dealt with there.
  threads.on('error', () => {})
  return threads
}

/** Starts the first thread of the server that this process is going to start. It does not keep the process alive. */
export function startEarly(): void {
  early = open(entry, 1, THREADS_MAX)
}

/** `count` threads, with room for `more`. `filename`: URL of the built thread entry, the package's own by default. */
export function openThreads(count: number, more: number, filename: string = entry): Piscina {
  const threads = early
  if (threads === undefined || filename !== entry) return open(filename, count, count + more)
  early = undefined
  for (let i = 0; i < count; i++) threads.run(null, { name: 'warm' }).catch(() => {})
  return threads
}
