// work.js as a script that leaves `answer` on the global object: for engines that are given source text.
import { readFileSync } from 'node:fs'

export const workSource = readFileSync(new URL('../work.js', import.meta.url), 'utf8').replaceAll(
  /^export /gm,
  '',
)
