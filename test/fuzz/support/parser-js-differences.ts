// Where http-parser-js and ours part, beside what only ours refuses.

import type { Explanation } from './differences.ts'
import { keepsAlive, offersUpgrade, re, valuesOf, withoutEmptyLines } from './rfc.ts'

/** What it refuses, and ours does not. */
export const PARSER_JS_REFUSALS: readonly Explanation[] = [
  {
    kinds: ['other refuses'],
    what: ['HPE_INVALID_CONSTANT'],
    when: ({ text }) => re`^[<T>]*[^<T>A-Z-]|^[<T>]*[a-z\d!#$%&'*+.^_\x60|~]`.test(withoutEmptyLines(text)),
    why: 'a method is any token, RFC 9110 9.1',
    example: 'get / HTTP/1.1\r\nHost: a\r\n\r\n',
  },
]

/** What both take, and it understands differently. */
export const PARSER_JS_MISREADINGS: readonly Explanation[] = [
  {
    kinds: ['understood'],
    what: ['keepAlive'],
    when: ({ ours }) => ours !== undefined && ours.keepAlive === keepsAlive(ours),
    why: 'it looks for "close" and "keep-alive" anywhere in the text; they are options in a list, RFC 9110 7.6.1, 9112 9.3',
    example: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n',
  },
  {
    kinds: ['understood', 'ours waits', 'other waits', 'other refuses'],
    what: ['body', 'end', 'HPE_INVALID_CONSTANT', 'HPE_LF_EXPECTED'],
    when: ({ ours, text }) => offersUpgrade(ours) && valuesOf(text, 'transfer-encoding').length > 0,
    why: 'it forgets Transfer-Encoding when an upgrade is offered, and reads the body as the next request; the offer changes nothing before a 101, RFC 9110 7.8',
    example:
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: b\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  },
]
