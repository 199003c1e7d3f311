import { concat, stringIndexOf } from '../primordials.ts'
import { execute } from './webidl.ts'

/**
 * What the URL parser leaves as it is, in the parts of its answer: http or https, a host of lower-case labels whose last begins
 * with a letter (so that it is no IPv4 address), a port without leading zeros of at most four digits, and path, query and
 * fragment of characters that it neither encodes nor drops. The host's parser takes twice as long, most of it the way there.
 */
const SIMPLE =
  /^(https?:)\/\/((?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*)(?::([1-9]\d{0,3}))?(\/[\w!$%&'()*+,\-./:;=@[\]|~]*)?(?:(\?)([\w!$%&()*+,\-./:;=?@[\]^`{|}~\\]*))?(?:(#)([\w!#$%&'()*+,\-./:;=?@[\]^{|}~\\]*))?$/

/** The parts in the order of URL_PART; undefined for what only the URL parser can tell. */
export function simpleUrl(text: string): string[] | undefined {
  const match = execute(SIMPLE, text)
  if (match === null) return undefined
  const protocol = match[1]!
  const hostname = match[2]!
  const port = match[3] ?? ''
  const path = match[4]
  // A default port, a dot segment (plain or encoded), a label in Punycode.
  if (port === (protocol === 'http:' ? '80' : '443')) return undefined
  if (path !== undefined && (stringIndexOf(path, '/.') >= 0 || stringIndexOf(path, '/%2') >= 0))
    return undefined
  if (stringIndexOf(hostname, 'xn--') >= 0) return undefined
  const query = match[6] ?? ''
  const fragment = match[8] ?? ''
  const host = port === '' ? hostname : concat(hostname, ':', port)
  const origin = concat(protocol, '//', host)
  return [
    path === undefined ? concat(origin, '/', match[5] ?? '', query, match[7] ?? '', fragment) : text,
    origin,
    protocol,
    '',
    '',
    host,
    hostname,
    port,
    path ?? '/',
    query === '' ? '' : concat('?', query),
    fragment === '' ? '' : concat('#', fragment),
  ]
}
