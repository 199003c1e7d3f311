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
const DISPOSITION = /^content-disposition:[\t ]*form-data[\t ]*;(.*)$/im
/** With the white space around the value: an expression that leaves it out tries, for each character of a long run, all of the rest. */
const TYPE = /^content-type:(.*)$/im
/** RFC 7578, section 4.2, with quotes as HTML writes them; unquoted values are tolerated. */
const parameter = (name: string) => new RegExp(`(?:^|;)[\\t ]*${name}=(?:"([^"]*)"|([^;"\\s]+))`, 'i')
const NAME = parameter('name')
const FILENAME = parameter('filename')

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
  const head = bytes.toString('utf8', start, headEnd)
  const disposition = DISPOSITION.exec(head)?.[1]
  const name = disposition === undefined ? undefined : valueIn(disposition, NAME)
  // An empty part has the line end of its head for that of its delimiter.
  const end = bytes.indexOf(delimiter, headEnd + HEAD_END.length - 2)
  if (name === undefined || end < 0) return undefined
  const from = Math.min(headEnd + HEAD_END.length, end)
  const filename = valueIn(disposition!, FILENAME)
  if (filename === undefined) return { part: [name, bytes.toString('utf8', from, end)], end }
  const type = TYPE.exec(head)?.[1]?.trim() ?? 'text/plain'
  return { part: [name, filename, type, from, end], end }
}

/** A parameter's value, with what HTML escapes in it. */
function valueIn(disposition: string, pattern: RegExp): string | undefined {
  const match = pattern.exec(disposition)
  const value = match?.[1] ?? match?.[2]
  return value?.replace(/%0A/g, '\n').replace(/%0D/g, '\r').replace(/%22/g, '"')
}
