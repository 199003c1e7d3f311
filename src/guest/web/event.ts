import { host } from '../bridge.ts'
import { OP } from '../ops.ts'
import { finishInterface, needs, toDictionary } from './webidl.ts'

/** What an event is beside its interface: DOM, section 2.2. */
export interface EventState {
  type: string
  bubbles: boolean
  cancelable: boolean
  composed: boolean
  readonly timeStamp: number
  target: object | null
  currentTarget: object | null
  phase: number
  stopped: boolean
  stoppedAtOnce: boolean
  canceled: boolean
  inPassiveListener: boolean
  initialized: boolean
  dispatching: boolean
  trusted: boolean
}

const NONE = 0
const CAPTURING_PHASE = 1
export const AT_TARGET = 2
const BUBBLING_PHASE = 3

/** Marks the construction of an event by the platform itself, of a type that needs no conversion. */
const TRUSTED = Symbol('trusted')

let stateOf: (event: Event) => EventState
let isEvent: (value: unknown) => value is Event

function cancel(state: EventState): void {
  if (state.cancelable && !state.inPassiveListener) state.canceled = true
}

/** DOM, section 2.2. There is no tree of targets here: an event visits one. */
export class Event {
  readonly #state: EventState

  constructor(type: unknown, init: unknown = undefined, internal?: unknown) {
    needs(arguments.length, 1, 'Event')
    const name = `${type}`
    const options = toDictionary(init, 'the init of an event')
    const bubbles = !!options['bubbles']
    const cancelable = !!options['cancelable']
    const composed = !!options['composed']
    this.#state = {
      type: name,
      bubbles,
      cancelable,
      composed,
      timeStamp: host(OP.NOW) as number,
      target: null,
      currentTarget: null,
      phase: NONE,
      stopped: false,
      stoppedAtOnce: false,
      canceled: false,
      inPassiveListener: false,
      initialized: true,
      dispatching: false,
      trusted: internal === TRUSTED,
    }
    Object.defineProperty(this, 'isTrusted', IS_TRUSTED)
  }

  get type(): string {
    return this.#state.type
  }

  get target(): object | null {
    return this.#state.target
  }

  get srcElement(): object | null {
    return this.#state.target
  }

  get currentTarget(): object | null {
    return this.#state.currentTarget
  }

  composedPath(): object[] {
    const { currentTarget } = this.#state
    return currentTarget === null ? [] : [currentTarget]
  }

  get eventPhase(): number {
    return this.#state.phase
  }

  stopPropagation(): void {
    this.#state.stopped = true
  }

  get cancelBubble(): boolean {
    return this.#state.stopped
  }

  set cancelBubble(value: unknown) {
    const state = this.#state
    if (value) state.stopped = true
  }

  stopImmediatePropagation(): void {
    this.#state.stopped = this.#state.stoppedAtOnce = true
  }

  get bubbles(): boolean {
    return this.#state.bubbles
  }

  get cancelable(): boolean {
    return this.#state.cancelable
  }

  get returnValue(): boolean {
    return !this.#state.canceled
  }

  set returnValue(value: unknown) {
    const state = this.#state
    if (!value) cancel(state)
  }

  preventDefault(): void {
    cancel(this.#state)
  }

  get defaultPrevented(): boolean {
    return this.#state.canceled
  }

  get composed(): boolean {
    return this.#state.composed
  }

  get timeStamp(): number {
    return this.#state.timeStamp
  }

  initEvent(type: unknown, bubbles: unknown = false, cancelable: unknown = false): void {
    needs(arguments.length, 1, 'initEvent')
    const state = this.#state
    const name = `${type}`
    if (state.dispatching) return
    state.initialized = true
    state.stopped = state.stoppedAtOnce = state.canceled = state.trusted = false
    state.target = null
    state.type = name
    state.bubbles = !!bubbles
    state.cancelable = !!cancelable
  }

  static {
    stateOf = (event) => event.#state
    isEvent = (value): value is Event => typeof value === 'object' && value !== null && #state in value
  }
}

/** [LegacyUnforgeable]: a property of each event, the same getter for all. */
const IS_TRUSTED: PropertyDescriptor = {
  get: Object.getOwnPropertyDescriptor(
    {
      get isTrusted(): boolean {
        return stateOf(this as unknown as Event).trusted
      },
    },
    'isTrusted',
  )!.get!,
  enumerable: true,
  configurable: false,
}

finishInterface(Event, 'Event')
for (const owner of [Event, Event.prototype]) {
  for (const [name, value] of Object.entries({ NONE, CAPTURING_PHASE, AT_TARGET, BUBBLING_PHASE }))
    Object.defineProperty(owner, name, { value, enumerable: true })
}

export { isEvent, stateOf, TRUSTED }
