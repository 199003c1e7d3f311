// Builds everything that runs: the ring package, the guest API, Node's modules for functions, the server with its command and
// thread entries, and types.
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { buildGuest } from './build-guest.mjs'
import { buildNodeModules } from './build-node-modules.mjs'
import { compileParser } from './build-parser.mjs'
import { recordCode } from './record-code.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const at = (path) => `${root}${path}`
const conditions = ['ringlet-source']

/** Compiled into modules: our own workspace package, so that `ringlet` is one, and what is mostly left out that way. */
const COMPILED_IN = /^(@shared\/|valibot$)/

/** Not compiled into the programs: what most starts never load. So each is one file, and its bytecode. */
const LEFT_OUT = /^(esbuild|undici|@jridgewell\/trace-mapping|node:)/

/** `isExternal`: whether a dependency stays in node_modules. */
const externalDependencies = (isExternal) => ({
  name: 'external-dependencies',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, (args) => {
      if (args.kind === 'entry-point' || !isExternal(args.path)) return undefined
      return { path: args.path, external: true }
    })
  },
})

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

/** A program of the package: one file that src/compiled.ts runs. */
const program = {
  ...host,
  format: 'cjs',
  supported: { 'dynamic-import': false },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  plugins: [externalDependencies((name) => LEFT_OUT.test(name))],
}
/** What stands for `import.meta.url` in a program; `more` is declared beside it. */
const urlOfProgram = (more = '') => ({
  define: { 'import.meta.url': 'programUrl', ...(more && { __dirname: 'piscinaFolder' }) },
  banner: { js: `const programUrl = require('node:url').pathToFileURL(__filename).href${more}` },
})
/** Of what is compiled in, piscina alone asks where it is: its threads run a file that lies beside it. */
const PISCINA_FOLDER = `, piscinaFolder = require('node:path').dirname(require.resolve('piscina'))`

/** What runs the programs: as it will be, or so that they leave their bytecode when they end. */
const buildLaunchers = (command, actor) =>
  Promise.all([
    build({ ...host, entryPoints: { main: command }, outdir: 'dist' }),
    // No ES module: a thread would load all that loads those for this one.
    build({ ...program, ...urlOfProgram(), entryPoints: { 'workers/actor': actor } }),
  ])

await rm(at('dist'), { recursive: true, force: true })
await rm(at('src/shared/ringbuffer/dist'), { recursive: true, force: true })
await mkdir(at('dist'), { recursive: true })
await Promise.all([
  build({
    ...host,
    entryPoints: { index: 'src/shared/ringbuffer/index.ts' },
    outdir: 'src/shared/ringbuffer/dist',
  }),
  buildGuest().then((scripts) => writeFile(at('dist/guest.json'), scripts)),
  buildNodeModules(),
  build({
    ...host,
    entryPoints: {
      server: 'src/server.ts',
      base: 'scripts/base.ts',
      parser: 'scripts/parser.ts',
      'encoding-tables': 'scripts/encoding-tables.ts',
    },
    outdir: 'dist',
    splitting: true,
    chunkNames: 'chunk-[hash]',
    plugins: [externalDependencies((name) => !COMPILED_IN.test(name))],
  }),
  build({ ...program, ...urlOfProgram(PISCINA_FOLDER), entryPoints: { command: 'src/main.ts' } }),
  build({ ...program, ...urlOfProgram(), entryPoints: { actor: 'workers/actor.ts' } }),
  buildLaunchers('scripts/record-command.ts', 'scripts/record-actor.ts'),
])
await writeFile(at('dist/package.json'), `${JSON.stringify({ type: 'module' })}\n`)

const { PARSER_NUMBERS } = await import(pathToFileURL(at('dist/parser.js')).href)
const parserSource = await readFile(at('src/http/wasm/head.ts'), 'utf8')
await writeFile(at('dist/head.wasm'), await compileParser(parserSource, PARSER_NUMBERS))

const { encodingTables } = await import(pathToFileURL(at('dist/encoding-tables.js')).href)
await writeFile(at('dist/encodings.bin'), encodingTables())

// The base images are made by the engine that has just been built.
const { makeBaseFiles } = await import(pathToFileURL(at('dist/base.js')).href)
for (const [name, file] of await makeBaseFiles(await readFile(at('dist/guest.json')))) {
  await writeFile(at(`dist/${name}`), file)
}

await recordCode(at('dist/main.js'))
await buildLaunchers('src/launcher.ts', 'workers/launcher.ts')
// It has taken the recorder's place, and its mode.
await chmod(at('dist/main.js'), 0o755)

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
