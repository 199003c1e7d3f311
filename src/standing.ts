// How each function stands with the server, in shared memory: the main thread writes it, every actor reads it at each request.

import { Counters, countersBytes, createSharedMemory, type SharedMemory } from '@shared/ringbuffer'

/** Memory for the standing of so many functions. */
export function createStanding(functions: number): SharedMemory {
  return createSharedMemory(countersBytes(2 * Math.max(1, functions)))
}

/** Times are milliseconds since 1970; one that is past means nothing. One thread writes. */
export class Standing {
  readonly #counters: Counters
  readonly #functions: number

  constructor({ buffer }: SharedMemory, functions: number) {
    this.#functions = functions
    this.#counters = new Counters({ buffer, offset: 0 }, 2 * Math.max(1, functions))
  }

  /** Until when it is answered 503. */
  quarantine(functionIndex: number, untilMs: number): void {
    this.#counters.set(functionIndex, Math.ceil(untilMs))
  }

  isQuarantined(functionIndex: number): boolean {
    return isAhead(this.#counters.get(functionIndex))
  }

  /** Until when it is served in the penalty lane. */
  penalise(functionIndex: number, untilMs: number): void {
    this.#counters.set(this.#functions + functionIndex, Math.ceil(untilMs))
  }

  isPenalised(functionIndex: number): boolean {
    return isAhead(this.#counters.get(this.#functions + functionIndex))
  }
}

/** The clock is asked only for those that ever stood badly. */
function isAhead(untilMs: number): boolean {
  return untilMs !== 0 && untilMs > Date.now()
}
