// Entity tags, RFC 9110, section 8.8.3.

const QUOTE = '"'
/** etagc: no quotation mark, no space, no control character. Field values have nothing beyond latin1. */
const TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/y
const BETWEEN = /[ \t]*(?:,[ \t]*)*/y

/**
 * Whether a list of entity tags, or `*`, names this one. Weak comparison takes no heed of `W/`, strong comparison never
 * matches a weak tag (section 8.8.3.2). What stands behind something malformed does not count.
 */
export function listsEntityTag(list: string, tag: string, isWeakComparison: boolean): boolean {
  if (list === '*') return true
  const isWeak = tag.startsWith('W/')
  if (isWeak && !isWeakComparison) return false
  const opaque = tag.slice(isWeak ? 3 : 1, -1)
  // The usual case: one tag, as it was given out.
  if (list === tag) return true
  let at = skip(list, 0)
  while (at < list.length) {
    TAG.lastIndex = at
    const match = TAG.exec(list)
    if (match === null) return false
    if (match[2] === opaque && (isWeakComparison || match[1] === undefined)) return true
    const next = skip(list, TAG.lastIndex)
    // Between two of them there is a comma.
    if (next < list.length && !list.slice(TAG.lastIndex, next).includes(',')) return false
    at = next
  }
  return false
}

function skip(list: string, at: number): number {
  BETWEEN.lastIndex = at
  BETWEEN.exec(list)
  return BETWEEN.lastIndex
}

/** Whether this begins as an entity tag does, and not as a date (section 13.1.5). */
export function looksLikeEntityTag(value: string): boolean {
  return value.startsWith(QUOTE) || value.startsWith('W/')
}
