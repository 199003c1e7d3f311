import { fromWire, host, toWire } from '../bridge.ts'
import { feature } from '../feature.ts'
import { OP } from '../ops.ts'
import { bufferSlice, setBytes, toLowerCase, toWellFormed } from '../primordials.ts'
import { copyBytes, isArrayBuffer } from './body.ts'
import { registerSerializable } from './serializable.ts'
import type { ReadableStream } from './streams.ts'
import { finishInterface, matches, needs, toDictionary } from './webidl.ts'

const PRINTABLE = /^[\x20-\x7e]*$/
const LINE_END = /\r\n|\r|\n/g

/** A part of a Blob: text is not bytes before its line ends are known. */
type Part = string | Uint8Array

/** A value of user code's as one of an enumeration. */
function toEndings(value: unknown): 'transparent' | 'native' {
  const endings = value === undefined ? 'transparent' : `${value}`
  if (endings === 'transparent' || endings === 'native') return endings
  throw new TypeError(`${JSON.stringify(endings)} is no way to end lines: transparent or native`)
}

/** File API, "type": lower case, or nothing if it has what no type has. */
function toType(value: unknown): string {
  const type = `${value}`
  return matches(PRINTABLE, type) ? toLowerCase(type) : ''
}

/** WebIDL's sequence: any object that can be iterated; each item is converted before the next is taken. */
function toParts(parts: unknown, what: string): Part[] {
  if (parts === undefined) return []
  const isObject = (typeof parts === 'object' && parts !== null) || typeof parts === 'function'
  const method = isObject ? (parts as Iterable<unknown>)[Symbol.iterator] : undefined
  if (typeof method !== 'function') throw new TypeError(`the parts of a ${what} must be a sequence`)
  const iterator = Reflect.apply(method, parts, []) as Iterator<unknown>
  const items: Part[] = []
  for (const item of { [Symbol.iterator]: () => iterator }) items.push(toPart(item))
  return items
}

let bytesOf: (blob: Blob) => Uint8Array
let isBlob: (value: unknown) => value is Blob
let withBytes: (bytes: Uint8Array, type: string) => Blob

function toPart(value: unknown): Part {
  if (isBlob(value)) return bytesOf(value)
  if (typeof value === 'object' && value !== null && (ArrayBuffer.isView(value) || isArrayBuffer(value))) {
    return new Uint8Array(copyBytes(value as ArrayBuffer))
  }
  return toWellFormed(`${value}`)
}

function partBytes(part: Part, endings: 'transparent' | 'native'): Uint8Array {
  if (typeof part !== 'string') return part
  return utf8(endings === 'native' ? part.replace(LINE_END, '\n') : part)
}

function utf8(text: string): Uint8Array {
  return new Uint8Array(host(OP.TEXT_ENCODE, toWire(text)) as ArrayBuffer)
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    setBytes(all, part, at)
    at += part.length
  }
  return all
}

const BYTES = Symbol('bytes')

/** File API, section 3. Its bytes never change, so a slice and a copy share them. */
export class Blob {
  readonly #bytes: Uint8Array
  readonly #type: string

  constructor(parts?: unknown, options?: unknown, internal?: unknown) {
    if (internal === BYTES) {
      this.#bytes = parts as Uint8Array
      this.#type = options as string
      return
    }
    const items = toParts(parts, 'Blob')
    const given = toDictionary(options, 'the options of a Blob')
    const endings = toEndings(given['endings'])
    const { type } = given
    this.#type = type === undefined ? '' : toType(type)
    this.#bytes = concatenate(items.map((item) => partBytes(item, endings)))
  }

  get size(): number {
    return this.#bytes.length
  }

  get type(): string {
    return this.#type
  }

  slice(start?: unknown, end?: unknown, contentType?: unknown): Blob {
    const { length } = this.#bytes
    const from = toPosition(start, 0, length)
    const to = Math.max(from, toPosition(end, length, length))
    return withBytes(this.#bytes.subarray(from, to), contentType === undefined ? '' : toType(contentType))
  }

  stream(): ReadableStream {
    const bytes = bytesOf(this)
    const { endBytes, enqueueBytes, newByteStream } = feature('streams')
    return newByteStream({
      pull(controller) {
        // The chunk is the reader's: what the Blob has is not.
        if (bytes.length > 0) enqueueBytes(controller, bytes.slice())
        endBytes(controller)
      },
    })
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return copyOf(bytesOf(this))
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(copyOf(bytesOf(this)))
  }

  async text(): Promise<string> {
    return fromWire(host(OP.TEXT_DECODE, copyOf(bytesOf(this))))
  }

  static {
    bytesOf = (blob) => blob.#bytes
    isBlob = (value): value is Blob => typeof value === 'object' && value !== null && #bytes in value
    withBytes = (bytes, type) => new Blob(bytes, type, BYTES)
  }
}
Object.defineProperty(Blob, 'length', { value: 0, configurable: true })
Object.defineProperty(Blob.prototype.slice, 'length', { value: 0, configurable: true })
finishInterface(Blob, 'Blob')

export { bytesOf, isBlob, utf8, withBytes }

export function copyOf({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  return bufferSlice(buffer as ArrayBuffer, byteOffset, byteOffset + byteLength)
}

/** WebIDL's [Clamp] long long, counted from the end when negative. */
function toPosition(value: unknown, otherwise: number, length: number): number {
  if (value === undefined) return otherwise
  const number = Number(value)
  const whole = Number.isNaN(number) ? 0 : Math.trunc(number)
  return whole < 0 ? Math.max(0, length + whole) : Math.min(whole, length)
}

/** Whether a value is a File of this realm, whatever its prototype says. */
let isFile: (value: unknown) => value is File

/** File API, section 4. */
export class File extends Blob {
  readonly #name: string
  readonly #lastModified: number

  constructor(parts: unknown, name: unknown, options?: unknown, internal?: unknown) {
    if (internal === BYTES) {
      super(parts, (options as File).type, BYTES)
      this.#name = name as string
      this.#lastModified = (options as File).lastModified
      return
    }
    needs(arguments.length, 2, 'File')
    if (parts === undefined) throw new TypeError('the parts of a File must be a sequence')
    super(parts, options)
    this.#name = toWellFormed(`${name}`)
    const { lastModified } = toDictionary(options, 'the options of a File')
    this.#lastModified = lastModified === undefined ? Date.now() : toLongLong(lastModified)
  }

  get name(): string {
    return this.#name
  }

  get lastModified(): number {
    return this.#lastModified
  }

  static {
    isFile = (value): value is File => typeof value === 'object' && value !== null && #name in value
  }
}
Object.defineProperty(File, 'length', { value: 2, configurable: true })
finishInterface(File, 'File')

export { isFile }

/** WebIDL's conversion to long long. */
function toLongLong(value: unknown): number {
  const number = Number(value)
  return Number.isFinite(number) ? Math.trunc(number) + 0 : 0
}

/** A File of a Blob's bytes, or of a File's with another name. */
export function fileOf(blob: Blob, name: string): File {
  const { type } = blob
  const lastModified = isFile(blob) ? blob.lastModified : Date.now()
  return new File(bytesOf(blob), name, { type, lastModified }, BYTES)
}

registerSerializable({
  is: isBlob,
  copy: (value) => {
    const blob = value as Blob
    return isFile(blob) ? fileOf(blob, blob.name) : withBytes(bytesOf(blob), blob.type)
  },
})
