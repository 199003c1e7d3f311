import type { BuildOptions } from 'esbuild'

type Build = typeof import('esbuild').build
type Loader = 'js' | 'jsx' | 'ts' | 'tsx'

/** A module's source, ready to be an entry: it exports the handler. */
export interface Entry {
  readonly contents: string
  readonly loader: Loader
}

const HAS_EXPORT = /^export[\s{*]/m
const HANDLER_NAMES = ['handler', 'fetch']

/**
 * The source with its handler exported. A script that only declares `function handler` or `function fetch` gets an export of it;
 * inline code may also be an expression for the handler. The bundler's own parser decides, by what it says the result exports.
 * Lines stay where they are; an expression's first line moves to the right.
 */
export async function completeEntry(
  build: Build,
  source: string,
  loader: Loader,
  inline: boolean,
): Promise<Entry> {
  const asIs: Entry = { contents: source, loader }
  if (HAS_EXPORT.test(source)) return asIs
  const exports = await exportsOf(build, source, loader)
  if (exports !== undefined && exports.length > 0) return asIs
  if (exports !== undefined) {
    for (const name of HANDLER_NAMES) {
      const contents = `${source}\nexport { ${name} }`
      if ((await exportsOf(build, contents, loader))?.includes(name)) return { contents, loader }
    }
  }
  if (inline) {
    const contents = `export default (${source.replace(/[\s;]+$/, '')}\n)`
    if ((await exportsOf(build, contents, loader)) !== undefined) return { contents, loader }
  }
  return asIs
}

/** Names that the module exports (CommonJS: `default`), undefined if it does not parse. */
async function exportsOf(build: Build, contents: string, loader: Loader): Promise<string[] | undefined> {
  const options = {
    stdin: { contents, loader },
    bundle: true,
    external: ['*'],
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  } as const satisfies BuildOptions
  try {
    const { metafile } = await build(options)
    return Object.values(metafile.outputs)[0]?.exports ?? []
  } catch {
    return undefined
  }
}
