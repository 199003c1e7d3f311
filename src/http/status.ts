import { asciiBytes } from './chars.ts'

/** Reason phrases of the registered status codes (RFC 9110 15, RFC 6585, RFC 8470, RFC 7725, RFC 4918). */
const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  507: 'Insufficient Storage',
  511: 'Network Authentication Required',
}

const STATUS_MIN = 100
const STATUS_MAX = 599
const lines: (Uint8Array | undefined)[] = new Array(STATUS_MAX + 1).fill(undefined)

/** The reason phrase, empty for a status without a registered one. */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? ''
}

/** `HTTP/1.1 status reason CRLF`, made once per status. Throws outside 100 to 599: a guest's status is checked before. */
export function statusLine(status: number): Uint8Array {
  const cached = lines[status]
  if (cached !== undefined) return cached
  if (!Number.isInteger(status) || status < STATUS_MIN || status > STATUS_MAX) {
    throw new RangeError(`not a status code: ${status}`)
  }
  // The space before an absent reason is in the grammar, RFC 9112 4.
  const line = asciiBytes(`HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`)
  lines[status] = line
  return line
}

/** Whether an answer has content at all (RFC 9110 6.4.1; 15.3.6 for 205). */
export function bodyAllowed(status: number, isHead: boolean): boolean {
  return !isHead && status >= 200 && status !== 204 && status !== 205 && status !== 304
}

/** Whether Content-Length may be sent, RFC 9110 8.6: HEAD and 304 may tell the length of what they leave out. */
export function lengthAllowed(status: number): boolean {
  return status >= 200 && status !== 204
}
