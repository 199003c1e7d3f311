import { DOMException } from './dom-exception.ts'
import { Event, TRUSTED } from './event.ts'
import { defineHandlers } from './event-handler.ts'
import { dispatch, EventTarget, hasListeners, setSignalWatcher, targetStateOf } from './event-target.ts'
import { toUnsignedLongLong } from './numbers.ts'
import { setTimeout } from './timers.ts'
import { finishInterface, needs } from './webidl.ts'

type Algorithm = () => void

/** What a signal is beside its interface: DOM, section 3.2. */
interface SignalState {
  aborted: boolean
  reason: unknown
  algorithms: Set<Algorithm>
  /** Of a signal made by `any`: those it follows. */
  sources: AbortSignal[] | undefined
  /** Those that follow this one, held weakly unless somebody waits for them. */
  dependents: WeakRef<AbortSignal>[]
  held: Set<AbortSignal>
}

/** A source forgets dependents that are gone when it has this many more than at the last look. */
const DEPENDENTS_STEP = 64

let signalState: (signal: AbortSignal) => SignalState
let isAbortSignal: (value: unknown) => value is AbortSignal
const INTERNAL = Symbol('internal')

/** DOM, section 3.2. */
export class AbortSignal extends EventTarget {
  readonly #state: SignalState

  constructor() {
    if (arguments[0] !== INTERNAL) throw new TypeError('Illegal constructor')
    super()
    this.#state = {
      aborted: false,
      reason: undefined,
      algorithms: new Set(),
      sources: undefined,
      dependents: [],
      held: new Set(),
    }
  }

  static abort(reason: unknown = undefined): AbortSignal {
    const signal = newSignal()
    const state = signal.#state
    state.aborted = true
    state.reason = reasonOf(reason)
    return signal
  }

  static timeout(milliseconds: unknown): AbortSignal {
    needs(arguments.length, 1, 'AbortSignal.timeout')
    const delayMs = toUnsignedLongLong(milliseconds, 'the time of AbortSignal.timeout')
    const signal = newSignal()
    setTimeout(() => abortSignal(signal, new DOMException('The time is over', 'TimeoutError')), delayMs)
    return signal
  }

  static any(signals: unknown): AbortSignal {
    needs(arguments.length, 1, 'AbortSignal.any')
    return anySignal(toSignals(signals))
  }

  get aborted(): boolean {
    return this.#state.aborted
  }

  get reason(): unknown {
    return this.#state.reason
  }

  throwIfAborted(): void {
    const { aborted, reason } = this.#state
    if (aborted) throw reason
  }

  static {
    signalState = (signal) => signal.#state
    isAbortSignal = (value): value is AbortSignal =>
      typeof value === 'object' && value !== null && #state in value
  }
}
defineHandlers(AbortSignal.prototype, ['abort'])
finishInterface(AbortSignal, 'AbortSignal')

/** A signal that only its maker can abort, by {@link abortSignal}. */
export function newSignal(): AbortSignal {
  return new (AbortSignal as unknown as new (mark: symbol) => AbortSignal)(INTERNAL)
}

function reasonOf(reason: unknown): unknown {
  return reason === undefined ? new DOMException('The operation was aborted', 'AbortError') : reason
}

function toSignals(value: unknown): AbortSignal[] {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
    throw new TypeError('AbortSignal.any needs a sequence of signals')
  const signals: AbortSignal[] = []
  for (const signal of value as Iterable<unknown>) {
    if (!isAbortSignal(signal)) throw new TypeError('AbortSignal.any was given what is no AbortSignal')
    signals.push(signal)
  }
  return signals
}

/** DOM, "create a dependent abort signal". */
export function anySignal(signals: readonly AbortSignal[]): AbortSignal {
  const result = newSignal()
  const state = signalState(result)
  for (const signal of signals) {
    const { aborted, reason } = signalState(signal)
    if (!aborted) continue
    state.aborted = true
    state.reason = reason
    return result
  }
  const sources = new Set<AbortSignal>()
  for (const signal of signals)
    for (const source of signalState(signal).sources ?? [signal]) sources.add(source)
  state.sources = [...sources]
  const reference = new WeakRef(result)
  for (const source of sources) follow(source, reference)
  targetStateOf(result).changed = () => hold(result)
  return result
}

function follow(source: AbortSignal, reference: WeakRef<AbortSignal>): void {
  const state = signalState(source)
  state.dependents.push(reference)
  if (state.dependents.length % DEPENDENTS_STEP === 0)
    state.dependents = state.dependents.filter((one) => one.deref() !== undefined)
}

/** DOM, section 3.2.1: a signal that somebody waits for lives as long as what may abort it. */
function hold(signal: AbortSignal): void {
  const { sources, algorithms } = signalState(signal)
  const isAwaited = algorithms.size > 0 || hasListeners(signal, 'abort')
  for (const source of sources ?? []) {
    const { held } = signalState(source)
    if (isAwaited) held.add(signal)
    else held.delete(signal)
  }
}

/** DOM, "signal abort". `reason` undefined: an AbortError. */
export function abortSignal(signal: AbortSignal, reason?: unknown): void {
  const state = signalState(signal)
  if (state.aborted) return
  state.aborted = true
  state.reason = reasonOf(reason)
  const followers: AbortSignal[] = []
  for (const reference of state.dependents) {
    const dependent = reference.deref()
    if (dependent === undefined || signalState(dependent).aborted) continue
    signalState(dependent).aborted = true
    signalState(dependent).reason = state.reason
    followers.push(dependent)
  }
  state.dependents = []
  state.held.clear()
  runAbortSteps(signal)
  for (const follower of followers) runAbortSteps(follower)
}

function runAbortSteps(signal: AbortSignal): void {
  const state = signalState(signal)
  const { algorithms } = state
  state.algorithms = new Set()
  for (const algorithm of algorithms) algorithm()
  dispatch(signal, new Event('abort', undefined, TRUSTED))
}

/** DOM, "add an algorithm": run once when the signal aborts, before its event; nothing if it has aborted already. */
export function onAbort(signal: AbortSignal, algorithm: Algorithm): void {
  const state = signalState(signal)
  if (state.aborted) return
  state.algorithms.add(algorithm)
  if (state.sources !== undefined) hold(signal)
}

export function offAbort(signal: AbortSignal, algorithm: Algorithm): void {
  const state = signalState(signal)
  state.algorithms.delete(algorithm)
  if (state.sources !== undefined) hold(signal)
}

setSignalWatcher((signal, then) => {
  if (!isAbortSignal(signal)) throw new TypeError('the signal is not an AbortSignal')
  if (signalState(signal).aborted) return 'aborted'
  onAbort(signal, then)
  return 'watching'
})

/** DOM, section 3.1. */
export class AbortController {
  readonly #signal = newSignal()

  get signal(): AbortSignal {
    return this.#signal
  }

  abort(reason: unknown = undefined): void {
    abortSignal(this.#signal, reason)
  }
}
finishInterface(AbortController, 'AbortController')

export { isAbortSignal }
