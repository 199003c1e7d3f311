import { reportException } from '../report.ts'
import { DOMException } from './dom-exception.ts'
import type { PerformanceEntry } from './performance-entry.ts'
import { allEntries, droppedEntries, ENTRY_TYPES, listeners, select } from './timeline.ts'
import { isTimer, setTimeout } from './timers.ts'
import { finishInterface, needs, toDictionary } from './webidl.ts'

const INTERNAL = Symbol('internal')

/** Performance Timeline, section 5.3. */
export class PerformanceObserverEntryList {
  readonly #entries: readonly PerformanceEntry[]

  constructor() {
    if (arguments[0] !== INTERNAL) throw new TypeError('Illegal constructor')
    this.#entries = arguments[1]
  }

  getEntries(): PerformanceEntry[] {
    return select(this.#entries)
  }

  getEntriesByType(type: unknown): PerformanceEntry[] {
    const entries = this.#entries
    needs(arguments.length, 1, 'getEntriesByType')
    return select(entries, undefined, `${type}`)
  }

  getEntriesByName(name: unknown, type: unknown = undefined): PerformanceEntry[] {
    const entries = this.#entries
    needs(arguments.length, 1, 'getEntriesByName')
    return select(entries, `${name}`, type === undefined ? undefined : `${type}`)
  }
}
finishInterface(PerformanceObserverEntryList, 'PerformanceObserverEntryList')

type Callback = (
  entries: PerformanceObserverEntryList,
  observer: PerformanceObserver,
  options: object,
) => unknown

/** Entries an observer keeps until it is called. */
const QUEUE_MAX = 10_000

class Observation {
  readonly #observer: PerformanceObserver
  readonly #callback: Callback
  /** How it observes: by entryTypes, or by one type at a time. */
  mode: 'single' | 'multiple' | undefined
  types = new Set<string>()
  queue: PerformanceEntry[] = []
  #wasCalled = false
  #timer = 0

  constructor(observer: PerformanceObserver, callback: Callback) {
    this.#observer = observer
    this.#callback = callback
  }

  wants(type: string): boolean {
    return this.types.has(type)
  }

  add(entry: PerformanceEntry): void {
    if (this.queue.length < QUEUE_MAX) this.queue.push(entry)
    this.schedule()
  }

  /** A task; at the top level, which has none, the entries wait for the next. */
  schedule(): void {
    if (isTimer(this.#timer)) return
    try {
      this.#timer = setTimeout(() => this.#deliver(), 0)
    } catch {
      this.#timer = 0
    }
  }

  #deliver(): void {
    if (this.queue.length === 0) return
    const List = PerformanceObserverEntryList as unknown as new (
      mark: symbol,
      entries: PerformanceEntry[],
    ) => PerformanceObserverEntryList
    const list = new List(INTERNAL, this.queue)
    this.queue = []
    const options = this.#wasCalled ? {} : { droppedEntriesCount: droppedEntries() }
    this.#wasCalled = true
    try {
      this.#callback.call(this.#observer, list, this.#observer, options)
    } catch (thrown) {
      reportException('PerformanceObserver', thrown)
    }
  }
}

/** WebIDL, `sequence<DOMString>`. */
function toNames(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) throw new TypeError('entryTypes must be a sequence')
  return Array.from(value as Iterable<unknown>, String)
}

/** Performance Timeline, section 5. */
export class PerformanceObserver {
  readonly #observation: Observation

  constructor(callback: unknown) {
    if (typeof callback !== 'function') throw new TypeError('a PerformanceObserver needs a function')
    this.#observation = new Observation(this, callback as Callback)
  }

  static get supportedEntryTypes(): readonly string[] {
    return ENTRY_TYPES
  }

  observe(init: unknown = undefined): void {
    const observation = this.#observation
    const { buffered, entryTypes, type } = toDictionary(init, 'the options of observe')
    const types = entryTypes === undefined ? undefined : toNames(entryTypes)
    if (types === undefined && type === undefined) throw new TypeError('observe needs entryTypes or a type')
    if (types !== undefined && (type !== undefined || buffered !== undefined))
      throw new TypeError('observe takes entryTypes alone')
    const mode = types === undefined ? 'single' : 'multiple'
    if ((observation.mode ??= mode) !== mode)
      throw new DOMException('an observer observes either entryTypes or types', 'InvalidModificationError')
    const wanted = (types ?? [`${type}`]).filter((name) => ENTRY_TYPES.includes(name))
    if (wanted.length === 0) return
    observation.types = new Set(mode === 'single' ? [...observation.types, ...wanted] : wanted)
    listeners.add(observation)
    if (!buffered) return
    for (const entry of select(allEntries(), undefined, wanted[0])) observation.add(entry)
  }

  disconnect(): void {
    const observation = this.#observation
    listeners.delete(observation)
    observation.types.clear()
    observation.queue = []
    observation.mode = undefined
  }

  takeRecords(): PerformanceEntry[] {
    const { queue } = this.#observation
    this.#observation.queue = []
    return queue
  }
}
finishInterface(PerformanceObserver, 'PerformanceObserver')
