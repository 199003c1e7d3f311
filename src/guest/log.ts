import { host } from './bridge.ts'
import { plainText } from './describe.ts'
import { LOG_CHARS_MAX, LOG_LEVEL, OP } from './ops.ts'
import { concat, stringIndexOf, stringSlice } from './primordials.ts'

type Level = (typeof LOG_LEVEL)[keyof typeof LOG_LEVEL]

/** One log text to the host, cut at LOG_CHARS_MAX. */
export function log(level: Level, text: string): void {
  host(OP.LOG, level, plainText(stringSlice(text, 0, LOG_CHARS_MAX)))
}

/** A failure (see describeFailure) that has no answer to go into. */
export function logError(where: string, failure: string): void {
  const name = stringIndexOf(failure, '\n')
  log(
    LOG_LEVEL.ERROR,
    concat(where, ': ', stringSlice(failure, 0, name), ': ', stringSlice(failure, name + 1)),
  )
}
