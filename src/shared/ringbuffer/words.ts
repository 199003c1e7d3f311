/**
 * The int32 words of a shared memory, as everything in this package sees them. A word is named by its index: byte offset / 4.
 *
 * The indirection exists for the tests, which put a recording or exploring implementation under the shipped code. In a
 * running program `AtomicWords` is the only implementation, so the optimiser sees one class at each call and inlines it.
 */
export interface Words {
  /** Plain read: ordered only by an atomic access that came before it on this thread. */
  get(index: number): number
  /** Plain write: seen by others once they have read a later atomic store of this thread. */
  set(index: number, value: number): void
  /** Sequentially consistent read. */
  load(index: number): number
  /** Sequentially consistent write. */
  store(index: number, value: number): void
  /** Sequentially consistent swap; returns what was there. */
  exchange(index: number, value: number): number
  /** Wakes everybody who waits on the word. */
  notify(index: number): void
  /** Blocks the thread while the word holds `value`; `timeoutMs` may be Infinity. */
  wait(index: number, value: number, timeoutMs: number): WaitOutcome
  /** A promise settled by the next `notify`, or undefined when the word does not hold `value` now. */
  waitAsync(index: number, value: number): Promise<unknown> | undefined
}

export type WaitOutcome = 'ok' | 'not-equal' | 'timed-out'

/** The shipped `Words`: an Int32Array over the whole buffer. */
export class AtomicWords implements Words {
  readonly #view: Int32Array<SharedArrayBuffer>

  constructor(buffer: SharedArrayBuffer) {
    this.#view = new Int32Array(buffer, 0, buffer.byteLength >>> 2)
  }

  get(index: number): number {
    return this.#view[index]!
  }

  set(index: number, value: number): void {
    this.#view[index] = value
  }

  load(index: number): number {
    return Atomics.load(this.#view, index)
  }

  store(index: number, value: number): void {
    Atomics.store(this.#view, index, value)
  }

  exchange(index: number, value: number): number {
    return Atomics.exchange(this.#view, index, value)
  }

  notify(index: number): void {
    Atomics.notify(this.#view, index)
  }

  wait(index: number, value: number, timeoutMs: number): WaitOutcome {
    return Atomics.wait(this.#view, index, value, timeoutMs)
  }

  waitAsync(index: number, value: number): Promise<unknown> | undefined {
    const outcome = Atomics.waitAsync(this.#view, index, value)
    return outcome.async ? outcome.value : undefined
  }
}
