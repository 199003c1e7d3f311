// The threads that actors run in. The command starts the first one before it has loaded anything else: a thread takes longer to
// start than all the rest of a start with a warm cache.

import { Piscina } from 'piscina'

/** Thread stack: with the guest's own stack limit below it, recursion ends as a guest's error (design/engine.md). */
const THREAD_STACK_MB = 16
/** V8's young generation of an actor: what it allocates per request is little and short-lived, and its default is 48 MB. */
const YOUNG_GENERATION_MB = 6
/** More than any configuration asks for: how many there are is not known yet when the first one starts. */
const THREADS_MAX = 1024

const entry = new URL('./workers/actor.cjs', import.meta.url).href

export interface Threads {
  readonly threads: Piscina
  /** When as many as were asked for can run a task at once. A task that is run before would start one more. Never rejects. */
  readonly ready: Promise<unknown>
}

interface Early {
  readonly threads: Piscina
  readonly first: Promise<unknown>
}
let early: Early | undefined

function open(filename: string, maxThreads: number): Piscina {
  const threads = new Piscina({
    filename,
    // Each is started by a task: with a minimum, piscina would start those too, and one more for a task that finds them starting.
    minThreads: 0,
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

/** Resolves when a thread more has loaded the entry, and may be used; rejects never. */
function startOne(threads: Piscina): Promise<unknown> {
  return threads.run(null, { name: 'warm' }).catch(() => {})
}

/** Starts the first thread of the server that this process is going to start. It does not keep the process alive. */
export function startEarly(): void {
  const threads = open(entry, THREADS_MAX)
  early = { threads, first: startOne(threads) }
}

/** `count` threads, with room for `more`. `filename`: URL of the built thread entry, the package's own by default. */
export function openThreads(count: number, more: number, filename: string = entry): Threads {
  const known = filename === entry ? early : undefined
  if (known !== undefined) early = undefined
  const threads = known?.threads ?? open(filename, count + more)
  const starting = known === undefined ? [] : [known.first]
  while (starting.length < count) starting.push(startOne(threads))
  return { threads, ready: Promise.all(starting) }
}
