/** WebIDL, section 3.2.4: conversions to integer types. */

export function toUint32(value: unknown): number {
  return Number(value) >>> 0
}

/** double: a finite number. */
export function toDouble(value: unknown, what: string): number {
  const number = Number(value)
  if (number - number !== 0) throw new TypeError(`${what} must be a finite number`)
  return number
}

/** [EnforceRange] unsigned long long. @throws TypeError for what is no number in its range. */
export function toUnsignedLongLong(value: unknown, what: string): number {
  const number = Math.trunc(Number(value))
  if (!(number >= 0 && number <= Number.MAX_SAFE_INTEGER))
    throw new TypeError(`${what} must be a number from 0 to 2^53 - 1`)
  return number + 0
}
