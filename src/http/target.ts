import { asciiBytes, COLON } from './chars.ts'
import { equalsIgnoringCase } from './names.ts'
import { HEAD, TARGET_FORM } from './table.ts'

const SLASH = 0x2f
const QUESTION = 0x3f
const ASTERISK = 0x2a
const HTTP = asciiBytes('http')
const HTTPS = asciiBytes('https')

/**
 * Sorts the target [start, end), not empty and of target characters only, into one of the four forms of
 * RFC 9112 3.2 and writes form, authority, path and query. What is none of the other three is taken for
 * authority-form: whether the method allows the form and the authority is valid, `readFraming` decides.
 */
export function splitTarget(bytes: Uint8Array, start: number, end: number, words: Int32Array): void {
  const first = bytes[start]!
  let form: number = TARGET_FORM.authority
  let authorityStart = start
  let authorityEnd = end
  let pathStart = end
  if (first === SLASH) {
    form = TARGET_FORM.origin
    authorityEnd = pathStart = start
  } else if (first === ASTERISK && end - start === 1) {
    form = TARGET_FORM.asterisk
    authorityStart = end
  } else {
    const afterScheme = skipScheme(bytes, start, end)
    if (afterScheme !== 0) {
      form = TARGET_FORM.absolute
      authorityStart = afterScheme
      authorityEnd = pathStart = endOfAuthority(bytes, afterScheme, end)
    }
  }
  words[HEAD.targetForm] = form
  words[HEAD.authorityStart] = authorityStart
  words[HEAD.authorityEnd] = authorityEnd
  words[HEAD.pathStart] = pathStart
  words[HEAD.queryStart] = startOfQuery(bytes, pathStart, end)
}

/** Position after `http://` or `https://` (any case, RFC 3986 3.1), or 0. No other scheme is served. */
function skipScheme(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < HTTPS.length + 3) return 0
  const colon = bytes[start + 4] === COLON ? start + 4 : start + 5
  if (bytes[colon] !== COLON || bytes[colon + 1] !== SLASH || bytes[colon + 2] !== SLASH) return 0
  const known =
    equalsIgnoringCase(bytes, start, colon, HTTP) || equalsIgnoringCase(bytes, start, colon, HTTPS)
  return known ? colon + 3 : 0
}

function endOfAuthority(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== SLASH && bytes[at] !== QUESTION) at++
  return at
}

function startOfQuery(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== QUESTION) at++
  return at
}
