/**
 * The kinds of value a configuration key can hold. Each constructor makes a valibot schema and attaches what the
 * error lines, the environment mapping and the reference table need to know about it, so that a bound is written once.
 */
import * as v from 'valibot'

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB

/** A type alias, not an interface: valibot's metadata wants an index signature. */
export type KeyInfo = {
  readonly kind: 'integer' | 'number' | 'choice' | 'string' | 'list' | 'map'
  /** What is allowed, in words that complete "must be ...". */
  readonly rule: string
  /** One line for the reference table. */
  readonly meaning: string
  /** Inclusive; a count of characters, items or names where `kind` is 'string', 'list' or 'map'. */
  readonly min?: number
  readonly max?: number
  readonly choices?: readonly string[]
  /** The flag that sets this key, if there is one. */
  readonly flag?: string
  /** Never shown in an error line. */
  readonly hidden?: boolean
  /** What the table says instead of a default that depends on the machine. */
  readonly defaultText?: string
}

/** What a constructor takes beside the bounds. */
export type KeyText = Pick<KeyInfo, 'meaning' | 'flag' | 'hidden' | 'defaultText'>

export const wholeNumber = (min: number, max: number, text: KeyText) =>
  v.pipe(
    v.number(),
    v.integer(),
    v.minValue(min),
    v.maxValue(max),
    v.metadata({
      kind: 'integer',
      rule: `a whole number from ${min} to ${max}`,
      min,
      max,
      ...text,
    } satisfies KeyInfo),
  )

export const powerOfTwo = (min: number, max: number, text: KeyText) =>
  v.pipe(
    v.number(),
    v.integer(),
    v.minValue(min),
    v.maxValue(max),
    v.check((value) => Number.isInteger(Math.log2(value))),
    v.metadata({
      kind: 'integer',
      rule: `a power of two from ${min} to ${max}`,
      min,
      max,
      ...text,
    } satisfies KeyInfo),
  )

export const multipleOf = (step: number, min: number, max: number, text: KeyText) =>
  v.pipe(
    v.number(),
    v.integer(),
    v.minValue(min),
    v.maxValue(max),
    v.multipleOf(step),
    v.metadata({
      kind: 'integer',
      rule: `a multiple of ${step} from ${min} to ${max}`,
      min,
      max,
      ...text,
    } satisfies KeyInfo),
  )

export const fraction = (min: number, max: number, text: KeyText) =>
  v.pipe(
    v.number(),
    v.minValue(min),
    v.maxValue(max),
    v.metadata({
      kind: 'number',
      rule: `a number from ${min} to ${max}`,
      min,
      max,
      ...text,
    } satisfies KeyInfo),
  )

export const choice = <const T extends readonly string[]>(choices: T, text: KeyText) =>
  v.pipe(
    v.picklist(choices),
    v.metadata({ kind: 'choice', rule: `one of ${choices.join(', ')}`, choices, ...text } satisfies KeyInfo),
  )

/** Text of 1 to `max` characters; `pattern` and `shape` narrow it further, `shape` completing "must be ...". */
export const string = (max: number, text: KeyText, pattern = /^[^\0]+$/, shape = 'text') =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(max),
    v.regex(pattern),
    v.metadata({
      kind: 'string',
      rule: `${shape} of 1 to ${max} characters`,
      min: 1,
      max,
      ...text,
    } satisfies KeyInfo),
  )

/** A list of `min` to `max` items. */
export const list = <T extends v.GenericSchema>(item: T, min: number, max: number, text: KeyText) =>
  v.pipe(
    v.array(item),
    v.minLength(min),
    v.maxLength(max),
    v.metadata({ kind: 'list', rule: `a list of ${min} to ${max}`, min, max, ...text } satisfies KeyInfo),
  )
