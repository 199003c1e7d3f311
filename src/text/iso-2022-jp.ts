// Encoding, section 12.2.1: the only encoding left in which escape sequences change what bytes mean.

import { table } from './tables.ts'
import type { PieceDecoder, Units } from './units.ts'

/** The standard's decoder states; the first four are output states too. */
const ASCII = 0
const ROMAN = 1
const KATAKANA = 2
const LEAD = 3
const TRAIL = 4
const ESCAPE_START = 5
const ESCAPE = 6
const END = -1

const ESC = 0x1b

class Iso2022Jp {
  readonly #jis0208: Uint16Array
  readonly #out: Units
  /** Bytes put back, the next one last. */
  readonly #again: number[] = []
  #mode: number
  #outputMode: number
  #afterEscape: boolean
  #lead: number

  constructor(state: number, jis0208: Uint16Array, out: Units) {
    this.#jis0208 = jis0208
    this.#out = out
    this.#mode = Math.min(state & 7, ESCAPE)
    this.#outputMode = (state >> 3) & 3
    this.#afterEscape = (state & 0x20) !== 0
    this.#lead = (state >> 6) & 0xff
  }

  get state(): number {
    return this.#mode | (this.#outputMode << 3) | (this.#afterEscape ? 0x20 : 0) | (this.#lead << 6)
  }

  decode(bytes: Uint8Array, isLast: boolean): void {
    for (let i = 0; i < bytes.length && !this.#out.failed; i++) {
      this.#byte(bytes[i]!)
      this.#drain()
    }
    if (!isLast) return
    while (this.#mode > LEAD && !this.#out.failed) {
      this.#byte(END)
      this.#drain()
    }
  }

  #drain(): void {
    while (this.#again.length > 0 && !this.#out.failed) this.#byte(this.#again.pop()!)
  }

  #byte(byte: number): void {
    if (this.#mode === ESCAPE_START) this.#escapeStart(byte)
    else if (this.#mode === ESCAPE) this.#escape(byte)
    else if (this.#mode === TRAIL) this.#trail(byte)
    else if (byte === ESC) this.#mode = ESCAPE_START
    else this.#plain(byte)
  }

  #plain(byte: number): void {
    this.#afterEscape = false
    if (this.#mode === KATAKANA) {
      if (byte >= 0x21 && byte <= 0x5f) this.#out.put(0xff61 - 0x21 + byte)
      else this.#out.error()
    } else if (this.#mode === LEAD) {
      if (byte < 0x21 || byte > 0x7e) this.#out.error()
      else {
        this.#lead = byte
        this.#mode = TRAIL
      }
    } else if (byte > 0x7f || byte === 0x0e || byte === 0x0f) this.#out.error()
    else if (this.#mode === ROMAN && byte === 0x5c) this.#out.put(0xa5)
    else if (this.#mode === ROMAN && byte === 0x7e) this.#out.put(0x203e)
    else this.#out.put(byte)
  }

  #trail(byte: number): void {
    this.#mode = byte === ESC ? ESCAPE_START : LEAD
    const isTrail = byte >= 0x21 && byte <= 0x7e
    const unit = isTrail ? this.#jis0208[(this.#lead - 0x21) * 94 + byte - 0x21] : 0
    this.#lead = 0
    if (unit === undefined || unit === 0) this.#out.error()
    else this.#out.put(unit)
  }

  #escapeStart(byte: number): void {
    if (byte === 0x24 || byte === 0x28) {
      this.#lead = byte
      this.#mode = ESCAPE
      return
    }
    if (byte !== END) this.#again.push(byte)
    this.#noEscape()
  }

  #escape(byte: number): void {
    const lead = this.#lead
    this.#lead = 0
    const mode = modeOf(lead, byte)
    if (mode === undefined) {
      if (byte !== END) this.#again.push(byte)
      this.#again.push(lead)
      this.#noEscape()
      return
    }
    this.#mode = this.#outputMode = mode
    // Two escape sequences without a character between them hide something.
    if (this.#afterEscape) this.#out.error()
    this.#afterEscape = true
  }

  #noEscape(): void {
    this.#afterEscape = false
    this.#mode = this.#outputMode
    this.#out.error()
  }
}

function modeOf(lead: number, byte: number): number | undefined {
  if (lead === 0x24) return byte === 0x40 || byte === 0x42 ? LEAD : undefined
  if (byte === 0x42) return ASCII
  if (byte === 0x4a) return ROMAN
  return byte === 0x49 ? KATAKANA : undefined
}

export function iso2022Jp(): PieceDecoder {
  const jis0208 = table('jis0208')
  return (bytes, state, isLast, out) => {
    const decoder = new Iso2022Jp(state, jis0208, out)
    decoder.decode(bytes, isLast)
    return isLast ? 0 : decoder.state
  }
}
