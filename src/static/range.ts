// Range requests, RFC 9110, section 14.

/** First byte, and the one behind the last. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Of one request. Section 17.15: many small ranges are an attack's tool. */
const RANGES_MAX = 16

const PREFIX = /^bytes[ \t]*=/i
const RANGE = /^(?:(\d+)-(\d*)|-(\d+))$/

/**
 * The ranges that a Range field asks for, cut to what there is, in the order in which they are asked for. `'all'`: the field is to
 * be ignored (another unit, malformed: section 14.2). `'unsatisfiable'`: none of them lies within the size; or they overlap, or
 * are more than {@link RANGES_MAX}, which section 14.2 lets a server refuse.
 */
export function parseRange(value: string, size: number): ByteRange[] | 'all' | 'unsatisfiable' {
  const prefix = PREFIX.exec(value)
  if (prefix === null) return 'all'
  const specs = value
    .slice(prefix[0].length)
    .split(',')
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '')
  if (specs.length === 0) return 'all'
  const ranges: ByteRange[] = []
  let asksForEnd = false
  for (const spec of specs) {
    const match = RANGE.exec(spec)
    if (match === null) return 'all'
    const [, first, last, suffix] = match
    if (suffix !== undefined) {
      const length = Number(suffix)
      asksForEnd ||= length > 0
      if (length > 0 && size > 0) ranges.push({ start: Math.max(0, size - length), end: size })
      continue
    }
    const start = Number(first)
    const end = last === '' ? size : Number(last) + 1
    if (end <= start && last !== '') return 'all'
    if (start < size) ranges.push({ start, end: Math.min(end, size) })
  }
  // The last bytes of nothing are there, and no Content-Range can say so (section 14.4).
  if (size === 0 && asksForEnd) return 'all'
  if (specs.length > RANGES_MAX || ranges.length === 0 || overlap(ranges)) return 'unsatisfiable'
  return ranges
}

function overlap(ranges: readonly ByteRange[]): boolean {
  const sorted = ranges.toSorted((a, b) => a.start - b.start)
  return sorted.some(({ start }, index) => index > 0 && start < sorted[index - 1]!.end)
}

/** `bytes 0-4/10`. */
export function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`
}
