// From the path in a request line to a path below a folder. It is decoded once, segment by segment, and what could mean two
// things to two readers means nothing here.

/** A path below the folder, without dots that lead elsewhere. */
export interface RelativePath {
  readonly segments: readonly string[]
  /** It ends in a slash, or is empty. */
  readonly isFolder: boolean
  /** Whether a segment begins with a dot, `.well-known` as the first one left out (RFC 8615). */
  readonly isHidden: boolean
}

/** What a path turns out to be: not encoded as paths are, or of nothing that there can be. */
export type PathTrouble = 'bad-path' | 'not-found'

const CONTROL = /[\0-\x1f\x7f]/
/** Both are separators to some system, and never part of a name here, however they are encoded. */
const SEPARATOR = /[/\\]/
/** On Windows: streams and devices, and names that the system takes for others. */
const FOREIGN = process.platform === 'win32' ? /[:*?"<>|]|[. ]$/ : /(?!)/

/** `raw`: the path without query, from behind the route's prefix on. */
export function relativePath(raw: string): RelativePath | PathTrouble {
  const parts = raw.split('/')
  const last = parts.pop()!
  const segments: string[] = []
  let isHidden = false
  for (const part of last === '' ? parts : [...parts, last]) {
    const name = decode(part)
    if (name === undefined || CONTROL.test(name)) return 'bad-path'
    if (name === '' || name === '.' || name === '..') return 'not-found'
    if (SEPARATOR.test(name) || FOREIGN.test(name)) return 'not-found'
    if (name.startsWith('.') && (name !== '.well-known' || segments.length > 0)) isHidden = true
    segments.push(name)
  }
  return { segments, isFolder: last === '', isHidden }
}

/** Undefined for what is no percent-encoded UTF-8. */
function decode(part: string): string | undefined {
  if (!part.includes('%')) return part
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
