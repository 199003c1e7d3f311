/**
 * OP.MULTIPART: where the parts of a form lie. On the host's side, since to look for a boundary in a body costs the guest's interpreter
 * a hundred times as much. The bytes are a client's, the boundary may be user code's: nothing of either is believed.
 */

/** Parts of one form. */
const PARTS_MAX = 10_000
/** RFC 2046, section 5.1.1. */
const BOUNDARY_CHARS_MAX = 70
/** Fields of one part. */
const PART_HEAD_BYTES_MAX = 16 * 1024
const HEAD_END = '\r\n\r\n'
/**
 * One parameter (RFC 7578, section 4.2): quotes as HTML writes them, unquoted values are tolerated. From its place on and nowhere else: what
 * stands inside of quotes is nobody's parameter.
 */
const PARAMETER = /([^=;"\s]+)=(?:"([^"]*)"|([^;"\s]+))[\t ]*(?:;|$)/y
const BETWEEN = /[;\t ]*/y

/** A text: [name, value]. A file: [name, file name, type, start, end]. */
type Part = [string, string] | [string, string, string, number, number]

/** JSON text of the parts; undefined for what is no multipart/form-data with this boundary, or has too many or too long parts. */
export function findParts(body: Uint8Array, boundary: string): string | undefined {
  if (boundary.length === 0 || boundary.length > BOUNDARY_CHARS_MAX) return undefined
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  let at = firstDelimiterEnd(bytes, delimiter)
  const parts: Part[] = []
  for (;;) {
    if (at < 0) return undefined
    if (bytes.toString('latin1', at, at + 2) === '--') return JSON.stringify(parts)
    const start = afterPadding(bytes, at)
    const found = start < 0 ? undefined : readPart(bytes, start, delimiter)
    if (found === undefined || parts.length === PARTS_MAX) return undefined
    parts.push(found.part)
    at = found.end + delimiter.length
  }
}

/** Where the first delimiter ends: it may stand at the very beginning. -1 for none. */
function firstDelimiterEnd(bytes: Buffer, delimiter: Buffer): number {
  const first = delimiter.subarray(2)
  if (bytes.subarray(0, first.length).equals(first)) return first.length
  const at = bytes.indexOf(delimiter)
  return at < 0 ? -1 : at + delimiter.length
}

/** The beginning of the part after a delimiter's padding and line end; -1 if there is none. */
function afterPadding(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++
  return bytes[at] === 0x0d && bytes[at + 1] === 0x0a ? at + 2 : -1
}

function readPart(bytes: Buffer, start: number, delimiter: Buffer): { part: Part; end: number } | undefined {
  const headEnd = bytes.indexOf(HEAD_END, start)
  if (headEnd < 0 || headEnd - start > PART_HEAD_BYTES_MAX) return undefined
  const lines = bytes.toString('utf8', start, headEnd).split('\r\n')
  const { name, filename } = dispositionOf(fieldOf(lines, 'content-disposition'))
  // An empty part has the line end of its head for that of its delimiter.
  const end = bytes.indexOf(delimiter, headEnd + HEAD_END.length - 2)
  if (name === undefined || end < 0) return undefined
  const from = Math.min(headEnd + HEAD_END.length, end)
  if (filename === undefined) return { part: [name, bytes.toString('utf8', from, end)], end }
  return { part: [name, filename, fieldOf(lines, 'content-type') ?? 'text/plain', from, end], end }
}

/** The value of the first field of this name. */
function fieldOf(lines: readonly string[], name: string): string | undefined {
  for (const line of lines) {
    if (line[name.length] === ':' && line.slice(0, name.length).toLowerCase() === name)
      return line.slice(name.length + 1).trim()
  }
  return undefined
}

interface Disposition {
  readonly name?: string | undefined
  readonly filename?: string | undefined
}

/** The parameters that matter, the first of each; none of what is no form-data or is damaged. */
function dispositionOf(value = ''): Disposition {
  const [type = ''] = value.split(';', 1)
  if (type.trim().toLowerCase() !== 'form-data') return {}
  const found = new Map<string, string>()
  let at = type.length
  for (;;) {
    BETWEEN.lastIndex = at
    BETWEEN.test(value)
    at = BETWEEN.lastIndex
    if (at === value.length) break
    PARAMETER.lastIndex = at
    const match = PARAMETER.exec(value)
    if (match === null) return {}
    at = PARAMETER.lastIndex
    const name = match[1]!.toLowerCase()
    if (!found.has(name)) found.set(name, unescaped(match[2] ?? match[3]!))
  }
  return { name: found.get('name'), filename: found.get('filename') }
}

/** Without what HTML escapes. */
function unescaped(value: string): string {
  return value.replace(/%0A/g, '\n').replace(/%0D/g, '\r').replace(/%22/g, '"')
}
