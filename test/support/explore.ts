/**
 * Explores every sequentially consistent interleaving of a few threads that share int32 words.
 *
 * A thread is a synchronous function over a `ThreadWords`, the same `Words` that the shipped ring code takes. A body is run
 * again from its start for each new history of results, with the known results played back, until it asks for one that is
 * not known yet: so ordinary code needs no rewriting to be stopped at any access. States (memory and histories) are visited
 * once.
 *
 * Found as bugs: an exception in a body, a state in which nobody can go on (deadlock, lost wakeup), and a data race, by vector
 * clocks. Plain accesses go together with the atomic step before them, which loses nothing: the order of two plain accesses
 * matters only if they race, and then their clocks say so in whatever order they come. A program without data races in its
 * sequentially consistent executions has only such executions (ECMAScript memory model), so what holds here holds on weakly
 * ordered hardware too.
 */
import type { WaitOutcome, Words } from '../../src/shared/ringbuffer/index.ts'
import { type Kind, ModelMemory, type Op, type Result } from './explore-memory.ts'

export interface ThreadWords extends Words {
  /** Event loop: blocks until a wake-up of a `waitAsync` (whose callbacks have then run) or a posted event comes, in any order. */
  turn(): 'wake' | 'event'
  /** Gives the thread with that number an event. */
  post(thread: number): void
  /** A fair spin: blocks until the word differs from `value`; returns what it holds. */
  spinWhile(index: number, value: number): number
}

export type Body = (words: ThreadWords) => void

export interface ExploreOptions {
  /** Words that do not start as zero. */
  initial?: ReadonlyArray<readonly [index: number, value: number]>
  /** Data races are intended: plain accesses are steps of their own, and not checked. */
  racy?: boolean
  /** A seeded bug: `notify` wakes the first waiter only. */
  notifyOne?: boolean
}

export interface Exploration {
  /** What went wrong first, or undefined when nothing can. */
  bug: string | undefined
  /** The steps that lead there, one line each. */
  trace: string[]
  states: number
}

/** A thread's history: the results of its steps so far, and the step it asks for next. */
interface History {
  id: number
  parent: History | undefined
  result: Result | undefined
  next: Map<Result, History>
  pending: Op | undefined
  error: Error | undefined
}

interface State {
  memory: ModelMemory
  histories: History[]
  from: State | undefined
  steps: string[]
}

const MAX_STATES = 2_000_000
const SUSPEND = Symbol('suspend')

export function explore(bodies: readonly Body[], options: ExploreOptions = {}): Exploration {
  return new Explorer(bodies, options).run()
}

class Explorer {
  readonly #bodies: readonly Body[]
  readonly #options: ExploreOptions
  /** Dense numbers of the words in use. */
  readonly #slots = new Map<number, number>()
  readonly #seen = new Set<string>()
  readonly #stack: State[] = []
  #historyCount = 0

  constructor(bodies: readonly Body[], options: ExploreOptions) {
    this.#bodies = bodies
    this.#options = options
  }

