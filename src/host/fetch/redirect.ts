// What a redirect makes of a request (Fetch, section 4.4, "HTTP-redirect fetch").

import { CallError } from '../call.ts'
import { isHostTooLong, type OutgoingRequest, TOO_LONG } from './request.ts'

export const REDIRECTS_MAX = 20
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** Fetch, "request-body-header name". */
const BODY_FIELDS: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
])
/** What is for one origin only. */
const CREDENTIAL_FIELDS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie'])

export const isRedirect = (status: number): boolean => REDIRECT_STATUSES.has(status)

/** The next request. @throws CallError for a location that leads nowhere, or a body that cannot be sent again. */
export function redirected(request: OutgoingRequest, status: number, location: string): OutgoingRequest {
  // Field values are bytes; servers put UTF-8 into them.
  const text = Buffer.from(location, 'latin1').toString()
  if (!URL.canParse(text, request.url.href)) throw failed('the location of a redirect is no URL')
  const url = new URL(text, request.url)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw failed('a redirect leads to another scheme')
  if (isHostTooLong(url)) throw failed(`the host that a redirect leads to ${TOO_LONG}`)
  if (url.username !== '' || url.password !== '') throw failed('the location of a redirect has credentials')
  if (url.hash === '') url.hash = request.url.hash
  const { method } = request
  const becomesGet =
    ((status === 301 || status === 302) && method === 'POST') ||
    (status === 303 && method !== 'GET' && method !== 'HEAD')
  if (!becomesGet && request.body.kind === 'pieces')
    throw failed('a body that is a stream cannot be sent again')
  const isSameOrigin = url.origin === request.url.origin
  const fields = request.fields.filter(
    ([name]) => !(becomesGet && BODY_FIELDS.has(name)) && (isSameOrigin || !CREDENTIAL_FIELDS.has(name)),
  )
  return becomesGet
    ? { ...request, url, method: 'GET', fields, body: { kind: 'none' } }
    : { ...request, url, fields }
}

function failed(message: string): CallError {
  return new CallError('TypeError', 'fetch failed', { code: 'RINGLET_FETCH_REDIRECT', message })
}
