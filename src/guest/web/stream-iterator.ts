import { ReadableStream } from 'web-streams-polyfill'
import { defineProperty, promiseReject, promiseResolve, promiseThen, uncurry } from '../primordials.ts'
import {
  acquireReader,
  cancelReader,
  type ReadResult,
  readFrom,
  releaseReader,
  type StreamReader,
} from './stream-parts.ts'
import { toDictionary } from './webidl.ts'

type Step = Promise<IteratorResult<unknown, unknown>>

/**
 * Asynchronous iteration of a ReadableStream (Streams, section 4.2.5; WebIDL, section 3.7.10.2). The library's own is replaced
 * for two reasons: its prototype is not %AsyncIteratorPrototype%, and both engines do not wait for `return()` when a `for await`
 * loop is left (quickjs-ng pull request 1580). So here the stream is cancelled and released within the call, not in a later job.
 */
class Iteration {
  readonly #reader: StreamReader
  readonly #preventCancel: boolean
  /** The step that has not settled; the next one begins after it. */
  #ongoing: Step | undefined
  #finished = false

  constructor(reader: StreamReader, preventCancel: boolean) {
    this.#reader = reader
    this.#preventCancel = preventCancel
  }

  next(): Step {
    return this.#after(() => this.#next())
  }

  return(value: unknown): Step {
    return this.#after(() => this.#return(value))
  }

  #after(step: () => Step): Step {
    const before = this.#ongoing
    const result = before === undefined ? step() : (promiseThen(before, step, step) as Step)
    this.#ongoing = result
    return result
  }

  #next(): Step {
    if (this.#finished) return promiseResolve({ value: undefined, done: true }) as Step
    return promiseThen(
      readFrom(this.#reader),
      (result) => {
        this.#ongoing = undefined
        const { value, done } = result as ReadResult
        if (done) this.#finish()
        return { value, done }
      },
      (reason) => {
        this.#ongoing = undefined
        this.#finish()
        throw reason
      },
    ) as Step
  }

  #return(value: unknown): Step {
    if (this.#finished) return promiseResolve({ value, done: true }) as Step
    this.#finished = true
    const cancelled = this.#preventCancel ? promiseResolve(undefined) : cancelReader(this.#reader, value)
    releaseReader(this.#reader)
    return promiseThen(cancelled as Promise<unknown>, () => ({ value, done: true })) as Step
  }

  #finish(): void {
    this.#finished = true
    releaseReader(this.#reader)
  }
}

const iterations = new WeakMap<object, Iteration>()
const find = uncurry(
  WeakMap.prototype.get as (this: WeakMap<object, Iteration>, key: object) => Iteration | undefined,
)
const AsyncIteratorPrototype = Object.getPrototypeOf(
  Object.getPrototypeOf(Object.getPrototypeOf((async function* () {})())),
)

function stranger(name: string): Step {
  return promiseReject(
    new TypeError(`${name} was called on what is not an iterator of a ReadableStream`),
  ) as Step
}

const iteratorPrototype = Object.create(
  AsyncIteratorPrototype,
  Object.getOwnPropertyDescriptors({
    next(): Step {
      return find(iterations, this)?.next() ?? stranger('next')
    },
    return(value: unknown): Step {
      return find(iterations, this)?.return(value) ?? stranger('return')
    },
  }),
)

const methods = {
  values(this: ReadableStream, options: unknown = undefined): AsyncIterableIterator<unknown> {
    const preventCancel = !!toDictionary(options, 'the options of values')['preventCancel']
    const iterator = Object.create(iteratorPrototype)
    iterations.set(iterator, new Iteration(acquireReader(this), preventCancel))
    return iterator
  },
}

defineProperty(ReadableStream.prototype, 'values', {
  value: methods.values,
  writable: true,
  enumerable: true,
  configurable: true,
})
defineProperty(ReadableStream.prototype, Symbol.asyncIterator, {
  value: methods.values,
  writable: true,
  configurable: true,
})
