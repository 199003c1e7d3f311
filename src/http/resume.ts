import { CR, LF, SP } from './chars.ts'
import { type HeadLimits, METHOD_BYTES_MAX } from './head-limits.ts'

/**
 * Whether bytes that arrived after `scanned` can have changed the answer "partial": a full parse pays only then.
 * What it reads beyond the new bytes is bounded, or happens once a head, or once at each doubling of its size;
 * so the parses of one head add up to linear work however finely it was cut.
 */
export function worthParsing(
  bytes: Uint8Array,
  start: number,
  end: number,
  scanned: number,
  limits: HeadLimits,
): boolean {
  // At each doubling, so that garbage is refused long before it has filled the head.
  if (Math.clz32(end - start) < Math.clz32(scanned)) return true
  if (targetLimitPassed(bytes, start, end, scanned, limits)) return true
  for (let at = start + scanned; at < end; at++) {
    if (bytes[at] !== LF) continue
    if (bytes[at - 1] !== CR) return true
    // The empty line that ends the head, or one of those before it.
    if (at - start >= 2 && bytes[at - 2] === LF) return true
  }
  return false
}

/** Whether the byte that is the first too many of a target is among the new ones: true in one call a head. */
function targetLimitPassed(
  bytes: Uint8Array,
  start: number,
  end: number,
  scanned: number,
  limits: HeadLimits,
): boolean {
  if (end - start <= limits.targetBytes) return false
  if (scanned > 2 * limits.leadingEmptyLines + METHOD_BYTES_MAX + 1 + limits.targetBytes) return false
  let at = start
  const linesStop = Math.min(end, start + 2 * limits.leadingEmptyLines)
  while (at < linesStop && (bytes[at] === CR || bytes[at] === LF)) at++
  const methodStop = Math.min(end, at + METHOD_BYTES_MAX)
  while (at < methodStop && bytes[at] !== SP) at++
  const firstTooMany = at + 1 + limits.targetBytes
  return firstTooMany < end && firstTooMany >= start + scanned
}
