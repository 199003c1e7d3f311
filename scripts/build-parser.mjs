// Compiles the SIMD head parser. Its numbers are those of the scalar one: they are handed to the compiler as a module.
import asc from 'assemblyscript/asc'

const ENTRY = 'head.ts'
/** Any shared memory fits: at least a page, at most 4 GiB. */
const MEMORY_PAGES_MAX = 65_536

/**
 * @param {string} source text of src/http/wasm/head.ts
 * @param {object} numbers the exports of src/http/constants.ts
 * @returns {Promise<Uint8Array>} the WebAssembly module
 */
export async function compileParser(source, numbers) {
  const files = new Map([
    [ENTRY, source],
    ['constants.ts', constantsModule(numbers)],
  ])
  let binary
  const { error, stderr } = await asc.main(
    [
      ENTRY,
      '--outFile',
      'head.wasm',
      '-O3',
      '--converge',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--sharedMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      String(MEMORY_PAGES_MAX),
      '--enable',
      'simd',
      '--enable',
      'threads',
    ],
    {
      readFile: (name) => files.get(name) ?? null,
      writeFile: (_, contents) => {
        binary = contents
      },
      listFiles: () => [],
    },
  )
  if (error !== null) throw new Error(`the head parser does not compile: ${error.message}\n${stderr}`)
  return binary
}

function constantsModule({ errors, head, field, form, methodBytesMax, token }) {
  const of = (prefix, type, numbers) =>
    Object.entries(numbers).map(([name, value]) => `export const ${prefix}_${name}: ${type} = ${value}`)
  const { low, high } = nibbleTables(token)
  return [
    ...of('ERROR', 'i32', errors),
    ...of('HEAD', 'usize', head),
    ...of('FIELD', 'usize', field),
    `export const FIELD_BYTES: usize = ${field.words * 4}`,
    ...of('FORM', 'i32', form),
    `export const METHOD_BYTES_MAX: usize = ${methodBytesMax}`,
    `export const TOKEN_LOW: v128 = i8x16(${low})`,
    `export const TOKEN_HIGH: v128 = i8x16(${high})`,
  ].join('\n')
}

/**
 * A class of ASCII characters as two tables of sixteen bytes: a byte is in the class when the entry of its low half and
 * that of its high half have a bit in common. The bit stands for the high half; from 0x80 up there is none.
 */
function nibbleTables(members) {
  const low = new Int8Array(16)
  const high = new Int8Array(16)
  for (let half = 0; half < 8; half++) high[half] = 1 << half
  for (let byte = 0; byte < 256; byte++) {
    if (members[byte] !== 1) continue
    if (byte > 0x7f) throw new RangeError('only ASCII classes fit')
    low[byte & 15] |= 1 << (byte >> 4)
  }
  return { low, high }
}