  run(): Exploration {
    this.#stack.push(this.#start())
    for (let state = this.#stack.pop(); state !== undefined; state = this.#stack.pop()) {
      const found = this.#expand(state)
      if (found !== undefined) return { bug: found[0], trace: traceOf(found[1]), states: this.#seen.size }
      if (this.#seen.size > MAX_STATES)
        throw new Error(`more than ${MAX_STATES} states: make the threads smaller`)
    }
    return { bug: undefined, trace: [], states: this.#seen.size }
  }

  #start(): State {
    const memory = new ModelMemory(this.#bodies.length)
    for (const [index, value] of this.#options.initial ?? []) memory.words[this.#slot(index)] = value
    const histories = this.#bodies.map((_, thread) => this.#history(thread, undefined, undefined))
    return { memory, histories, from: undefined, steps: [] }
  }

  /** Pushes the state's unseen successors; returns the bug that shows in one, if any. */
  #expand(state: State): [bug: string, at: State] | undefined {
    let stuck = true
    for (const [thread, { pending }] of state.histories.entries()) {
      if (pending === undefined) continue
      for (const choice of state.memory.choices(thread, pending, this.#slot(pending.index))) {
        stuck = false
        const next = {
          memory: state.memory.copy(),
          histories: state.histories.slice(),
          from: state,
          steps: [],
        }
        const bug = this.#advance(next, thread, choice)
        if (bug !== undefined) return [`thread ${thread}: ${bug}`, next]
        this.#push(next)
      }
    }
    const unfinished = state.histories.some((history) => history.pending !== undefined)
    return stuck && unfinished ? ['deadlock or lost wakeup', state] : undefined
  }

  /** Takes the thread's next step, and the plain accesses that follow it. */
  #advance(state: State, thread: number, choice: number): string | undefined {
    for (let first = true; ; first = false) {
      const history = state.histories[thread]!
      if (history.error !== undefined) return history.error.message
      const op = history.pending
      const plain = !this.#options.racy && (op?.kind === 'get' || op?.kind === 'set')
      if (op === undefined || !(first || plain)) return undefined
      const slot = this.#slot(op.index)
      const racing = plain ? state.memory.race(thread, op.kind as 'get' | 'set', slot) : undefined
      if (racing !== undefined) return `data race with thread ${racing} on word ${op.index}`
      const result = state.memory.perform(thread, op, slot, choice, this.#options.notifyOne ?? false)
      state.steps.push(`thread ${thread}: ${op.kind} ${op.index} ${op.value} -> ${result ?? 'blocks'}`)
      if (result === undefined) return undefined
      state.histories[thread] = history.next.get(result) ?? this.#history(thread, history, result)
    }
  }

  #push(state: State): void {
    const key = `${state.histories.map((history) => history.id)}|${state.memory.key()}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.#stack.push(state)
  }

  #slot(index: number): number {
    const slot = this.#slots.get(index) ?? this.#slots.size
    this.#slots.set(index, slot)
    return slot
  }

  #history(thread: number, parent: History | undefined, result: Result | undefined): History {
    const id = this.#historyCount++
    const history: History = { id, parent, result, next: new Map(), pending: undefined, error: undefined }
    if (parent !== undefined) parent.next.set(result!, history)
    const replay = new Replay(resultsOf(history))
    try {
      this.#bodies[thread]!(replay)
    } catch (error) {
      if (error !== SUSPEND) history.error = error as Error
    }
    if (history.error === undefined) history.pending = replay.pending
    return history
  }
}

/** Gives a body the results of its history, and stops it at the first step beyond. */
class Replay implements ThreadWords {
  pending: Op | undefined
  readonly #results: Result[]
  #at = 0
  /** What to run when an async wait of this thread is notified, by its token. */
  readonly #callbacks = new Map<number, (() => void)[]>()

  constructor(results: Result[]) {
    this.#results = results
  }

  #op(kind: Kind, index: number, value = 0, timed = false): Result {
    if (this.#at < this.#results.length) return this.#results[this.#at++]!
    this.pending = { kind, index, value: value | 0, timed }
    throw SUSPEND
  }

  get = (index: number) => this.#op('get', index) as number
  load = (index: number) => this.#op('load', index) as number
  exchange = (index: number, value: number) => this.#op('exchange', index, value) as number
  spinWhile = (index: number, value: number) => this.#op('spinWhile', index, value) as number

  set(index: number, value: number): void {
    this.#op('set', index, value)
  }

  store(index: number, value: number): void {
    this.#op('store', index, value)
  }

  notify(index: number): void {
    this.#op('notify', index)
  }

  post(thread: number): void {
    this.#op('post', thread)
  }

  wait(index: number, value: number, timeoutMs: number): WaitOutcome {
    return this.#op('wait', index, value, timeoutMs !== Number.POSITIVE_INFINITY) as WaitOutcome
  }

  waitAsync(index: number, value: number): Promise<unknown> | undefined {
    const token = this.#op('waitAsync', index, value) as number
    if (token === 0) return undefined
    const callbacks: (() => void)[] = []
    this.#callbacks.set(token, callbacks)
    return chainOf(callbacks)
  }

  turn(): 'wake' | 'event' {
    const token = this.#op('turn', -1) as number
    if (token === 0) return 'event'
    for (const callback of this.#callbacks.get(token)!) callback()
    return 'wake'
  }
}

/** A promise as far as `then` goes, whose reactions run when the callbacks do: at once, in order. */
function chainOf(callbacks: (() => void)[]): Promise<unknown> {
  const chain = {
    // biome-ignore lint/suspicious/noThenProperty: it stands in for a promise, on purpose
    then(reaction: () => void) {
      callbacks.push(reaction)
      return chain
    },
  }
  return chain as unknown as Promise<unknown>
}

function resultsOf(history: History): Result[] {
  const results: Result[] = []
  for (let at = history; at.parent !== undefined; at = at.parent) results.push(at.result!)
  return results.reverse()
}

function traceOf(state: State): string[] {
  const steps: string[] = []
  for (let at: State | undefined = state; at !== undefined; at = at.from) steps.unshift(...at.steps)
  return steps
}
