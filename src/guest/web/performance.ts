import { host } from '../bridge.ts'
import { OP } from '../ops.ts'
import { finishInterface } from './webidl.ts'

/** W3C High Resolution Time. */
class Performance {
  now(): number {
    return host(OP.NOW) as number
  }

  get timeOrigin(): number {
    return Date.now() - this.now()
  }
}
finishInterface(Performance, 'Performance')

export const performance = new Performance()
export { Performance }
