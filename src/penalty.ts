// Which functions belong into the penalty lane: those that use up their processor time or their memory again and again, or whose requests take long, where
// the configuration says so. They are served by an actor of
// their own at a lower priority, so that they cost their neighbours little.

import type { Standing } from './standing.ts'

export interface PenaltyOptions {
  /** So many requests that used up their processor time or memory, or were busy for long, within `windowMs` put a function into the lane for `ms`; 0: never. */
  readonly offences: number
  readonly windowMs: number
  readonly ms: number
}

export class PenaltyBook {
  readonly #options: PenaltyOptions
  readonly #standing: Standing
  readonly #times: number[][]
  readonly #onPenalised: (functionIndex: number) => void

  /** `onPenalised` is called when a function that was not there goes into the lane. */
  constructor(
    functions: number,
    standing: Standing,
    options: PenaltyOptions,
    onPenalised: (functionIndex: number) => void,
  ) {
    this.#options = options
    this.#standing = standing
    this.#times = Array.from({ length: functions }, () => [])
    this.#onPenalised = onPenalised
  }

  /** A request of this function has used up its processor time or its memory. Offences in the lane keep it there. */
  offence(functionIndex: number, nowMs: number): void {
    const { offences, windowMs, ms } = this.#options
    const times = this.#times[functionIndex]
    if (offences === 0 || times === undefined) return
    times.push(nowMs)
    while (times[0]! < nowMs - windowMs) times.shift()
    if (times.length < offences) return
    times.shift()
    const isNew = !this.#standing.isPenalised(functionIndex)
    this.#standing.penalise(functionIndex, Date.now() + ms)
    if (isNew) this.#onPenalised(functionIndex)
  }
}
