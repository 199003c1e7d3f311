import { Event, isEvent, stateOf } from './event.ts'
import { setErrorEventCheck } from './event-handler.ts'
import { toUint32 } from './numbers.ts'
import { finishInterface, needs, toDictionary } from './webidl.ts'

/** DOM, section 2.4. */
export class CustomEvent extends Event {
  #detail: unknown

  constructor(type: unknown, init: unknown = undefined) {
    needs(arguments.length, 1, 'CustomEvent')
    super(type, init)
    const { detail } = toDictionary(init, 'the init of a CustomEvent')
    this.#detail = detail === undefined ? null : detail
  }

  get detail(): unknown {
    return this.#detail
  }

  initCustomEvent(
    type: unknown,
    bubbles: unknown = false,
    cancelable: unknown = false,
    detail: unknown = null,
  ): void {
    needs(arguments.length, 1, 'initCustomEvent')
    const isBusy = stateOf(this).dispatching
    this.initEvent(type, bubbles, cancelable)
    if (!isBusy) this.#detail = detail
  }
}
finishInterface(CustomEvent, 'CustomEvent')

let isErrorEvent: (value: object) => boolean

/** HTML, section 8.1.3.9 ("Runtime script errors"). */
export class ErrorEvent extends Event {
  readonly #message: string
  readonly #filename: string
  readonly #lineno: number
  readonly #colno: number
  readonly #error: unknown

  constructor(type: unknown, init: unknown = undefined, internal?: unknown) {
    needs(arguments.length, 1, 'ErrorEvent')
    super(type, init, internal)
    const { colno, error, filename, lineno, message } = toDictionary(init, 'the init of an ErrorEvent')
    this.#colno = colno === undefined ? 0 : toUint32(colno)
    this.#error = error
    this.#filename = filename === undefined ? '' : `${filename}`
    this.#lineno = lineno === undefined ? 0 : toUint32(lineno)
    this.#message = message === undefined ? '' : `${message}`
  }

  get message(): string {
    return this.#message
  }

  get filename(): string {
    return this.#filename
  }

  get lineno(): number {
    return this.#lineno
  }

  get colno(): number {
    return this.#colno
  }

  get error(): unknown {
    return this.#error
  }

  static {
    isErrorEvent = (value) => #message in value
  }
}
finishInterface(ErrorEvent, 'ErrorEvent')
setErrorEventCheck((event) => isEvent(event) && isErrorEvent(event))

/** HTML, section 8.1.4.7 ("Unhandled promise rejections"). */
export class PromiseRejectionEvent extends Event {
  readonly #promise: object
  readonly #reason: unknown

  constructor(type: unknown, init: unknown, internal: unknown = undefined) {
    needs(arguments.length, 2, 'PromiseRejectionEvent')
    super(type, init, internal)
    const { promise, reason } = toDictionary(init, 'the init of a PromiseRejectionEvent')
    if ((typeof promise !== 'object' && typeof promise !== 'function') || promise === null)
      throw new TypeError('a PromiseRejectionEvent needs a promise')
    this.#promise = promise
    this.#reason = reason
  }

  get promise(): object {
    return this.#promise
  }

  get reason(): unknown {
    return this.#reason
  }
}
finishInterface(PromiseRejectionEvent, 'PromiseRejectionEvent')
