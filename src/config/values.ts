/** How values and keys of a configuration look in an error line, which is one line and never long. */
const SHOWN_CHARACTERS = 40
const KEY_CHARACTERS = 64
const IDENTIFIER = /^[A-Za-z_$][\w$-]*$/

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (value instanceof Date) return 'a date'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** A scalar as it would stand in a JSON file, shortened; only the type of anything larger. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value, SHOWN_CHARACTERS))
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value)
  return typeName(value)
}

export type PathPart = string | number

/** `functions[0].env.TOKEN`; a key that is no identifier stands in brackets and quotes. */
export function showPath(parts: readonly PathPart[]): string {
  let text = ''
  for (const part of parts) {
    if (typeof part === 'number') text += `[${part}]`
    else if (!IDENTIFIER.test(part)) text += `[${JSON.stringify(shorten(part, KEY_CHARACTERS))}]`
    else text += `${text && '.'}${shorten(part, KEY_CHARACTERS)}`
  }
  return text
}

function shorten(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters)}…` : text
}

/** Control characters and line separators as escapes: a value must not move the terminal's cursor or start a line. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (c) => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )
}
