/** JSON with the place of a mistake. `JSON.parse` of Node 20 does not say it, but quotes the text, which may hold secrets. */

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly line: number; readonly column: number }

export function parseJson(text: string): ParsedJson {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    const before = text.slice(0, mistakeAt(text)).split('\n')
    return { ok: false, line: before.length, column: before[before.length - 1]!.length + 1 }
  }
}

const SPACE = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\\p{Cc}]+|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"/uy
const PLAIN = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y

type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'next'

/** Offset of the first character that no JSON text could have there (RFC 8259). */
function mistakeAt(text: string): number {
  const open: ('[' | '{')[] = []
  let expected: Expected = 'value'
  let at = 0
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    if (!pattern.test(text)) return false
    at = pattern.lastIndex
    return true
  }
  for (;;) {
    take(SPACE)
    const character = text[at]
    const inside = open[open.length - 1]
    if (expected === 'colon') {
      if (character !== ':') return at
      at++
      expected = 'value'
    } else if (character === (inside === '{' ? '}' : ']') && inside && isEndAllowed(expected, inside)) {
      open.pop()
      at++
      expected = 'next'
    } else if (expected === 'next') {
      if (character !== ',' || inside === undefined) return at
      at++
      expected = inside === '{' ? 'key' : 'value'
    } else if (expected === 'key' || expected === 'first key') {
      if (!take(STRING)) return at
      expected = 'colon'
    } else if (character === '[' || character === '{') {
      open.push(character)
      at++
      expected = character === '{' ? 'first key' : 'first value'
    } else {
      if (!take(STRING) && !take(PLAIN)) return at
      expected = 'next'
    }
  }
}

function isEndAllowed(expected: Expected, inside: '[' | '{'): boolean {
  return expected === 'next' || expected === (inside === '{' ? 'first key' : 'first value')
}
