/** The shared memory of `explore.ts`: what a step of a thread does to it, and who may take one. */
import type { WaitOutcome } from '../../src/shared/ringbuffer/index.ts'

export type Kind =
  | ('get' | 'set' | 'load' | 'store' | 'exchange')
  | ('notify' | 'wait' | 'waitAsync')
  | ('turn' | 'post' | 'spinWhile')

export interface Op {
  kind: Kind
  index: number
  value: number
  /** Whether a wait may end by its timeout. */
  timed: boolean
}

export type Result = number | WaitOutcome

interface Waiter {
  thread: number
  index: number
  /** Number of the async wait within its thread, or `BLOCKING`. */
  token: number
}

/** A vector clock: one byte for each of at most four threads, counting its atomic writes. */
type Clock = number

const BLOCKING = -1
const THREADS = 4
const UNWRITTEN = -1

/**
 * One state of the memory. Arrays by word are indexed by the word's slot, a dense number.
 *
 * Clocks follow what happens before what: an atomic read joins the clock that the atomic write it reads from left at the word.
 * (Wake-ups order nothing here, although the language says they do: the ring must not lean on it.)
 */
export class ModelMemory {
  words: number[] = []
  waiters: Waiter[] = []
  /** By thread: in `wait` and not yet woken, woken, or not in `wait`. */
  sleep: ('no' | 'asleep' | 'woken')[]
  /** By thread: async waits that were notified, as tasks of its event loop. */
  tasks: number[][]
  /** By thread: events posted, and async waits begun. */
  events: number[]
  tokens: number[]
  clocks: Clock[]
  /** By word: clock of the last atomic write; thread and time of the last plain one; times of the plain reads since. */
  released: Clock[] = []
  plainWrites: number[] = []
  plainReads: Clock[] = []

  constructor(threads: number) {
    if (threads > THREADS) throw new Error(`${threads} threads, but at most ${THREADS} can be explored`)
    this.sleep = Array.from({ length: threads }, () => 'no')
    this.tasks = Array.from({ length: threads }, () => [])
    this.events = Array.from({ length: threads }, () => 0)
    this.tokens = Array.from({ length: threads }, () => 0)
    this.clocks = Array.from({ length: threads }, (_, thread) => 1 << (8 * thread))
  }

  copy(): ModelMemory {
    const copy = new ModelMemory(0)
    copy.words = this.words.slice()
    copy.waiters = this.waiters.slice()
    copy.sleep = this.sleep.slice()
    copy.tasks = this.tasks.map((tasks) => tasks.slice())
    copy.events = this.events.slice()
    copy.tokens = this.tokens.slice()
    copy.clocks = this.clocks.slice()
    copy.released = this.released.slice()
    copy.plainWrites = this.plainWrites.slice()
    copy.plainReads = this.plainReads.slice()
    return copy
  }

  key(): string {
    const waiting = this.waiters.map((waiter) => `${waiter.thread}.${waiter.index}.${waiter.token}`)
    const words = `${this.words}|${this.released}|${this.plainWrites}|${this.plainReads}`
    return `${words}|${waiting}|${this.sleep}|${this.tasks.join(';')}|${this.events}|${this.clocks}`
  }

  /** What can happen when the thread goes on: nothing (it is blocked), or one thing, or one of two. */
  choices(thread: number, op: Op, slot: number): number[] {
    if (op.kind === 'wait' && this.sleep[thread] === 'asleep') return op.timed ? [1] : []
    if (op.kind === 'spinWhile') return (this.words[slot] ?? 0) === op.value ? [] : [0]
    if (op.kind !== 'turn') return [0]
    return [...(this.tasks[thread]!.length > 0 ? [0] : []), ...(this.events[thread]! > 0 ? [1] : [])]
  }

  /** Does one step. Returns its result, or undefined when the thread stays blocked in it. */
  perform(thread: number, op: Op, slot: number, choice: number, notifyOne: boolean): Result | undefined {
    const before = this.words[slot] ?? 0
    switch (op.kind) {
      case 'get':
        return before
      case 'set':
        this.words[slot] = op.value
        return 0
      case 'load':
      case 'spinWhile':
        this.#acquire(thread, slot)
        return before
      case 'store':
        this.words[slot] = op.value
        this.#release(thread, slot)
        return 0
      case 'exchange':
        this.words[slot] = op.value
        this.#acquire(thread, slot)
        this.#release(thread, slot)
        return before
      case 'notify':
        return this.#notify(op.index, notifyOne)
      case 'wait':
        return this.#wait(thread, op, before, choice === 1)
      case 'waitAsync':
        if (before !== op.value) return 0
        this.tokens[thread]! += 1
        this.waiters.push({ thread, index: op.index, token: this.tokens[thread]! })
        return this.tokens[thread]!
      case 'post':
        this.events[op.index]! += 1
        return 0
      case 'turn':
        if (choice === 0) return this.tasks[thread]!.shift()!
        this.events[thread]! -= 1
        return 0
    }
  }

  /** Notes a plain access; returns the thread with which it races, if any. */
  race(thread: number, kind: 'get' | 'set', slot: number): number | undefined {
    const clock = this.clocks[thread]!
    const now = timeOf(clock, thread)
    const write = this.plainWrites[slot] ?? UNWRITTEN
    if (write !== UNWRITTEN && timeOf(clock, write >> 8) < (write & 255)) return write >> 8
    const reads = this.plainReads[slot] ?? 0
    if (kind === 'get') {
      this.plainReads[slot] = join(reads, now << (8 * thread))
      return undefined
    }
    const racing = this.clocks.findIndex((_, other) => timeOf(clock, other) < timeOf(reads, other))
    this.plainWrites[slot] = (thread << 8) | now
    this.plainReads[slot] = 0
    return racing < 0 ? undefined : racing
  }

  #acquire(thread: number, slot: number): void {
    this.clocks[thread] = join(this.clocks[thread]!, this.released[slot] ?? 0)
  }

  #release(thread: number, slot: number): void {
    const clock = this.clocks[thread]!
    if (timeOf(clock, thread) === 255) throw new Error('more than 255 atomic writes by one thread')
    this.released[slot] = clock
    this.clocks[thread] = (clock + (1 << (8 * thread))) | 0
  }

  #notify(index: number, one: boolean): number {
    const woken = this.waiters.filter((waiter) => waiter.index === index)
    if (one) woken.splice(1)
    this.waiters = this.waiters.filter((waiter) => !woken.includes(waiter))
    for (const { thread, token } of woken) {
      if (token === BLOCKING) this.sleep[thread] = 'woken'
      else this.tasks[thread]!.push(token)
    }
    return woken.length
  }

  #wait(thread: number, op: Op, held: number, timesOut: boolean): WaitOutcome | undefined {
    const asleep = this.sleep[thread]
    if (asleep === 'no' && held === op.value) {
      this.sleep[thread] = 'asleep'
      this.waiters.push({ thread, index: op.index, token: BLOCKING })
      return undefined
    }
    this.sleep[thread] = 'no'
    if (asleep === 'woken') return 'ok'
    if (!timesOut) return 'not-equal'
    this.waiters = this.waiters.filter((waiter) => waiter.thread !== thread || waiter.token !== BLOCKING)
    return 'timed-out'
  }
}

function timeOf(clock: Clock, thread: number): number {
  return (clock >>> (8 * thread)) & 255
}

function join(a: Clock, b: Clock): Clock {
  let joined = 0
  for (let thread = 0; thread < THREADS; thread++) {
    joined |= Math.max(timeOf(a, thread), timeOf(b, thread)) << (8 * thread)
  }
  return joined
}
