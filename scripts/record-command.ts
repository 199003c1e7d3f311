// Stands in for src/launcher.ts while the build records: leaves the bytecode of all that the command has compiled.

import { fileURLToPath } from 'node:url'
import { runProgram } from '../src/compiled.ts'

const { record } = runProgram(fileURLToPath(new URL('./command.cjs', import.meta.url)))
process.on('exit', record)
