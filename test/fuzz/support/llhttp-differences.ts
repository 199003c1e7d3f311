// Where llhttp (as node:http drives it) and ours part, beside what only ours refuses.

import { METHODS } from 'node:http'
import type { Explanation } from './differences.ts'
import { readOurs } from './ours.ts'
import { bodyOf, keepsAlive, offersUpgrade, re, withoutEmptyLines } from './rfc.ts'

const POST = 'POST / HTTP/1.1\r\nHost: a\r\n'
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`

/** Ends for a request of which only the beginning is there, wherever it was cut. */
const ENDS = [
  '\n\r\n',
  '\nHost: a\r\n\r\n',
  '\r\n\r\n',
  '\r\nHost: a\r\n\r\n',
  '0\r\nHost: a\r\n\r\n',
  ': a\r\nHost: a\r\n\r\n',
  'HTTP/1.1\r\nHost: a\r\n\r\n',
  ' HTTP/1.1\r\nHost: a\r\n\r\n',
  '/ HTTP/1.1\r\nHost: a\r\n\r\n',
  ' / HTTP/1.1\r\nHost: a\r\n\r\n',
]

/** Whether ours refuses the beginning of a request, too, as soon as it has an end, whatever end that is. */
function isRefusedLater(text: string): boolean {
  return ENDS.every((end) => {
    const bytes = Buffer.from(text + end, 'latin1')
    const { refusal, messages } = readOurs(bytes, 0, bytes.length)
    return refusal !== undefined && messages.length === 0
  })
}

function isUnknownMethod(text: string): boolean {
  const [, method, after] = re`^([<T>]*)(.?)`.exec(withoutEmptyLines(text)) ?? []
  return !METHODS.some((known) => (after === ' ' ? known === method : known.startsWith(method!)))
}

/** What llhttp refuses, or waits for, and ours does not. */
export const LLHTTP_REFUSALS: readonly Explanation[] = [
  {
    kinds: ['other refuses'],
    what: [
      'HPE_INVALID_URL',
      'HPE_INVALID_CONTENT_LENGTH',
      'HPE_UNEXPECTED_CONTENT_LENGTH',
      'HPE_INVALID_TRANSFER_ENCODING',
    ],
    when: ({ text, ours }) => ours === undefined && isRefusedLater(text),
    why: 'ours refuses it as well, but what is wrong in a target or between fields only when the head is complete',
    example: `${POST}Content-Length: x`,
  },
  {
    kinds: ['other refuses'],
    // PRI is known to it as the beginning of HTTP/2 only.
    what: ['HPE_INVALID_METHOD', 'HPE_INVALID_VERSION'],
    when: ({ text }) => isUnknownMethod(text),
    why: 'a method is any token, and no list is complete; what it means, the function decides, RFC 9110 9.1',
    example: 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    kinds: ['other refuses'],
    what: ['HPE_INVALID_VERSION'],
    when: ({ text }) => re`^[<T>]+ [<U>]+ HTTP/1\.[2-9]`.test(withoutEmptyLines(text)),
    why: 'a higher minor version is served as the highest one known, RFC 9110 2.5',
    example: 'GET / HTTP/1.2\r\nHost: a\r\n\r\n',
  },
  {
    kinds: ['other refuses'],
    what: ['HPE_INVALID_CONTENT_LENGTH'],
    when: ({ text }) => /\r\nContent-Length:[ \t]*\d+ *\t/i.test(text),
    why: 'the whitespace behind a value may be HTAB, RFC 9112 5.1',
    example: `${POST}Content-Length: 1\t\r\n\r\na`,
  },
  {
    kinds: ['other refuses'],
    what: ['HPE_INVALID_TRANSFER_ENCODING'],
    when: ({ text }) => /\r\nTransfer-Encoding:[ \t]*chunked *\t/i.test(text),
    why: 'the whitespace behind a value may be HTAB, RFC 9112 5.1',
    example: `${POST}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`,
  },
  {
    kinds: ['other refuses'],
    what: ['HPE_INVALID_CHUNK_SIZE'],
    when: ({ text }) => /[\da-f][ \t]+(;|$)/i.test(bodyOf(text)),
    why: 'whitespace before the semicolon is in the grammar, and to be read, RFC 9112 7.1.1',
    example: `${CHUNKED}0 ;a\r\n\r\n`,
  },
  {
    kinds: ['other refuses'],
    what: ['HPE_STRICT'],
    when: ({ text }) => /;[^\r]*[ \t]|;[^\r]*"[^\r]*[\x80-\xff]/.test(bodyOf(text)),
    why: 'whitespace around the parts of an extension, and HTAB and obs-text in its strings, are in the grammar, RFC 9112 7.1.1, 9110 5.6.4',
    example: `${CHUNKED}0; a = b\r\n\r\n`,
  },
  {
    kinds: ['other refuses'],
    what: ['HPE_INVALID_TRANSFER_ENCODING', 'HPE_INVALID_CONTENT_LENGTH', 'HPE_UNEXPECTED_CONTENT_LENGTH'],
    when: ({ text }) =>
      /\r\n0[^\n]*\r\n(?:[^\r]+\r\n)*(?:Transfer-Encoding|Content-Length):/i.test(`\r\n${bodyOf(text)}`),
    why: 'trailers are for nothing that frames a message; ours reads and drops them all, RFC 9110 6.5.1',
    example: `${CHUNKED}0\r\nContent-Length: 1\r\n\r\n`,
  },
  {
    kinds: ['other waits'],
    what: ['head', 'body'],
    when: ({ ours, before }) => offersUpgrade(ours) || offersUpgrade(before),
    why: 'node is silent about errors of llhttp in and behind a request that offers an upgrade: it refuses, and the test cannot see it',
    example: `${POST}Connection: upgrade\r\nUpgrade: b\r\nTransfer-Encoding: chunked\r\n\r\n0; a = b\r\n\r\n`,
  },
]

/** What both take, and llhttp understands differently. */
export const LLHTTP_MISREADINGS: readonly Explanation[] = [
  {
    kinds: ['understood', 'ours waits', 'other waits', 'other refuses'],
    what: ['body', 'end', 'HPE_INVALID_METHOD'],
    when: ({ text, ours }) => offersUpgrade(ours) && /\r\nTransfer-Encoding:[ \t]*chunked *\t/i.test(text),
    why: 'with an upgrade offered, llhttp does not refuse "chunked" with an HTAB behind it, but reads the body as the next request, RFC 9112 5.1, 9110 7.8',
    example: `${POST}Connection: upgrade\r\nUpgrade: b\r\nTransfer-Encoding: chunked\t\r\n\r\n1\r\na\r\n0\r\n\r\n`,
  },
  {
    kinds: ['understood'],
    what: ['keepAlive'],
    when: ({ ours }) => ours !== undefined && ours.keepAlive === keepsAlive(ours),
    why: 'llhttp takes "keep-alive" with an HTAB behind it for another option, and lets it win over "close" in HTTP/1.0, RFC 9112 9.3',
    example: 'GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n',
  },
]
