// A function's request as it crosses the border, checked again: its text is of a guest's making.

import { CallError } from '../call.ts'

type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'pieces'; readonly pieces: AsyncIterable<Uint8Array> }

export interface OutgoingRequest {
  readonly method: string
  readonly url: URL
  readonly redirect: 'follow' | 'error' | 'manual'
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: RequestBody
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const REDIRECTS = ['follow', 'error', 'manual'] as const
/** Of the whole head: what servers take. */
const HEAD_CHARS_MAX = 65_536
const URL_CHARS_MAX = 65_536
/** Of a name in text form (RFC 1035, section 2.3.4), and its last dot. */
const HOST_CHARS_MAX = 254

/** Fields that say how the message is framed or forwarded: only who sends it may (Fetch, "forbidden request-header", for a server). */
const FORBIDDEN_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The head's lines: method, URL, redirect mode, then fields. @throws CallError for what cannot be sent. */
export function readRequest(head: string, body: RequestBody): OutgoingRequest {
  const [method = '', target = '', mode = '', ...lines] = head.split('\n')
  const redirect = REDIRECTS.find((one) => one === mode)
  if (head.length > HEAD_CHARS_MAX + URL_CHARS_MAX || !TOKEN.test(method) || redirect === undefined) {
    throw new CallError('TypeError', 'the request cannot be sent')
  }
  if (!URL.canParse(target)) throw new CallError('TypeError', 'the URL of the request is not valid')
  const url = new URL(target)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new CallError('TypeError', `fetch does not know the scheme ${url.protocol}`)
  if (url.username !== '' || url.password !== '')
    throw new CallError('TypeError', 'the URL of a request cannot hold credentials')
  if (isHostTooLong(url)) throw new CallError('TypeError', `the host of the URL ${TOO_LONG}`)
  const fields = lines.filter((line) => line !== '').map(readField)
  return { method, url, redirect, fields: fields.filter(([name]) => !FORBIDDEN_FIELDS.has(name)), body }
}

export const TOO_LONG = `is longer than ${HOST_CHARS_MAX} characters`

/** Such a name cannot be resolved, and is not to be repeated in errors. */
export function isHostTooLong({ hostname }: URL): boolean {
  return hostname.length > HOST_CHARS_MAX
}

function readField(line: string): [string, string] {
  const colon = line.indexOf(': ')
  const name = line.slice(0, Math.max(colon, 0)).toLowerCase()
  const value = line.slice(colon + 2)
  if (colon < 0 || !TOKEN.test(name) || !VALUE.test(value))
    throw new CallError('TypeError', 'a field of the request cannot be sent')
  return [name, value]
}
