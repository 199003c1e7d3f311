import context from 'ringlet:async-context'

type Callback = (...args: never[]) => unknown

/** Calls `callback` with `frame` as the current one, which is put back afterwards. */
export function runIn<Result>(frame: typeof context.frame, callback: () => Result): Result {
  const before = context.frame
  context.frame = frame
  try {
    return callback()
  } finally {
    context.frame = before
  }
}

/** Node's AsyncResource: keeps the context it was made in, for callbacks that somebody else will call. */
export class AsyncResource {
  readonly type: string
  readonly #frame = context.frame

  constructor(type: string) {
    if (typeof type !== 'string') throw new TypeError('The "type" argument must be of type string')
    this.type = type
  }

  static bind<Bound extends Callback>(callback: Bound, type?: string, self?: unknown): Bound {
    return new AsyncResource(type ?? callback.name ?? 'bound-anonymous-fn').bind(callback, self)
  }

  bind<Bound extends Callback>(callback: Bound, self?: unknown): Bound {
    if (typeof callback !== 'function') throw new TypeError('The "fn" argument must be a function')
    const frame = this.#frame
    return function (this: unknown, ...args: never[]) {
      return runIn(frame, () => Reflect.apply(callback, self ?? this, args))
    } as Bound
  }

  runInAsyncScope<Result>(callback: (...args: never[]) => Result, self?: unknown, ...args: never[]): Result {
    return runIn(this.#frame, () => Reflect.apply(callback, self, args) as Result)
  }

  emitDestroy(): this {
    return this
  }

  /** Numbers of resources are not kept: 0 is Node's own for "no resource". */
  asyncId(): number {
    return 0
  }

  triggerAsyncId(): number {
    return 0
  }
}
