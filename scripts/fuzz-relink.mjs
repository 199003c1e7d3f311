// Jazzer.js 4.0.0 comes with an addon that was linked against glibc 2.38, for three symbols only: `strtol` and `strtoul`
// under their C23 names, and one that nothing calls. So that it loads on systems that are a year older, those are bound to what
// every glibc has. For coverage-guided fuzzing alone, in a folder of its own; nothing of it is shipped.
import { readFileSync, writeFileSync } from 'node:fs'

const C23_PREFIX = '__isoc23_'
const NEVER_CALLED = '_ZSt21ios_base_library_initv'
const NEWER = new Set(['GLIBC_2.38', 'GLIBCXX_3.4.32'])

/** Sizes and numbers of ELF-64: a symbol, a version index, `STB_WEAK`, `VER_NDX_GLOBAL`, `VER_FLG_WEAK`. */
const SYMBOL_BYTES = 24
const VERSION_BYTES = 2
const WEAK_SYMBOL = 2
const ANY_VERSION = 1
const WEAK_VERSION = 2

/** Rewrites the little-endian ELF-64 library in place. Throws when it is something else. */
export function relink(path) {
  const file = readFileSync(path)
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1)
    throw new Error(`${path}: no ELF-64`)
  const sections = sectionsOf(file)
  const nameAt = (offset) => textAt(file, sections.get('.dynstr').offset + offset)
  rebindSymbols(file, sections, nameAt)
  loosenVersions(file, sections.get('.gnu.version_r').offset, nameAt)
  writeFileSync(path, file)
}

function textAt(file, offset) {
  return file.toString('latin1', offset, file.indexOf(0, offset))
}

/** Offset and size of each section, by name. */
function sectionsOf(file) {
  const at = Number(file.readBigUInt64LE(0x28))
  const [entryBytes, count, namesIndex] = [0x3a, 0x3c, 0x3e].map((offset) => file.readUInt16LE(offset))
  const all = Array.from({ length: count }, (_, i) => {
    const header = at + i * entryBytes
    return {
      name: file.readUInt32LE(header),
      offset: Number(file.readBigUInt64LE(header + 0x18)),
      bytes: Number(file.readBigUInt64LE(header + 0x20)),
    }
  })
  return new Map(all.map((section) => [textAt(file, all[namesIndex].offset + section.name), section]))
}

function rebindSymbols(file, sections, nameAt) {
  const symbols = sections.get('.dynsym')
  const versions = sections.get('.gnu.version')
  for (let i = 0; i < symbols.bytes / SYMBOL_BYTES; i++) {
    const symbol = symbols.offset + i * SYMBOL_BYTES
    const nameOffset = file.readUInt32LE(symbol)
    const name = nameAt(nameOffset)
    // The old name is the end of the new one.
    if (name.startsWith(C23_PREFIX)) file.writeUInt32LE(nameOffset + C23_PREFIX.length, symbol)
    else if (name === NEVER_CALLED) file[symbol + 4] = (WEAK_SYMBOL << 4) | (file[symbol + 4] & 15)
    else continue
    file.writeUInt16LE(ANY_VERSION, versions.offset + i * VERSION_BYTES)
  }
}

/** The loader is not to insist on versions that nothing is bound to any more. */
function loosenVersions(file, offset, nameAt) {
  for (let library = offset; ; ) {
    let version = library + file.readUInt32LE(library + 8)
    for (let n = file.readUInt16LE(library + 2); n > 0; n--) {
      if (NEWER.has(nameAt(file.readUInt32LE(version + 8)))) {
        file.writeUInt16LE(file.readUInt16LE(version + 4) | WEAK_VERSION, version + 4)
      }
      version += file.readUInt32LE(version + 12)
    }
    const next = file.readUInt32LE(library + 12)
    if (next === 0) return
    library += next
  }
}
