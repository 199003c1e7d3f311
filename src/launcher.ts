#!/usr/bin/env node
// The package's `ringlet`: runs the command (main.ts) as it was bundled.

import { fileURLToPath } from 'node:url'
import { runProgram } from './compiled.ts'

runProgram(fileURLToPath(new URL('./command.cjs', import.meta.url)))
