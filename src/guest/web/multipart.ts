import { fromWire, host, toWire } from '../bridge.ts'
import { DECODE, OP } from '../ops.ts'
import { bufferSlice, jsonParse } from '../primordials.ts'
import { bytesOf, utf8 } from './blob.ts'
import { boundaryOf, entriesOf, type FormData, formOf, receivedFile } from './form-data.ts'
import { essenceOf, parameterOf } from './mime-type.ts'
import { URLSearchParams } from './url-search-params.ts'

/** HTML, section 4.10.21.8: line ends of names and values. */
const normalizeLines = (text: string): string => text.replace(/\r\n|\r|\n/g, '\r\n')
/** The same: what would end a name in its field. */
const escapeName = (text: string): string =>
  text.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22')

/** HTML, "multipart/form-data encoding algorithm". */
export function serializeForm(form: FormData): ArrayBuffer {
  const boundary = boundaryOf(form)
  const parts: Uint8Array[] = []
  for (const [name, value] of entriesOf(form)) {
    const start = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(normalizeLines(name))}"`
    if (typeof value === 'string') parts.push(utf8(`${start}\r\n\r\n${normalizeLines(value)}\r\n`))
    else {
      const type = value.type || 'application/octet-stream'
      parts.push(utf8(`${start}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`))
      parts.push(bytesOf(value), utf8('\r\n'))
    }
  }
  parts.push(utf8(`--${boundary}--\r\n`))
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all.buffer as ArrayBuffer
}

export function formType(form: FormData): string {
  return `multipart/form-data; boundary=${boundaryOf(form)}`
}

/** UTF-8, a byte order mark included (URL, section 5.1). */
function decodeForm(body: string | ArrayBuffer | undefined): string {
  if (body === undefined || typeof body === 'string') return body ?? ''
  return fromWire(host(OP.TEXT_DECODE, body, DECODE.IGNORE_BOM))
}

/** A part as the host has found it: see OP.MULTIPART. */
type Part = readonly [name: string, value: string] | readonly [string, string, string, number, number]

/** Fetch, "formData()". @throws TypeError for a type that is no form's, and for a body that is not of its type. */
export function parseForm(body: string | ArrayBuffer | undefined, type: string | null): FormData {
  const essence = type === null ? undefined : essenceOf(type)
  if (essence === 'application/x-www-form-urlencoded') {
    return formOf([...new URLSearchParams(decodeForm(body)).entries()])
  }
  const boundary = essence === 'multipart/form-data' ? parameterOf(type!, 'boundary') : undefined
  if (boundary === undefined) throw new TypeError(`a body of the type ${JSON.stringify(type)} is no form`)
  const bytes = typeof body === 'string' ? (utf8(body).buffer as ArrayBuffer) : (body ?? new ArrayBuffer(0))
  const found = host(OP.MULTIPART, bytes, toWire(boundary)) as string | undefined
  if (found === undefined) throw new TypeError('the body is no multipart/form-data with its boundary')
  const parts = jsonParse(found) as Part[]
  return formOf(
    parts.map((part) =>
      part.length === 2
        ? [part[0], part[1]]
        : [part[0], receivedFile(bufferSlice(bytes, part[3], part[4]), part[1], part[2])],
    ),
  )
}
