import { fromWire, host, toWire } from '../bridge.ts'
import { DECODE, OP } from '../ops.ts'
import { copyBytes, isArrayBuffer } from './body.ts'
import { finishInterface, toDictionary } from './webidl.ts'

type Bytes = ArrayBuffer | ArrayBufferView

function encodeUtf8(text: string): Uint8Array {
  return new Uint8Array(host(OP.TEXT_ENCODE, toWire(text)) as ArrayBuffer)
}

/** Encoding, section 7.2. */
export class TextEncoder {
  get encoding(): string {
    return 'utf-8'
  }

  encode(input: unknown = ''): Uint8Array {
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
    destination.set(bytes.subarray(0, written))
    return { read, written }
  }
}
finishInterface(TextEncoder, 'TextEncoder')

function encodingOf(label: unknown): string {
  const text = `${label}`
  if (/^[\t\n\f\r ]*utf-?8[\t\n\f\r ]*$/i.test(text)) return 'utf-8'
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

/** Bytes to hold back until more come, so that each piece can be decoded on its own. */
function openBytes(encoding: string, bytes: Uint8Array): number {
  if (encoding === 'utf-8') return openUtf8(bytes)
  if (encoding === 'utf-16le' || encoding === 'utf-16be') {
    const odd = bytes.length % 2
    const high = bytes[bytes.length - odd - (encoding === 'utf-16le' ? 1 : 2)]
    return high !== undefined && high >= 0xd8 && high <= 0xdb ? odd + 2 : odd
  }
  const singleByte = /^(?:windows|iso-8859|koi8|ibm|macintosh|x-mac)/.test(encoding)
  return singleByte ? 0 : bytes.length // the other legacy encodings have states: decode them in one piece
}

/** Encoding, section 7.1. The decoding is the host's. */
export class TextDecoder {
  #encoding: string
  #flags: number
  #held = new Uint8Array(0)
  /** Whether the piece to come is the first: only there a byte order mark is one. */
  #atStart = true

  constructor(label: unknown = 'utf-8', options?: { fatal?: boolean; ignoreBOM?: boolean }) {
    this.#encoding = encodingOf(label)
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

  decode(input?: Bytes, options?: { stream?: boolean }): string {
    const stream = !!toDictionary(options, 'the options of decode')['stream']
    let bytes = this.#held
    if (input !== undefined) {
      if (!ArrayBuffer.isView(input) && !isArrayBuffer(input)) {
        throw new TypeError('decode needs an ArrayBuffer or a view of one')
      }
      const more = new Uint8Array(copyBytes(input))
      if (bytes.length === 0) bytes = more
      else {
        const joined = new Uint8Array(bytes.length + more.length)
        joined.set(bytes)
        joined.set(more, bytes.length)
        bytes = joined
      }
    }
    const open = stream ? openBytes(this.#encoding, bytes) : 0
    const ready = bytes.length - open
    this.#held = open === 0 ? new Uint8Array(0) : bytes.slice(ready)
    const flags = this.#atStart ? this.#flags : this.#flags | DECODE.IGNORE_BOM
    this.#atStart = stream ? this.#atStart && ready === 0 : true
    if (ready === 0) return ''
    const text = host(OP.TEXT_DECODE, bytes.buffer.slice(0, ready), this.#encoding, flags)
    if (text === undefined) {
      this.#held = new Uint8Array(0)
      this.#atStart = true
      throw new TypeError(`the bytes are not valid ${this.#encoding}`)
    }
    return fromWire(text)
  }
}
finishInterface(TextDecoder, 'TextDecoder')
