import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A function as the configuration names it. */
export interface ExampleFunction {
  readonly name: string
  readonly file: string
  readonly routes: readonly string[]
}

const EXAMPLES = [
  { name: 'welcome', source: 'welcome.tsx', routes: ['/'] },
  { name: 'hello', source: 'hello.ts', routes: ['/hello'] },
  { name: 'echo', source: 'echo.ts', routes: ['/echo'] },
  { name: 'delay', source: 'delay.ts', routes: ['/delay'] },
  { name: 'greet', source: 'greet.js', routes: ['/greet/*'] },
]

/** The functions that are served when none are given; their files are absolute. */
export function exampleFunctions(): ExampleFunction[] {
  const folder = examplesFolder()
  return EXAMPLES.map(({ name, source, routes }) => ({ name, file: `${folder}${source}`, routes }))
}

/** `examples` in the package: this module runs from src/functions, from dist, or from a chunk one folder below dist. */
function examplesFolder(): string {
  for (const up of ['../examples/', '../../examples/']) {
    const folder = fileURLToPath(new URL(up, import.meta.url))
    if (existsSync(folder)) return folder
  }
  throw new Error('the examples folder is missing from the package')
}
