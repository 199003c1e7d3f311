import { reportException } from '../report.ts'
import { DOMException } from './dom-exception.ts'
import { AT_TARGET, type Event, isEvent, stateOf } from './event.ts'
import { finishInterface, needs } from './webidl.ts'

type Callback = ((event: Event) => unknown) | { handleEvent?: unknown }

interface Listener {
  readonly type: string
  readonly callback: Callback
  readonly capture: boolean
  readonly once: boolean
  readonly passive: boolean
  removed: boolean
}

/** What a target has beside its interface. */
export interface TargetState {
  /** By type; a list is replaced, never changed, so that a dispatch goes on with the one it has begun. */
  readonly listeners: Map<string, readonly Listener[]>
  /** The event handlers (`onabort` and the like) that are set; see event-handler.ts. */
  readonly handlers: Map<string, object>
  /** Told when a listener is added or removed. */
  changed: (() => void) | undefined
}

/** Runs `then` when a signal aborts, or says that it has. Set by abort.ts, which needs this module. */
type SignalWatcher = (signal: unknown, then: () => void) => 'aborted' | 'watching'
let watchSignal: SignalWatcher = () => {
  throw new TypeError('the signal is not an AbortSignal')
}
export function setSignalWatcher(watcher: SignalWatcher): void {
  watchSignal = watcher
}

/** Objects that are targets without having been made by EventTarget: the global object, `performance`. */
const adopted = new WeakMap<object, TargetState>()

let targetOf: (value: unknown) => object
let targetStateOf: (target: object) => TargetState

function newState(): TargetState {
  return { listeners: new Map(), handlers: new Map(), changed: undefined }
}

export function adoptTarget(target: object): void {
  adopted.set(target, newState())
}

/** DOM, section 2.7. */
export class EventTarget {
  readonly #state = newState()

  addEventListener(type: unknown, callback: unknown, options: unknown = undefined): void {
    const target = targetOf(this)
    needs(arguments.length, 2, 'addEventListener')
    const name = `${type}`
    const listener = toCallback(callback)
    const { capture, once, passive, signal } = flatten(options)
    addListener(target, name, listener, capture, once, passive, signal)
  }

  removeEventListener(type: unknown, callback: unknown, options: unknown = undefined): void {
    const { listeners } = targetStateOf(targetOf(this))
    needs(arguments.length, 2, 'removeEventListener')
    const name = `${type}`
    const listener = toCallback(callback)
    const capture = captureOf(options)
    const found = listeners.get(name)?.find((one) => one.callback === listener && one.capture === capture)
    if (found !== undefined) remove(targetStateOf(targetOf(this)), found)
  }

  dispatchEvent(event: unknown): boolean {
    const target = targetOf(this)
    needs(arguments.length, 1, 'dispatchEvent')
    if (!isEvent(event)) throw new TypeError('dispatchEvent needs an Event')
    const state = stateOf(event)
    if (state.dispatching || !state.initialized)
      throw new DOMException('the event is being dispatched already', 'InvalidStateError')
    state.trusted = false
    return dispatch(target, event)
  }

  static {
    targetOf = (value) => {
      // WebIDL: an operation of the global object may be called without it.
      const self = (value ?? globalThis) as object
      if ((typeof self === 'object' && #state in self) || adopted.has(self)) return self
      throw new TypeError('not an EventTarget')
    }
    targetStateOf = (target) => adopted.get(target) ?? (target as EventTarget).#state
  }
}
finishInterface(EventTarget, 'EventTarget')

export { targetOf, targetStateOf }

function toCallback(value: unknown): Callback | null {
  if (value === null || value === undefined) return null
  if (typeof value !== 'function' && typeof value !== 'object')
    throw new TypeError('a listener must be a function or an object')
  return value as Callback
}

function isDictionary(options: unknown): options is Record<string, unknown> {
  return (typeof options === 'object' && options !== null) || typeof options === 'function'
}

function captureOf(options: unknown): boolean {
  return isDictionary(options) ? !!options['capture'] : !!options
}

function flatten(options: unknown): { capture: boolean; once: boolean; passive: boolean; signal: unknown } {
  if (!isDictionary(options)) return { capture: !!options, once: false, passive: false, signal: undefined }
  const { capture, once, passive, signal } = options
  return { capture: !!capture, once: !!once, passive: !!passive, signal }
}

/** DOM, "add an event listener". `signal`: of user code, not looked at yet. */
export function addListener(
  target: object,
  type: string,
  callback: Callback | null,
  capture = false,
  once = false,
  passive = false,
  signal?: unknown,
): void {
  const state = targetStateOf(target)
  const listener = { type, callback: callback as Callback, capture, once, passive, removed: false }
  if (signal !== undefined && watchSignal(signal, () => remove(state, listener)) === 'aborted') return
  if (callback === null) return
  const list = state.listeners.get(type) ?? []
  if (list.some((one) => one.callback === callback && one.capture === capture)) return
  state.listeners.set(type, [...list, listener])
  state.changed?.()
}

function remove(state: TargetState, listener: Listener): void {
  listener.removed = true
  const list = state.listeners.get(listener.type)?.filter((one) => one !== listener)
  if (list === undefined) return
  if (list.length === 0) state.listeners.delete(listener.type)
  else state.listeners.set(listener.type, list)
  state.changed?.()
}

/** Removes whatever listener has this callback. */
export function removeListener(target: object, type: string, callback: Callback): void {
  const state = targetStateOf(target)
  const found = state.listeners.get(type)?.find((one) => one.callback === callback)
  if (found !== undefined) remove(state, found)
}

export function hasListeners(target: object, type: string): boolean {
  return targetStateOf(target).listeners.has(type)
}

/** DOM, "dispatch", for a path of one target: capturing listeners come first. False if a listener has cancelled it. */
export function dispatch(target: object, event: Event): boolean {
  const state = stateOf(event)
  state.dispatching = true
  state.target = state.currentTarget = target
  state.phase = AT_TARGET
  const targetState = targetStateOf(target)
  for (const capture of [true, false]) {
    const list = targetState.listeners.get(state.type)
    if (list === undefined || state.stopped) continue
    for (const listener of list) {
      if (listener.removed || listener.capture !== capture) continue
      if (listener.once) remove(targetState, listener)
      state.inPassiveListener = listener.passive
      call(listener.callback, target, event)
      state.inPassiveListener = false
      if (state.stoppedAtOnce) break
    }
  }
  state.phase = 0
  state.currentTarget = null
  state.dispatching = state.stopped = state.stoppedAtOnce = false
  return !state.canceled
}

/** WebIDL, "call a user object's operation"; what it throws is reported. */
function call(callback: Callback, target: object, event: Event): void {
  try {
    if (typeof callback === 'function') {
      callback.call(target, event)
      return
    }
    const { handleEvent } = callback
    if (typeof handleEvent !== 'function') throw new TypeError('the listener has no method handleEvent')
    handleEvent.call(callback, event)
  } catch (thrown) {
    reportException('event listener', thrown)
  }
}
