import { fromWire, host, toWire } from '../bridge.ts'
import { DECODE, OP, STATE_UNIT_BASE, STATE_UNIT_BITS } from '../ops.ts'
import { viewBuffer, viewKind, viewLength, viewOffset } from '../primordials.ts'
import { copyBytes, isArrayBuffer } from './body.ts'
import { finishInterface, matches, toDictionary } from './webidl.ts'

type Bytes = ArrayBuffer | ArrayBufferView

function encodeUtf8(text: string): Uint8Array {
  return new Uint8Array(host(OP.TEXT_ENCODE, toWire(text)) as ArrayBuffer)
}

/** Encoding, section 7.2. */
export class TextEncoder {
  /** For the brand alone. */
  readonly #encoding = 'utf-8'

  get encoding(): string {
    return this.#encoding
  }

  encode(input: unknown = ''): Uint8Array {
    void this.#encoding
    return encodeUtf8(`${input}`)
  }

  /** Writes whole characters only, as many as fit. */
  encodeInto(source: unknown, destination: Uint8Array): { read: number; written: number } {
    const text = `${source}`
    if (!(destination instanceof Uint8Array)) throw new TypeError('encodeInto needs a Uint8Array')
    const room = destination.length
    // Every UTF-16 unit takes a byte at least, so nothing past `room` units can fit.
    const bytes = encodeUtf8(text.slice(0, room + 1))
    let written = 0
    let read = 0
    while (written < bytes.length) {
      const lead = bytes[written]!
      const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
      if (written + size > room) break
      written += size
      read += size === 4 ? 2 : 1
    }
    // Into a detached buffer, which has no room, nothing can be set.
    if (written > 0) destination.set(bytes.subarray(0, written))
    return { read, written }
  }
}
finishInterface(TextEncoder, 'TextEncoder')

const UTF_8 = 'utf-8'

function encodingOf(label: unknown): string {
  if (label === UTF_8) return UTF_8
  const text = `${label}`
  if (/^[\t\n\f\r ]*utf-?8[\t\n\f\r ]*$/i.test(text)) return UTF_8
  const name = host(OP.ENCODING_NAME, toWire(text)) as string | undefined
  if (name === undefined) throw new RangeError(`${JSON.stringify(text)} is not a known encoding`)
  return name
}

/** Bytes at the end of `bytes` that belong to a UTF-8 sequence which has not ended. */
function openUtf8(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue
    const size = byte < 0xc2 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 1
    return size > back && startsWell(byte, back > 1 ? bytes[bytes.length - back + 1]! : undefined) ? back : 0
  }
  return 0
}

/** Whether a lead's second byte (if there) lies in the range the Encoding standard gives it. */
function startsWell(lead: number, second: number | undefined): boolean {
  if (second === undefined) return true
  if (lead === 0xe0) return second >= 0xa0
  if (lead === 0xed) return second < 0xa0
  if (lead === 0xf0) return second >= 0x90
  return lead !== 0xf4 || second < 0x90
}

/** Bytes to hold back until more come, so that each piece can be decoded on its own. Of encodings without a state of their own. */
function openBytes(encoding: string, bytes: Uint8Array): number {
  if (encoding === 'utf-8') return openUtf8(bytes)
  if (encoding !== 'utf-16le' && encoding !== 'utf-16be') return 0
  const odd = bytes.length % 2
  const high = bytes[bytes.length - odd - (encoding === 'utf-16le' ? 1 : 2)]
  return high !== undefined && high >= 0xd8 && high <= 0xdb ? odd + 2 : odd
}

/** The encodings whose decoders have a state: the host gives it with each piece, see DECODE.PIECE. */
const STATEFUL = /^(?:big5|euc-jp|euc-kr|gb18030|gbk|iso-2022-jp|shift_jis)$/

const NOTHING = new Uint8Array(0)

/** A copy of the bytes, which may be shared or those of a detached buffer, of which there are none. */
function copyInput(input: unknown): Uint8Array {
  if (input === undefined) return NOTHING
  if (!ArrayBuffer.isView(input) && !isArrayBuffer(input)) {
    if (!isSharedBuffer(input)) throw new TypeError('decode needs an ArrayBuffer or a view of one')
    return new Uint8Array(new Uint8Array(input))
  }
  if (ArrayBuffer.isView(input) && isSharedBuffer(input.buffer)) {
    return new Uint8Array(new Uint8Array(input.buffer, input.byteOffset, input.byteLength))
  }
  return new Uint8Array(copyBytes(input))
}

