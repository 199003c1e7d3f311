/**
 * An HTTP/1.1 response parser of the tests' own. It shares no code with the server and is stricter than clients are:
 * whatever is not exactly a response by RFC 9112 is an error, so that a stray byte between two answers cannot hide.
 */

/** One response message, interim (1xx) ones included. Field names are lower-cased, values kept in arrival order. */
export type Answer = {
  readonly status: number
  readonly reason: string
  readonly version: string
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>
  readonly trailers: ReadonlyArray<readonly [name: string, value: string]>
  readonly framing: 'none' | 'length' | 'chunked' | 'close'
  readonly body: Buffer
}

/** Every value of a field, joined as RFC 9110 section 5.3 allows; undefined when the field is absent. */
export function field(answer: Answer, name: string): string | undefined {
  const values = answer.fields.filter(([key]) => key === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** The body as JSON; throws with the answer's text when it is not. */
export function json<T = Record<string, unknown>>(answer: Answer): T {
  try {
    return JSON.parse(answer.body.toString('utf8')) as T
  } catch {
    throw new Error(`not a JSON body in a ${answer.status}: ${answer.body.toString('latin1').slice(0, 200)}`)
  }
}

const STATUS_LINE = /^(HTTP\/1\.[01]) ([1-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)$/
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/
const HEAD_BYTES_MAX = 256 * 1024

type Fields = Array<[string, string]>
type Head = Omit<Answer, 'body' | 'trailers' | 'framing'>

/**
 * Takes one response off the front of `bytes`.
 * @param method of the request it answers: a HEAD answer has no body whatever its fields say
 * @param ended no more bytes will come, which completes a body that the close delimits
 * @returns the answer and the bytes it took, or undefined while incomplete; throws on a malformed response
 */
export function takeAnswer(
  bytes: Buffer,
  method: string,
  ended: boolean,
): { answer: Answer; taken: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n', 0, 'latin1')
  if (headEnd < 0) {
    if (bytes.length > HEAD_BYTES_MAX) throw new Error('the head of a response does not end')
    return undefined
  }
  const head = parseHead(bytes.toString('latin1', 0, headEnd))
  const start = headEnd + 4
  const done = (framing: Answer['framing'], body: Buffer, taken: number, trailers: Fields = []) => ({
    answer: { ...head, framing, body, trailers },
    taken,
  })
  const length = contentLength(head)
  const chunked = isChunked(head)
  if (head.status < 200 || head.status === 204) {
    // RFC 9112 section 6.1 and RFC 9110 section 8.6: neither field may stand in a 1xx or 204.
    if (chunked || length !== undefined) throw new Error(`body framing in a ${head.status}`)
    return done('none', Buffer.alloc(0), start)
  }
  if (method === 'HEAD' || head.status === 304) return done('none', Buffer.alloc(0), start)
  if (chunked) {
    if (length !== undefined) throw new Error('content-length beside transfer-encoding')
    const decoded = takeChunked(bytes, start)
    return decoded && done('chunked', decoded.body, decoded.end, decoded.trailers)
  }
  if (length !== undefined) {
    if (bytes.length < start + length) return undefined
    return done('length', Buffer.from(bytes.subarray(start, start + length)), start + length)
  }
  return ended ? done('close', Buffer.from(bytes.subarray(start)), bytes.length) : undefined
}

function parseHead(text: string): Head {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const match = STATUS_LINE.exec(statusLine)
  if (!match) throw new Error(`not a status line: ${JSON.stringify(statusLine.slice(0, 200))}`)
  return { version: match[1]!, status: Number(match[2]), reason: match[3]!, fields: lines.map(parseField) }
}

function parseField(line: string): [string, string] {
  const match = FIELD_LINE.exec(line)
  if (!match) throw new Error(`not a field line: ${JSON.stringify(line.slice(0, 200))}`)
  return [match[1]!.toLowerCase(), match[2]!]
}

function contentLength(head: Head): number | undefined {
  const values = head.fields.filter(([name]) => name === 'content-length')
  if (values.length === 0) return undefined
  if (values.length > 1 || !/^[0-9]{1,15}$/.test(values[0]![1])) throw new Error('a doubtful content-length')
  return Number(values[0]![1])
}

function isChunked(head: Head): boolean {
  const values = head.fields.filter(([name]) => name === 'transfer-encoding')
  if (values.length === 0) return false
  if (values.length > 1 || values[0]![1] !== 'chunked') throw new Error('a doubtful transfer-encoding')
  return true
}

function takeChunked(
  bytes: Buffer,
  start: number,
): { body: Buffer; trailers: Fields; end: number } | undefined {
  const parts: Buffer[] = []
  let at = start
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1')
    if (lineEnd < 0) return undefined
    const line = bytes.toString('latin1', at, lineEnd)
    if (!/^[0-9A-Fa-f]{1,8}$/.test(line))
      throw new Error(`not a chunk size: ${JSON.stringify(line.slice(0, 40))}`)
    const size = Number.parseInt(line, 16)
    at = lineEnd + 2
    if (size === 0) break
    if (bytes.length < at + size + 2) return undefined
    if (bytes[at + size] !== 13 || bytes[at + size + 1] !== 10) throw new Error('no CRLF after a chunk')
    parts.push(bytes.subarray(at, at + size))
    at += size + 2
  }
  const trailers: Fields = []
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1')
    if (lineEnd < 0) return undefined
    if (lineEnd === at) return { body: Buffer.concat(parts), trailers, end: at + 2 }
    trailers.push(parseField(bytes.toString('latin1', at, lineEnd)))
    at = lineEnd + 2
  }
}
