// Answers with ranges of a file, RFC 9110, sections 14.4 to 14.6 and 15.3.7: one as it is, several as multipart/byteranges.

import { randomBytes } from 'node:crypto'
import type { FileSegment } from '../file-record.ts'
import { bytesAnswer, type FileAnswer, type StaticAnswer } from './answer.ts'
import { type ByteRange, contentRange } from './range.ts'
import type { Representation } from './representation.ts'

/** `content`: all of it, where it is in memory. */
export function partialAnswer(
  form: Representation,
  ranges: readonly ByteRange[],
  content: Uint8Array | null,
): StaticAnswer {
  const [range] = ranges
  if (ranges.length > 1) return severalParts(form, ranges, content)
  const { start, end } = range!
  const lines = `content-type: ${form.type}\r\ncontent-range: ${contentRange(range!, form.size)}\r\n`
  const fields = Buffer.from(lines + form.partFields, 'latin1')
  if (content !== null) return bytesAnswer(206, fields, content, start, end)
  return fileAnswer(form, 206, fields, end - start, [form.part(start, end)])
}

/** All of a file that is not in memory. */
export function wholeAnswer(form: Representation): FileAnswer {
  return fileAnswer(form, 200, form.fields, form.size, [form.part(0, form.size)])
}

function fileAnswer(
  { real, identity }: Representation,
  status: number,
  fields: Uint8Array,
  length: number,
  segments: readonly FileSegment[],
): FileAnswer {
  return { kind: 'file', status, fields, length, path: real, identity, segments }
}

function severalParts(
  form: Representation,
  ranges: readonly ByteRange[],
  content: Uint8Array | null,
): StaticAnswer {
  // So long that it is in no content, unless somebody has guessed it (RFC 2046, section 5.1.1).
  const boundary = randomBytes(18).toString('base64url')
  const segments: FileSegment[] = []
  let before = ''
  for (const range of ranges) {
    const type = `content-type: ${form.type}\r\n`
    const part = `${before}--${boundary}\r\n${type}content-range: ${contentRange(range, form.size)}\r\n\r\n`
    segments.push(Buffer.from(part, 'latin1'))
    segments.push(content?.subarray(range.start, range.end) ?? form.part(range.start, range.end))
    before = '\r\n'
  }
  segments.push(Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'))
  const lines = `content-type: multipart/byteranges; boundary=${boundary}\r\n`
  const fields = Buffer.from(lines + form.partFields, 'latin1')
  if (content !== null) return bytesAnswer(206, fields, Buffer.concat(segments as Uint8Array[]))
  const length = segments.reduce((sum, segment) => sum + segment.length, 0)
  return fileAnswer(form, 206, fields, length, segments)
}
