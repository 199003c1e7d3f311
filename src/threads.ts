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

interface Pool {
  readonly threads: Piscina
  /**
   * When so many threads have said that they are ready, or have ended. Piscina gives a task to none before, but to the one that
   * it starts for it. For one caller.
   */
  readonly heardOf: (count: number) => Promise<void>
}

interface Early extends Pool {
  readonly first: Promise<boolean>
}
let early: Early | undefined

function open(filename: string, maxThreads: number): Pool {
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
  let heard = 0
  let look = () => {}
  const one = () => {
    heard++
    look()
  }
  threads.on('workerCreate', one)
  threads.on('workerDestroy', one)
  const heardOf = (count: number) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (heard >= count) resolve()
      }
      look()
    })
  return { threads, heardOf }
}

/** Resolves when a thread more has loaded the entry, false if it could not; rejects never. */
function startOne(threads: Piscina): Promise<boolean> {
  return threads.run(null, { name: 'warm' }).then(
    () => true,
    () => false,
  )
}

/**
 * A thread's first answer and its word that it is ready come by two ports, in any order: one whose word is still on its way
 * would be passed over, and a thread more started for the next task.
 */
async function allReady({ heardOf }: Pool, starting: readonly Promise<boolean>[]): Promise<void> {
  const answers = await Promise.all(starting)
  await heardOf(answers.filter(Boolean).length)
}

/** Starts the first thread of the server that this process is going to start. It does not keep the process alive. */
export function startEarly(): void {
  const pool = open(entry, THREADS_MAX)
  early = { ...pool, first: startOne(pool.threads) }
}

/** `count` threads, with room for `more`. `filename`: URL of the built thread entry, the package's own by default. */
export function openThreads(count: number, more: number, filename: string = entry): Threads {
  const known = filename === entry ? early : undefined
  if (known !== undefined) early = undefined
  const pool = known ?? open(filename, count + more)
  const starting = known === undefined ? [] : [known.first]
  while (starting.length < count) starting.push(startOne(pool.threads))
  return { threads: pool.threads, ready: allReady(pool, starting) }
}
