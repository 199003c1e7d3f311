/**
 * Node's AsyncLocalStorage without an engine that follows promises. A function whose bundle has this file is bundled with its
 * async functions as generators (bundle.ts), so that every `await` is a call of `then`; here `then` takes the frame along. The
 * guest's own timers and microtasks do so by themselves (src/guest/async-context.ts).
 */
import context from 'ringlet:async-context'
import { runIn } from './async-resource.ts'

type Frame = typeof context.frame
type Reaction = ((value: unknown) => unknown) | null | undefined
type Then = (this: unknown, onFulfilled?: Reaction, onRejected?: Reaction) => unknown

interface Options {
  readonly defaultValue?: unknown
  readonly name?: string
}

/** `reaction` in the frame of now; also in none, since the job it will run in may have entered one. */
function carried(reaction: Reaction): Reaction {
  if (typeof reaction !== 'function') return reaction
  const { frame } = context
  return (value) => {
    const before = context.frame
    context.frame = frame
    try {
      return reaction(value)
    } finally {
      context.frame = before
    }
  }
}

const nativeThen = Promise.prototype.then as Then
function then(this: unknown, onFulfilled?: Reaction, onRejected?: Reaction): unknown {
  return Reflect.apply(nativeThen, this, [carried(onFulfilled), carried(onRejected)])
}

/** A foreign thenable's `then` is called in a job of its own: queries of a database begin their work there. */
const nativeResolve = Promise.resolve
function resolve(this: unknown, value?: unknown): unknown {
  if (typeof value === 'object' && value !== null && !(value instanceof Promise)) {
    const thenOfValue: unknown = Reflect.get(value, 'then')
    if (typeof thenOfValue === 'function') {
      const { frame } = context
      const call = (...reactions: unknown[]) =>
        runIn(frame, () => Reflect.apply(thenOfValue, value, reactions))
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what it is
      return Reflect.apply(nativeResolve, this, [{ then: call }])
    }
  }
  return Reflect.apply(nativeResolve, this, [value])
}

const method = { writable: true, enumerable: false, configurable: true }
Object.defineProperty(Promise.prototype, 'then', { ...method, value: then })
Object.defineProperty(Promise, 'resolve', { ...method, value: resolve })

export class AsyncLocalStorage<Store = unknown> {
  readonly name: string
  readonly #default: unknown

  constructor({ defaultValue, name = '' }: Options = {}) {
    this.#default = defaultValue
    this.name = name
  }

  static bind<Bound extends (...args: never[]) => unknown>(callback: Bound): Bound {
    const { frame } = context
    return function (this: unknown, ...args: never[]) {
      return runIn(frame, () => Reflect.apply(callback, this, args))
    } as Bound
  }

  static snapshot(): <Args extends unknown[], Result>(
    callback: (...args: Args) => Result,
    ...args: Args
  ) => Result {
    const { frame } = context
    return (callback, ...args) => runIn(frame, () => callback(...args))
  }

  getStore(): Store | undefined {
    const { frame } = context
    return (frame?.has(this) ? frame.get(this) : this.#default) as Store | undefined
  }

  run<Args extends unknown[], Result>(
    store: Store,
    callback: (...args: Args) => Result,
    ...args: Args
  ): Result {
    return runIn(this.#frameWith(store), () => callback(...args))
  }

  exit<Args extends unknown[], Result>(callback: (...args: Args) => Result, ...args: Args): Result {
    return runIn(this.#frameWith(undefined), () => callback(...args))
  }

  enterWith(store: Store): void {
    context.frame = this.#frameWith(store)
  }

  disable(): void {
    const frame = new Map(context.frame)
    frame.delete(this)
    context.frame = frame
  }

  #frameWith(store: unknown): Frame {
    return new Map(context.frame).set(this, store)
  }
}
