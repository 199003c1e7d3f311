// Node's modules for functions (src/functions/node): each becomes a file of its own in dist/node, with the packages it is made of
// compiled in, and with the other modules left as imports.
import { readdir } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const SOURCE = 'src/functions/node'

const nodeModule = {
  name: 'node-module',
  setup(build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ path, importer }) =>
      importer.startsWith(`${root}${SOURCE}/`)
        ? { path: path.replace(/\.ts$/, '.js'), external: true }
        : undefined,
    )
    // Of node:async_hooks the events need this part, which leaves promises alone.
    build.onResolve({ filter: /^node:async_hooks$/ }, ({ importer }) =>
      importer.includes('/unenv/') ? { path: './async-resource.js', external: true } : undefined,
    )
    // Of the package `util` its users here need what our own has, which prints as Node.js does; comparisons need the types only.
    build.onResolve({ filter: /^util\/$/ }, ({ importer }) =>
      importer.endsWith('comparisons.js')
        ? { path: 'types', namespace: 'only-types' }
        : { path: 'node:util', external: true },
    )
    build.onLoad({ filter: /.*/, namespace: 'only-types' }, () => ({
      contents: "exports.types = require('node:util/types')",
    }))
    build.onResolve({ filter: /.*/ }, ({ path }) =>
      isBuiltin(path) || path.startsWith('ringlet:') ? { path, external: true } : undefined,
    )
  },
}

export async function buildNodeModules() {
  const files = (await readdir(`${root}${SOURCE}`, { recursive: true }))
    .filter((name) => /(?<!\.d)\.(?:ts|cjs)$/.test(name))
    .map((name) => `${SOURCE}/${name}`)
  const options = {
    absWorkingDir: root,
    outbase: SOURCE,
    outdir: 'dist/node',
    bundle: true,
    platform: 'browser',
    target: 'es2023',
    define: { 'process.env.NODE_DEBUG': 'undefined', global: 'globalThis' },
    inject: ['scripts/node-process.mjs'],
    minifySyntax: true,
    legalComments: 'inline',
    logLevel: 'warning',
    plugins: [nodeModule],
  }
  const endingWith = (ending) => files.filter((name) => name.endsWith(ending))
  await Promise.all([
    build({ ...options, entryPoints: endingWith('.ts'), format: 'esm' }),
    build({
      ...options,
      entryPoints: endingWith('.cjs'),
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
    }),
  ])
}
