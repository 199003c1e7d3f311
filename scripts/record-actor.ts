// Stands in for workers/launcher.ts while the build records: leaves the bytecode of all that an actor's life has compiled.

import { fileURLToPath } from 'node:url'
import { runProgram } from '../src/compiled.ts'

const { exports, record } = runProgram(fileURLToPath(new URL('../actor.cjs', import.meta.url)))
const { default: actor, buildImages, warm } = exports as typeof import('../workers/actor.ts')

export { buildImages, warm }
export default async function recorded(task: Parameters<typeof actor>[0]): Promise<void> {
  await actor(task)
  record()
}
