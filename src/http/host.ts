import { COLON, HEX_VALUE, isDigit, REG_NAME } from './chars.ts'

const BRACKET_OPEN = 0x5b
const BRACKET_CLOSE = 0x5d
const PERCENT = 0x25
const DOT = 0x2e
const PORT_MAX = 65535

/** `invalid`, or whether a port with at least one digit follows the host. */
export const AUTHORITY = { invalid: 0, withoutPort: 1, withPort: 2 } as const

/**
 * Checks uri-host [ ":" port ] of RFC 3986 3.2.2 in [start, end): no userinfo, no comma, host not empty, port at
 * most 65535. Returns one of `AUTHORITY`.
 */
export function checkAuthority(bytes: Uint8Array, start: number, end: number): number {
  const hostEnd =
    bytes[start] === BRACKET_OPEN ? endOfIpLiteral(bytes, start, end) : endOfRegName(bytes, start, end)
  if (hostEnd <= start) return AUTHORITY.invalid
  if (hostEnd === end) return AUTHORITY.withoutPort
  if (bytes[hostEnd] !== COLON) return AUTHORITY.invalid
  return checkPort(bytes, hostEnd + 1, end)
}

/** *DIGIT: the empty port is in the grammar. */
function checkPort(bytes: Uint8Array, start: number, end: number): number {
  let port = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (!isDigit(byte)) return AUTHORITY.invalid
    port = port * 10 + (byte - 0x30)
    if (port > PORT_MAX) return AUTHORITY.invalid
  }
  return end > start ? AUTHORITY.withPort : AUTHORITY.withoutPort
}

function endOfRegName(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end) {
    const byte = bytes[at]!
    if (REG_NAME[byte] === 1) {
      at++
    } else if (byte === PERCENT && at + 2 < end && isHex(bytes[at + 1]!) && isHex(bytes[at + 2]!)) {
      at += 3
    } else {
      return at
    }
  }
  return at
}

function isHex(byte: number): boolean {
  return HEX_VALUE[byte]! < 16
}

/** Position after `]` of a valid "[" IPv6address "]", or 0. IPvFuture and zones are refused. */
function endOfIpLiteral(bytes: Uint8Array, start: number, end: number): number {
  let close = start + 1
  // The longest form, six groups and an IPv4 address, has 45 characters.
  const stop = Math.min(end, start + 47)
  while (close < stop && bytes[close] !== BRACKET_CLOSE) close++
  if (close === stop) return 0
  return isIpv6(bytes, start + 1, close) ? close + 1 : 0
}

/** IPv6address, RFC 3986 3.2.2: eight groups, or fewer with one `::`; the last two may be an IPv4 address. */
function isIpv6(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  let groups = 0
  let compressed = false
  if (at + 1 < end && bytes[at] === COLON && bytes[at + 1] === COLON) {
    compressed = true
    at += 2
  }
  while (at < end) {
    const groupEnd = endOfGroup(bytes, at, end)
    if (groupEnd < end && bytes[groupEnd] === DOT) {
      groups += 2
      return isIpv4(bytes, at, end) && groupsFit(groups, compressed)
    }
    if (groupEnd === at) return false
    groups++
    at = groupEnd
    if (at === end) break
    if (bytes[at] !== COLON || at + 1 === end) return false
    at++
    if (bytes[at] !== COLON) continue
    if (compressed) return false
    compressed = true
    at++
  }
  return groupsFit(groups, compressed)
}

/** `::` stands for at least one group (RFC 3986 3.2.2 writes it so for every position). */
function groupsFit(groups: number, compressed: boolean): boolean {
  return compressed ? groups <= 7 : groups === 8
}

function endOfGroup(bytes: Uint8Array, start: number, end: number): number {
  const stop = Math.min(end, start + 4)
  let at = start
  while (at < stop && isHex(bytes[at]!)) at++
  return at
}

/** Four dec-octets without leading zeros. */
function isIpv4(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  for (let octets = 1; ; octets++) {
    const octetStart = at
    let value = 0
    while (at < end && at < octetStart + 4 && isDigit(bytes[at]!)) value = value * 10 + (bytes[at++]! - 0x30)
    if (at === octetStart || value > 255) return false
    if (at - octetStart > 1 && bytes[octetStart] === 0x30) return false
    if (octets === 4) return at === end
    if (at === end || bytes[at] !== DOT) return false
    at++
  }
}
