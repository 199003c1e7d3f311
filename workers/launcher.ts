// The file that piscina's threads load: runs the thread entry (actor.ts) as it was bundled.

import { fileURLToPath } from 'node:url'
import { runProgram } from '../src/compiled.ts'

const { exports } = runProgram(fileURLToPath(new URL('../actor.cjs', import.meta.url)))
const { default: actor, buildImages, warm } = exports as typeof import('./actor.ts')

export { buildImages, warm }
export default actor
