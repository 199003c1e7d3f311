import { first } from './first.mjs'
import { gc } from './gc.mjs'
import { firstServed, isolation, many, start } from './served.mjs'

/** Every figure that the engine is held to, in one run. Answers are checked, and a wrong one ends the run. */
export async function run(options) {
  const rows = []
  for (const part of [first, firstServed, isolation, start, gc, many]) rows.push(...(await part(options)))
  return rows
}
