import { host } from '../bridge.ts'
import { OP } from '../ops.ts'
import { finishInterface } from './webidl.ts'

const INTERNAL = Symbol('internal')
let check: (self: unknown) => void

/** High Resolution Time. The clock is the host's, from the start of the thread that serves. */
export class Performance {
  readonly #made = true

  constructor() {
    if (arguments[0] !== INTERNAL) throw new TypeError('Illegal constructor')
  }

  now(): number {
    check(this)
    return host(OP.NOW) as number
  }

  get timeOrigin(): number {
    check(this)
    return host(OP.NOW, 1) as number
  }

  toJSON(): object {
    check(this)
    return { timeOrigin: this.timeOrigin }
  }

  static {
    check = (self) => {
      ;(self as Performance).#made
    }
  }
}
finishInterface(Performance, 'Performance')

export { check as checkPerformance }

export const performance = new (Performance as unknown as new (mark: symbol) => Performance)(INTERNAL)
