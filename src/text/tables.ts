// The index tables of the Encoding standard, from a file that the build makes (scripts/encoding-tables.ts): the rows of
// LAYOUT one after the other, each so many little-endian 16-bit units.

import { readFileSync } from 'node:fs'
import { LAYOUT, type TableName } from './layout.ts'

const FILE = 'encodings.bin'
/** Beside the program as it was built; for the sources, which tests run, where the build puts it. */
const PLACES = [`./${FILE}`, `../${FILE}`, `../../dist/${FILE}`]

function readTables(): Buffer {
  for (const place of PLACES) {
    try {
      return readFileSync(new URL(place, import.meta.url))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error(`${FILE} is missing: the package is not built`)
}

let known: Map<TableName, Uint16Array> | undefined

/** 0 where the standard has no entry. Read when first asked for: most functions never decode anything but UTF-8. */
export function table(name: TableName): Uint16Array {
  if (known === undefined) {
    const file = readTables()
    const units = new Uint16Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength))
    known = new Map()
    let at = 0
    for (const [row, length] of LAYOUT) {
      known.set(row, units.subarray(at, at + length))
      at += length
    }
  }
  return known.get(name)!
}
