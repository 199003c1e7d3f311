import { host, toWire } from '../bridge.ts'
import { OP } from '../ops.ts'
import { concat, stringIndexOf, stringSlice, toLowerCase } from '../primordials.ts'
import { trimHttpSpace } from './webidl.ts'

const BEYOND_ASCII = /[\x80-\xff]/g
/** From behind the target to the first Host field's value, where the host has said that it is plain. */
const TO_HOST = ' HTTP/1.1\r\nHost: '.length

/** `head`: of the latest request whose URL is its Host and target as they were sent; FLAG.PLAIN_URL. */
export const plain = { head: '' }

/** RFC 9112, section 3.3: the target URI of a request, serialised as the URL standard does. */
export function targetUrl(head: string): string {
  const start = stringIndexOf(head, ' ') + 1
  const end = stringIndexOf(head, ' ', start)
  const target = stringSlice(head, start, end)
  if (head === plain.head) {
    const from = end + TO_HOST
    return concat('http://', stringSlice(head, from, stringIndexOf(head, '\r', from)), target)
  }
  if (target === '*') return normal(`http://${hostOf(head)}/`)
  return normal(target[0] === '/' ? `http://${hostOf(head)}${target}` : target)
}

function hostOf(head: string): string {
  let at = stringIndexOf(head, '\r\nHost:')
  if (at < 0) at = stringIndexOf(toLowerCase(head), '\r\nhost:')
  // HTTP/1.0 needs none.
  return (
    (at >= 0 && trimHttpSpace(stringSlice(head, at + 7, stringIndexOf(head, '\r\n', at + 7)))) || 'localhost'
  )
}

/**
 * Raw bytes beyond ASCII are encoded one by one: they are UTF-8 already, so the URL parser must not encode them again. What it
 * refuses, for its Host, stays as it is: `new URL(request.url)` then tells the function so.
 */
function normal(url: string): string {
  const ascii = url.replace(BEYOND_ASCII, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const parsed = host(OP.URL_PARSE, toWire(ascii), undefined) as string | undefined
  return parsed === undefined ? ascii : stringSlice(parsed, 0, stringIndexOf(parsed, '\n'))
}
