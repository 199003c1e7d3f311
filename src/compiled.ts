// Runs one of the package's programs (the command, an actor's thread) with V8's bytecode of it, which lies in a file beside it: the
// build has recorded it from a real start (scripts/record-code.mjs). A start then compiles next to none of Ringlet's JavaScript.
// Without such a file, or with one that does not fit, the program is compiled as ever.

import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Script } from 'node:vm'

/** V8 refuses what another version of it has made, or other flags; what another machine has made it would take. */
const MADE_FOR = `${process.version}-${process.platform}-${process.arch}`
const HASH_BYTES = 32

/** Name of the file with a program's bytecode for this Node.js: a SHA-256 hash of the program and the bytecode, then that. */
const codeFile = (program: string): string => `${program}.${MADE_FOR}.code`

export interface Program {
  readonly exports: unknown
  /** Whether its bytecode was there, and fitted. */
  readonly hasCode: boolean
  /** Leaves the bytecode of all that has been compiled of it until now. */
  record(): void
}

/**
 * `file`: path of a CommonJS bundle, without `import()`, which a script that has its bytecode given cannot do. The bundler escapes
 * what is not ASCII, but for comments.
 */
export function runProgram(file: string): Program {
  const bytes = readFileSync(file)
  const cachedData = readCode(file, bytes)
  const source = `(function (exports, require, module, __filename, __dirname) {${bytes.toString('latin1')}\n})`
  const script = new Script(source, { filename: file, ...(cachedData !== undefined && { cachedData }) })
  const module = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file))
  const record = () => {
    const code = script.createCachedData()
    writeFileSync(codeFile(file), Buffer.concat([hashOf(bytes, code), code]))
  }
  const hasCode = cachedData !== undefined && script.cachedDataRejected === false
  return { exports: module.exports, hasCode, record }
}

/** Undefined when there is none, it is damaged (V8 does not look, and would crash), or of another program. */
function readCode(file: string, program: Uint8Array): Buffer | undefined {
  let stored: Buffer
  try {
    stored = readFileSync(codeFile(file))
  } catch {
    return undefined
  }
  const code = stored.subarray(HASH_BYTES)
  return hashOf(program, code).equals(stored.subarray(0, HASH_BYTES)) ? code : undefined
}

function hashOf(program: Uint8Array, code: Uint8Array): Buffer {
  return createHash('sha256').update(program).update(code).digest()
}
