import { host } from '../bridge.ts'
import { OP } from '../ops.ts'
import { DOMException } from './dom-exception.ts'
import { toDouble } from './numbers.ts'
import { checkPerformance, Performance } from './performance.ts'
import {
  newMeasure,
  type PerformanceEntry,
  PerformanceMark,
  type PerformanceMeasure,
} from './performance-entry.ts'
import { addEntry, allEntries, clearEntries, select } from './timeline.ts'
import { needs } from './webidl.ts'

type Options = { detail?: unknown; start?: unknown; duration?: unknown; end?: unknown }

/** Attributes of PerformanceTiming, which only a window has: no mark goes by their name there. */
const NAVIGATION = new Set(
  (
    'navigationStart,unloadEventStart,unloadEventEnd,redirectStart,redirectEnd,fetchStart,domainLookupStart,domainLookupEnd,' +
    'connectStart,connectEnd,secureConnectionStart,requestStart,responseStart,responseEnd,domLoading,domInteractive,' +
    'domContentLoadedEventStart,domContentLoadedEventEnd,domComplete,loadEventStart,loadEventEnd'
  ).split(','),
)

/** User Timing, "convert a mark to a timestamp". */
function toTime(mark: unknown): number {
  if (typeof mark === 'number') {
    const time = toDouble(mark, 'a time')
    if (time < 0) throw new TypeError('a time must not be negative')
    return time
  }
  const name = `${mark}`
  if (NAVIGATION.has(name)) throw new TypeError(`${name} is a window's only`)
  const known = allEntries()
  for (let i = known.length - 1; i >= 0; i--)
    if (known[i]!.entryType === 'mark' && known[i]!.name === name) return known[i]!.startTime
  throw new DOMException(`there is no mark ${JSON.stringify(name)}`, 'SyntaxError')
}

/** WebIDL, `(DOMString or DOMHighResTimeStamp)`: what is no number is a string. */
function toMark(value: unknown): string | number | undefined {
  return value === undefined || typeof value === 'number' ? value : `${value}`
}

function toOptions(value: unknown): Required<Options> | undefined {
  if (value === undefined || value === null || (typeof value !== 'object' && typeof value !== 'function'))
    return undefined
  const { detail, duration, end, start } = value as Options
  return {
    detail,
    duration: duration === undefined ? undefined : toDouble(duration, 'the duration of a measure'),
    end: toMark(end),
    start: toMark(start),
  }
}

function checkOptions({ detail, duration, end, start }: Required<Options>, endMark: unknown): void {
  if (start === undefined && end === undefined && duration === undefined && detail === undefined) return
  if (endMark !== undefined) throw new TypeError('a measure has either options or an end mark')
  if (start === undefined && end === undefined)
    throw new TypeError('the options of a measure need a start or an end')
  if (start !== undefined && end !== undefined && duration !== undefined)
    throw new TypeError('the options of a measure have start, end and duration')
}

/** What the feature adds to Performance: Performance Timeline, section 3, and User Timing, section 3.1. */
const members = {
  mark(name: unknown, options: unknown = undefined): PerformanceMark {
    checkPerformance(this)
    needs(arguments.length, 1, 'mark')
    const mark = new PerformanceMark(name, options)
    addEntry(mark)
    return mark
  },

  measure(
    name: unknown,
    startOrOptions: unknown = undefined,
    endMark: unknown = undefined,
  ): PerformanceMeasure {
    checkPerformance(this)
    needs(arguments.length, 1, 'measure')
    const text = `${name}`
    const options = toOptions(startOrOptions)
    const start =
      options === undefined && startOrOptions !== undefined && startOrOptions !== null
        ? `${startOrOptions}`
        : options?.start
    const last = endMark === undefined ? options?.end : `${endMark}`
    if (options !== undefined) checkOptions(options, endMark)
    const duration = options?.duration as number | undefined
    let endTime: number
    if (last !== undefined) endTime = toTime(last)
    else if (start !== undefined && duration !== undefined) endTime = toTime(start) + duration
    else endTime = host(OP.NOW) as number
    let startTime = 0
    if (start !== undefined) startTime = toTime(start)
    else if (duration !== undefined) startTime = endTime - duration
    const measure = newMeasure(text, startTime, endTime, options?.detail)
    addEntry(measure)
    return measure
  },

  clearMarks(name: unknown = undefined): void {
    checkPerformance(this)
    clearEntries('mark', name === undefined ? undefined : `${name}`)
  },

  clearMeasures(name: unknown = undefined): void {
    checkPerformance(this)
    clearEntries('measure', name === undefined ? undefined : `${name}`)
  },

  getEntries(): PerformanceEntry[] {
    checkPerformance(this)
    return select(allEntries())
  },

  getEntriesByType(type: unknown): PerformanceEntry[] {
    checkPerformance(this)
    needs(arguments.length, 1, 'getEntriesByType')
    return select(allEntries(), undefined, `${type}`)
  },

  getEntriesByName(name: unknown, type: unknown = undefined): PerformanceEntry[] {
    checkPerformance(this)
    needs(arguments.length, 1, 'getEntriesByName')
    return select(allEntries(), `${name}`, type === undefined ? undefined : `${type}`)
  },
}

export function extendPerformance(): void {
  Object.defineProperties(Performance.prototype, Object.getOwnPropertyDescriptors(members))
}
