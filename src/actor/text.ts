// Looks at text as bytes: what may cross into the guest as a string, and what came out of it as one.

import { isUtf8 } from 'node:buffer'

/**
 * Whether bytes can be handed over as a guest string and taken back unchanged: UTF-8, without a NUL, at which the border
 * would cut, and without a byte order mark, which `text()` strips and `arrayBuffer()` keeps.
 */
export function isPlainText(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf)
    return false
  const part = bytes.subarray(start, end)
  return isUtf8(part) && !Buffer.prototype.includes.call(part, 0)
}

/**
 * The engine writes a lone surrogate as three bytes ED A0..BF xx, which is not UTF-8; the Encoding standard says U+FFFD, which
 * has three bytes too. Mended in place.
 */
export function mendSurrogates(bytes: Uint8Array, start: number, end: number): void {
  const part = bytes.subarray(start, end)
  let at = Buffer.prototype.indexOf.call(part, 0xed)
  while (at >= 0 && at + 2 < part.length) {
    if (part[at + 1]! >= 0xa0) {
      part[at] = 0xef
      part[at + 1] = 0xbf
      part[at + 2] = 0xbd
    }
    at = Buffer.prototype.indexOf.call(part, 0xed, at + 1)
  }
}

/** The bytes as a string of the same code units: field names, targets. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
