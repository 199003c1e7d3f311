import { concat, stringSlice } from '../primordials.ts'
import { execute } from './webidl.ts'

/**
 * What the URL parser leaves as it is, in the parts of its answer: http or https, a host of lower-case labels, none in Punycode, whose last begins
 * with a letter (so that it is no IPv4 address), a port without leading zeros of at most four digits, and path, query and
 * fragment of characters that it neither encodes nor drops, the path without dot segments, plain or encoded. The host's parser takes twice
 * as long, most of it the way there.
 */
const SIMPLE =
  /^(https?:)\/\/((?:(?!xn--)[a-z0-9_-]+\.)*(?!xn--)[a-z][a-z0-9_-]*)(:[1-9]\d{0,3})?((?:\/(?!\.|%2)[\w!$%&'()*+,\-.:;=@[\]|~]*)*)(\?[\w!$%&()*+,\-./:;=?@[\]^`{|}~\\]*)?(#[\w!#$%&'()*+,\-./:;=?@[\]^{|}~\\]*)?$/

/** The parts in the order of URL_PART; undefined for what only the URL parser can tell. */
export function simpleUrl(text: string): string[] | undefined {
  const match = execute(SIMPLE, text)
  if (match === null) return undefined
  const protocol = match[1]!
  const hostname = match[2]!
  const port = match[3] ?? ''
  // The default one.
  if (port === (protocol === 'http:' ? ':80' : ':443')) return undefined
  const path = match[4]!
  const query = match[5] ?? ''
  const fragment = match[6] ?? ''
  // A sum of texts asks nothing of user code, and costs less than a call.
  const host = hostname + port
  const origin = stringSlice(text, 0, protocol.length + 2 + host.length)
  return [
    path === '' ? concat(origin, '/', query, fragment) : text,
    origin,
    protocol,
    '',
    '',
    host,
    hostname,
    port === '' ? '' : stringSlice(port, 1),
    path === '' ? '/' : path,
    query === '?' ? '' : query,
    fragment === '#' ? '' : fragment,
  ]
}
