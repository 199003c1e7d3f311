// Imports that are no code: text, bytes and JSON, by a file's ending or by an import attribute.

import { readFile } from 'node:fs/promises'
import type { Loader, Plugin } from 'esbuild'

/** Endings of text; the rest of what is no code is bytes. */
const TEXT = [
  '.css',
  '.csv',
  '.graphql',
  '.gql',
  '.html',
  '.md',
  '.sql',
  '.svg',
  '.txt',
  '.xml',
  '.yaml',
  '.yml',
]
const BYTES = [
  '.bin',
  '.gif',
  '.ico',
  '.jpeg',
  '.jpg',
  '.otf',
  '.pdf',
  '.png',
  '.ttf',
  '.webp',
  '.woff',
  '.woff2',
]
const BYTES_FILTER = new RegExp(`\\.(?:${BYTES.map((ending) => ending.slice(1)).join('|')})$`, 'i')

/** For the bundler: what a file is by its ending. */
export const assetLoaders: Record<string, Loader> = Object.fromEntries(TEXT.map((ending) => [ending, 'text']))

/** As in the proposals for import attributes, import bytes and import text. */
const BY_ATTRIBUTE: Record<string, Loader> = { bytes: 'binary', json: 'json', text: 'text' }

/** An ending that stands for bytes gives an ArrayBuffer, as in Cloudflare Workers; `with { type: 'bytes' }` a Uint8Array. */
export const assets: Plugin = {
  name: 'assets',
  setup(build) {
    build.onResolve({ filter: /\.wasm$/i }, ({ path }) => ({
      errors: [{ text: `there is no WebAssembly in the sandbox: "${path}" cannot be imported` }],
    }))
    build.onLoad({ filter: /.*/ }, async ({ path, with: attributes }) => {
      const { type, ...others } = attributes
      const [unknown] = Object.keys(others)
      if (unknown !== undefined)
        return { errors: [{ text: `the import attribute "${unknown}" is not known` }] }
      if (type === undefined) return undefined
      const loader = Object.hasOwn(BY_ATTRIBUTE, type) ? BY_ATTRIBUTE[type] : undefined
      if (loader === undefined) {
        return { errors: [{ text: `the import type "${type}" is not known: bytes, json and text are` }] }
      }
      return { contents: await readFile(path), loader }
    })
    build.onLoad({ filter: BYTES_FILTER }, async ({ path, suffix }) => {
      if (suffix === BYTES_OF) return { contents: await readFile(path), loader: 'binary' }
      const bytes = JSON.stringify(`${path}${BYTES_OF}`)
      return { contents: `import bytes from ${bytes}\nexport default bytes.buffer`, loader: 'js' }
    })
  },
}

/** After a path: the bytes themselves, of which the module proper is made. */
const BYTES_OF = '?bytes'
