import { type Event, isEvent, stateOf } from './event.ts'
import { addListener, removeListener, targetOf, targetStateOf } from './event-target.ts'

type Listener = (event: Event) => void

/** What an attribute of a target holds; the listener calls whatever value there is then. */
interface Handler {
  value: object
  readonly listener: Listener
}

/** HTML, "the event handler processing algorithm". */
function process(target: object, type: string, event: Event): void {
  const handler = targetStateOf(target).handlers.get(type) as Handler | undefined
  const callback = handler?.value
  if (typeof callback !== 'function') return
  // The global object's `onerror`: OnErrorEventHandler.
  if (type === 'error' && target === globalThis && isErrorEvent(event)) {
    const { message, filename, lineno, colno, error } = event
    if (callback.call(target, message, filename, lineno, colno, error) === true) cancel(event)
    return
  }
  if (callback.call(target, event) === false) cancel(event)
}

interface ErrorLike extends Event {
  readonly message: string
  readonly filename: string
  readonly lineno: number
  readonly colno: number
  readonly error: unknown
}

let isErrorEvent: (event: Event) => event is ErrorLike = (_event): _event is ErrorLike => false
/** Set by the module of ErrorEvent, which is above this one. */
export function setErrorEventCheck(check: (event: Event) => boolean): void {
  isErrorEvent = check as typeof isErrorEvent
}

function cancel(event: Event): void {
  if (isEvent(event) && stateOf(event).cancelable) stateOf(event).canceled = true
}

/** The value of an event handler attribute. */
function handlerOf(target: object, type: string): object | null {
  return (targetStateOf(target).handlers.get(type) as Handler | undefined)?.value ?? null
}

/** Sets it. [LegacyTreatNonObjectAsNull]: what is no object counts as null. */
function setHandler(target: object, type: string, value: unknown): void {
  const { handlers } = targetStateOf(target)
  const handler = handlers.get(type) as Handler | undefined
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
    if (handler === undefined) return
    handlers.delete(type)
    removeListener(target, type, handler.listener)
    return
  }
  if (handler !== undefined) {
    handler.value = value
    return
  }
  const listener = (event: Event): void => process(target, type, event)
  handlers.set(type, { value, listener })
  addListener(target, type, listener)
}

/** Defines `onTYPE` for each type on a prototype, or on the global object. `onSet`: told of each setting. */
export function defineHandlers(
  owner: object,
  types: readonly string[],
  onSet?: (target: object, type: string) => void,
): void {
  for (const type of types) {
    const name = `on${type}`
    const accessor = {
      get [name](): object | null {
        return handlerOf(targetOf(this), type)
      },
      set [name](value: unknown) {
        const target = targetOf(this)
        setHandler(target, type, value)
        onSet?.(target, type)
      },
    }
    Object.defineProperty(owner, name, {
      ...Object.getOwnPropertyDescriptor(accessor, name)!,
      enumerable: true,
      configurable: true,
    })
  }
}