function isSharedBuffer(value: unknown): value is SharedArrayBuffer {
  return typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer
}

function concatBytes(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second
  const joined = new Uint8Array(first.length + second.length)
  joined.set(first)
  joined.set(second, first.length)
  return joined
}

/** What the pieces before have left. */
interface Open {
  /** Of a decoder of the host's. */
  state: number
  held: Uint8Array<ArrayBuffer>
  /** Whether the piece to come is the first: only there a byte order mark is one. */
  isAtStart: boolean
}

/** Encoding, section 7.1. The decoding is the host's, the state is here: it goes with the runtime. */
export class TextDecoder {
  #encoding: string
  #flags = 0
  /** Of a text whose last piece is to come; most are decoded whole. */
  #open: Open | undefined

  constructor(label: unknown = 'utf-8', options?: { fatal?: boolean; ignoreBOM?: boolean }) {
    this.#encoding = encodingOf(label)
    if (options === undefined) return
    const { fatal, ignoreBOM } = toDictionary(options, 'the options of a TextDecoder')
    this.#flags = (fatal ? DECODE.FATAL : 0) | (ignoreBOM ? DECODE.IGNORE_BOM : 0)
  }

  get encoding(): string {
    return this.#encoding
  }

  get fatal(): boolean {
    return (this.#flags & DECODE.FATAL) !== 0
  }

  get ignoreBOM(): boolean {
    return (this.#flags & DECODE.IGNORE_BOM) !== 0
  }

  decode(
    input: Bytes | undefined = undefined,
    options: { stream?: boolean } | undefined = undefined,
  ): string {
    if (options === undefined && this.#open === undefined) {
      const text = this.#decodeWhole(input)
      if (text !== undefined) return text
    }
    const stream = !!toDictionary(options, 'the options of decode')['stream']
    const bytes = copyInput(input)
    const open = this.#open ?? { state: 0, held: NOTHING, isAtStart: true }
    this.#open = stream ? open : undefined
    if ((stream || open.state !== 0) && matches(STATEFUL, this.#encoding))
      return this.#decodePiece(open, bytes, stream)
    const all = concatBytes(open.held, bytes)
    const openLength = stream ? openBytes(this.#encoding, all) : 0
    const ready = all.length - openLength
    open.held = openLength === 0 ? NOTHING : all.slice(ready)
    const flags = open.isAtStart ? this.#flags : this.#flags | DECODE.IGNORE_BOM
    open.isAtStart &&= ready === 0
    if (ready === 0) return ''
    const buffer = ready === all.byteLength ? all.buffer : all.buffer.slice(0, ready)
    const text =
      this.#encoding === UTF_8
        ? host(OP.TEXT_DECODE, buffer, flags)
        : host(OP.TEXT_DECODE, buffer, flags, undefined, undefined, this.#encoding)
    if (text === undefined) throw this.#invalid()
    return fromWire(text)
  }

  /** A whole text in the usual type of array, which the host reads where it lies; undefined for others. */
  #decodeWhole(input: unknown): string | undefined {
    if (viewKind(input) !== 'Uint8Array') return undefined
    const length = viewLength(input)
    // Of a detached buffer as well.
    if (length === 0) return ''
    const encoding = this.#encoding
    const buffer = viewBuffer(input)
    const text =
      encoding === UTF_8
        ? host(OP.TEXT_DECODE, buffer, this.#flags, viewOffset(input), length)
        : host(OP.TEXT_DECODE, buffer, this.#flags, viewOffset(input), length, encoding)
    if (text === undefined) throw this.#invalid()
    return fromWire(text)
  }

  #decodePiece(open: Open, bytes: Uint8Array, stream: boolean): string {
    const flags = this.#flags | DECODE.PIECE | (stream ? DECODE.OPEN : 0)
    const answer = host(OP.TEXT_DECODE, bytes.buffer, flags, undefined, undefined, this.#encoding, open.state)
    if (answer === undefined) throw this.#invalid()
    const text = fromWire(answer)
    const low = text.charCodeAt(0) - STATE_UNIT_BASE
    const high = text.charCodeAt(1) - STATE_UNIT_BASE
    open.state = low | (high << STATE_UNIT_BITS)
    return text.slice(2)
  }

  #invalid(): TypeError {
    this.#open = undefined
    return new TypeError(`the bytes are not valid ${this.#encoding}`)
  }
}
finishInterface(TextDecoder, 'TextDecoder')
