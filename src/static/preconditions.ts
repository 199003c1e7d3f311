// Conditional requests, RFC 9110, section 13.

import { listsEntityTag, looksLikeEntityTag } from './entity-tag.ts'
import { parseHttpDate } from './http-date.ts'

/** Values of the request's fields, null where there is none. */
export interface Conditions {
  readonly ifMatch: string | null
  readonly ifUnmodifiedSince: string | null
  readonly ifNoneMatch: string | null
  readonly ifModifiedSince: string | null
  readonly ifRange: string | null
}

/** What tells the present state of what would be sent. */
export interface Validators {
  /** An entity tag with its quotes, perhaps weak. */
  readonly etag: string
  /** Whole seconds since 1970. */
  readonly lastModified: number
}

/**
 * What becomes of a GET or HEAD that would be answered 200: 0 for that, 304, or 412. In the order of section 13.2.2: a field that
 * another one outranks is not looked at, and a date that is none is no condition.
 */
export function evaluateConditions(
  conditions: Conditions,
  { etag, lastModified }: Validators,
  nowMs: number,
): 0 | 304 | 412 {
  const { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince } = conditions
  if (ifMatch !== null) {
    if (!listsEntityTag(ifMatch, etag, false)) return 412
  } else if (ifUnmodifiedSince !== null && lastModified > parseHttpDate(ifUnmodifiedSince, nowMs)) return 412
  if (ifNoneMatch !== null) return listsEntityTag(ifNoneMatch, etag, true) ? 304 : 0
  if (ifModifiedSince !== null && lastModified <= parseHttpDate(ifModifiedSince, nowMs)) return 304
  return 0
}

/**
 * Whether a Range is to be heeded (section 13.1.5): the tag must match strongly; a date must be the very one that was given out,
 * and old enough to be a strong validator (section 8.8.2.2).
 */
export function rangeApplies(
  ifRange: string | null,
  { etag, lastModified }: Validators,
  nowMs: number,
): boolean {
  if (ifRange === null) return true
  // One tag only: `*` and a list are none.
  if (looksLikeEntityTag(ifRange)) return ifRange === etag && !etag.startsWith('W/')
  return parseHttpDate(ifRange, nowMs) === lastModified && nowMs >= (lastModified + 1) * 1000
}
