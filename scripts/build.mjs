// Builds everything that runs: the ring package, the guest API, the server with its command and thread entries, and types.
import { execFileSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const at = (path) => `${root}${path}`
const conditions = ['ringlet-source']

/** Dependencies stay in node_modules; our own workspace packages are compiled in, so that `ringlet` is one package. */
const externalDependencies = {
  name: 'external-dependencies',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, (args) => {
      if (args.kind === 'entry-point' || args.path.startsWith('@shared/')) return undefined
      return { path: args.path, external: true }
    })
  },
}

const host = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: 'linked',
  conditions,
  logLevel: 'warning',
}

await rm(at('dist'), { recursive: true, force: true })
await rm(at('src/shared/ringbuffer/dist'), { recursive: true, force: true })
await mkdir(at('dist'), { recursive: true })
await Promise.all([
  build({
    ...host,
    entryPoints: { index: 'src/shared/ringbuffer/index.ts' },
    outdir: 'src/shared/ringbuffer/dist',
  }),
  build({
    absWorkingDir: root,
    entryPoints: { guest: 'src/guest/index.ts' },
    outdir: 'dist',
    bundle: true,
    format: 'iife',
    globalName: '__ringlet',
    target: 'es2023',
    platform: 'neutral',
    keepNames: false,
    charset: 'ascii',
    logLevel: 'warning',
  }),
  build({
    ...host,
    entryPoints: { main: 'src/main.ts', server: 'src/server.ts', 'workers/actor': 'workers/actor.ts' },
    outdir: 'dist',
    splitting: true,
    chunkNames: 'chunk-[hash]',
    plugins: [externalDependencies],
  }),
])

const tsc = require.resolve('typescript/package.json').replace(/package\.json$/, 'bin/tsc')
const declarations = [
  '--noEmit',
  'false',
  '--emitDeclarationOnly',
  '--declaration',
  '--rewriteRelativeImportExtensions',
]
for (const [project, out] of [
  ['tsconfig.types.json', 'dist/types'],
  ['src/shared/ringbuffer/tsconfig.json', 'src/shared/ringbuffer/dist'],
]) {
  execFileSync(process.execPath, [tsc, '-p', at(project), ...declarations, '--outDir', at(out)], {
    stdio: 'inherit',
  })
}
await writeFile(at('dist/package.json'), `${JSON.stringify({ type: 'module' })}\n`)
