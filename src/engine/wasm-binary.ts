// WebAssembly's binary format, as far as a module is taken apart and put together again here (Core Specification 2.0, section 5).

const PREAMBLE_BYTES = 8

export class Reader {
  readonly bytes: Uint8Array
  at: number
  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  byte(): number {
    return this.bytes[this.at++]!
  }

  /** An unsigned LEB128 of at most 32 bits (5.2.2). */
  u32(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }

  skipLeb(): void {
    while (this.byte() >= 0x80);
  }

  skip(bytes: number): void {
    this.at += bytes
  }
}

/** LEB128 of a number below 2 ** 31, signed or not: the sign bit is clear in both. */
export function leb(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x3f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}

export class Writer {
  #bytes = Buffer.alloc(1 << 16)
  length = 0

  push(...bytes: readonly number[]): void {
    this.bytes(Uint8Array.from(bytes))
  }

  bytes(source: Uint8Array): void {
    while (this.length + source.length > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)])
    this.#bytes.set(source, this.length)
    this.length += source.length
  }

  /** Its length, then itself. */
  sized(source: Uint8Array): void {
    this.push(...leb(source.length))
    this.bytes(source)
  }

  get content(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }
}

export interface Section {
  readonly id: number
  readonly from: number
  readonly to: number
}

export function sectionsOf(wasm: Uint8Array): Section[] {
  const reader = new Reader(wasm, PREAMBLE_BYTES)
  const sections: Section[] = []
  while (reader.at < wasm.length) {
    const id = reader.byte()
    const bytes = reader.u32()
    sections.push({ id, from: reader.at, to: reader.at + bytes })
    reader.skip(bytes)
  }
  return sections
}

/** What stands before the first section: the magic number and the version. */
export const preambleOf = (wasm: Uint8Array): Uint8Array => wasm.subarray(0, PREAMBLE_BYTES)

/** A vector's section with one more element at its end. */
export function appended(wasm: Uint8Array, { from, to }: Section, element: readonly number[]): Uint8Array {
  const reader = new Reader(wasm, from)
  const count = reader.u32()
  const out = new Writer()
  out.push(...leb(count + 1))
  out.bytes(wasm.subarray(reader.at, to))
  out.push(...element)
  return out.content
}

/** How many functions and tables are imported (5.5.5). */
export function importsOf(wasm: Uint8Array, { from }: Section): { functions: number; tables: number } {
  const reader = new Reader(wasm, from)
  let functions = 0
  let tables = 0
  for (let count = reader.u32(); count > 0; count--) {
    for (let names = 0; names < 2; names++) reader.skip(reader.u32())
    const kind = reader.byte()
    if (kind === 0) functions++
    if (kind === 1) tables++
    if (kind === 0) reader.skipLeb()
    else {
      // A table's element type and a global's type come before; what follows are flags and limits.
      if (kind === 1 || kind === 3) reader.skip(1)
      if (kind === 3) reader.skip(1)
      else {
        const hasMaximum = (reader.byte() & 1) !== 0
        reader.skipLeb()
        if (hasMaximum) reader.skipLeb()
      }
    }
  }
  return { functions, tables }
}
