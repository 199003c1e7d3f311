import { host } from '../bridge.ts'
import { OP } from '../ops.ts'
import { toDouble } from './numbers.ts'
import { structuredCopy } from './structured-clone.ts'
import { finishInterface, needs, toDictionary } from './webidl.ts'

const INTERNAL = Symbol('internal')

/** Performance Timeline, section 4. */
export class PerformanceEntry {
  readonly #name: string
  readonly #type: string
  readonly #startTime: number
  readonly #duration: number

  constructor() {
    const [mark, name, type, startTime, duration] = arguments
    if (mark !== INTERNAL) throw new TypeError('Illegal constructor')
    this.#name = name
    this.#type = type
    this.#startTime = startTime
    this.#duration = duration
  }

  get name(): string {
    return this.#name
  }

  get entryType(): string {
    return this.#type
  }

  get startTime(): number {
    return this.#startTime
  }

  get duration(): number {
    return this.#duration
  }

  toJSON(): object {
    return {
      name: this.#name,
      entryType: this.#type,
      startTime: this.#startTime,
      duration: this.#duration,
    }
  }
}
finishInterface(PerformanceEntry, 'PerformanceEntry')

type Make = new (
  mark: symbol,
  name: string,
  type: string,
  startTime: number,
  duration: number,
) => PerformanceEntry
const Entry = PerformanceEntry as unknown as Make

/** A copy of a mark's or measure's detail: null for none. */
function toDetail(detail: unknown): unknown {
  return detail === undefined || detail === null ? null : structuredCopy(detail)
}

/** User Timing, section 3.2. */
export class PerformanceMark extends Entry {
  readonly #detail: unknown

  constructor(name: unknown, options: unknown = undefined) {
    needs(arguments.length, 1, 'PerformanceMark')
    const text = `${name}`
    const { detail, startTime } = toDictionary(options, 'the options of a mark')
    const time =
      startTime === undefined ? (host(OP.NOW) as number) : toDouble(startTime, 'the startTime of a mark')
    if (time < 0) throw new TypeError('the startTime of a mark must not be negative')
    super(INTERNAL, text, 'mark', time, 0)
    this.#detail = toDetail(detail)
  }

  get detail(): unknown {
    return this.#detail
  }
}
finishInterface(PerformanceMark, 'PerformanceMark')

/** User Timing, section 3.3. */
export class PerformanceMeasure extends Entry {
  readonly #detail: unknown

  constructor() {
    const [mark, name, startTime, endTime, detail] = arguments
    if (mark !== INTERNAL) throw new TypeError('Illegal constructor')
    super(INTERNAL, name, 'measure', startTime, endTime - startTime)
    this.#detail = toDetail(detail)
  }

  get detail(): unknown {
    return this.#detail
  }
}
finishInterface(PerformanceMeasure, 'PerformanceMeasure')

export function newMeasure(
  name: string,
  startTime: number,
  endTime: number,
  detail: unknown,
): PerformanceMeasure {
  const Measure = PerformanceMeasure as unknown as new (...args: unknown[]) => PerformanceMeasure
  return new Measure(INTERNAL, name, startTime, endTime, detail)
}
