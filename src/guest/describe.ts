import { FAILURE_CHARS_MAX } from './ops.ts'
import {
  concat,
  getOwnDescriptor,
  stringFrom,
  stringSlice,
  stringSplit,
  toWellFormed,
} from './primordials.ts'

const CAUSES_MAX = 3

/** A property of something thrown, as a string; '' for whatever cannot be read, converted, or is no text. Never throws. */
function textOf(thrown: unknown, key: 'name' | 'message' | 'stack'): string {
  try {
    const value = (thrown as Record<string, unknown>)[key]
    return typeof value === 'string' ? stringSlice(value, 0, FAILURE_CHARS_MAX) : ''
  } catch {
    return ''
  }
}

function causeOf(thrown: unknown): unknown {
  try {
    return (thrown as { cause?: unknown }).cause
  } catch {
    return undefined
  }
}

function convert(thrown: unknown): string {
  try {
    return stringSlice(stringFrom(thrown), 0, FAILURE_CHARS_MAX)
  } catch {
    return 'a value that cannot be shown'
  }
}

/** `text` with each character of `from` replaced, by captured built-ins only. */
function replaceEach(text: string, from: string, to: string): string {
  const parts = stringSplit(text, from)
  let result = parts[0] ?? ''
  for (let i = 1; i < parts.length; i++) result += to + parts[i]!
  return result
}

/** Text that crosses the border whole: neither NUL nor a lone surrogate. */
export function plainText(text: string): string {
  return toWellFormed(replaceEach(text, '\0', '\uFFFD'))
}

function oneLine(text: string): string {
  return replaceEach(replaceEach(text, '\r', ''), '\n', ' ')
}

/** What was thrown as `name\nmessage\nstack`, for the host's log. Never throws, whatever `thrown` is. */
export function describeFailure(thrown: unknown): string {
  try {
    const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function'
    if (!isObject) return plainText(concat('Error\nthrown: ', oneLine(convert(thrown)), '\n'))
    const name = oneLine(textOf(thrown, 'name')) || 'Error'
    const message = oneLine(textOf(thrown, 'message'))
    let stack = textOf(thrown, 'stack')
    let cause = causeOf(thrown)
    for (let i = 0; i < CAUSES_MAX && typeof cause === 'object' && cause !== null; i++) {
      const causeMessage = oneLine(textOf(cause, 'message'))
      stack = concat(
        stack,
        'Caused by ',
        textOf(cause, 'name'),
        ': ',
        causeMessage,
        '\n',
        textOf(cause, 'stack'),
      )
      cause = causeOf(cause)
    }
    return plainText(concat(name, '\n', message, '\n', stringSlice(stack, 0, FAILURE_CHARS_MAX)))
  } catch {
    return 'Error\nthe failure could not be described\n'
  }
}

const ErrorOfRealm = Error

/** What the engine itself keeps of one of Error's settings, which quickjs-ng has as accessors; undefined without them. */
function settingOf(name: string): () => unknown {
  const getter = getOwnDescriptor(ErrorOfRealm, name)?.get
  return getter === undefined ? () => undefined : getter.bind(ErrorOfRealm)
}
const stackHook = settingOf('prepareStackTrace')
const stackLimit = settingOf('stackTraceLimit')

/** Called by the host in the middle of anything: the stack there, but none where making one would run code of the user's. */
export function where(): string {
  const limit = stackLimit()
  const isPlain = stackHook() === undefined && (limit === undefined || typeof limit === 'number')
  return isPlain ? textOf(new ErrorOfRealm(), 'stack') : ''
}
