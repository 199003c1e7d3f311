import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, relative, resolve } from 'node:path'
import type { BuildFailure, BuildOptions, BuildResult, Message, Plugin } from 'esbuild'
import { RingletError } from '../errors.ts'
import { assetLoaders, assets } from './assets.ts'
import { completeEntry, type Entry } from './entry.ts'
import { collectInputs, type Inputs } from './inputs.ts'
import { followsPromises, lowered, nodeModules } from './node-modules.ts'

export interface FunctionToBundle {
  readonly name: string
  /** The source file, absolute or relative to `resolveDir`; or: */
  readonly file?: string
  /** The source text. */
  readonly code?: string
  /** Folder that imports of `code` start from, and that paths in messages and stacks are relative to. */
  readonly resolveDir: string
  /** Package of the JSX runtime where neither a pragma nor a tsconfig names one; else esbuild's default, `react`. */
  readonly jsxImportSource?: string
}

export interface Bundle {
  /** An expression whose value is `(exports, module, require) => void`. */
  readonly code: string
  /** Source map (JSON) of `code`; its sources are relative to `resolveDir`. */
  readonly map: string
  /** What it was made from; undefined when that was changing meanwhile. */
  readonly inputs: Inputs | undefined
}

/** Bytes of one bundle: a function is code that is parsed at each cold start without a snapshot, not a data store. */
const BUNDLE_BYTES_MAX = 16 * 1024 * 1024

/** What esbuild says of it names the output's format, which no user has chosen. */
const TOP_LEVEL_AWAIT = /^Top-level await is currently not supported/
const NO_TOP_LEVEL_AWAIT =
  'await does not exist in top-level code, which runs before there is anything to wait for: await in the handler'

/** Raised when an entry is completed otherwise (entry.ts), or the plugin below resolves otherwise. */
const ENTRY_FORMAT = 2

const LOADERS = {
  '.js': 'jsx',
  '.jsx': 'jsx',
  '.mjs': 'js',
  '.cjs': 'js',
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
} as const
const INLINE_NAME = 'inline.tsx'

type Esbuild = typeof import('esbuild')
let esbuild: Promise<Esbuild> | undefined

/** Ends the bundler's process. The next bundle starts another. */
export async function stopBundler(): Promise<void> {
  const running = esbuild
  esbuild = undefined
  await (await running)?.stop()
}

/**
 * Bundles a function with all it imports into one expression.
 * @throws RingletError RINGLET_HANDLER_BUILD, one line with file, line and column of the first mistake.
 */
export async function bundleFunction(input: FunctionToBundle): Promise<Bundle> {
  const { file, code, resolveDir } = input
  if ((file === undefined) === (code === undefined)) throw new TypeError('give either a file or code')
  const path = resolve(resolveDir, file ?? INLINE_NAME)
  const startedMs = Date.now()
  const source = code ?? (await readSource(input, path))
  esbuild ??= import('esbuild')
  const { build } = await esbuild
  try {
    const entry = await completeEntry(build, source, loaderOf(path), code !== undefined)
    const options = optionsFor(input, path, entry)
    let result: BuildResult<typeof options> = await build(options)
    if (followsPromises(result.metafile)) result = await build(lowered(options))
    const { outputFiles, metafile } = result
    const map = outputFiles.find((output) => output.path.endsWith('.map'))!
    const bundle = outputFiles.find((output) => output !== map)!
    if (bundle.contents.length > BUNDLE_BYTES_MAX) {
      throw failure(
        input,
        undefined,
        `the bundle has ${bundle.contents.length} bytes, more than ${BUNDLE_BYTES_MAX}`,
      )
    }
    const inputs = collectInputs(
      metafile,
      { path, isFile: code === undefined },
      resolve(resolveDir),
      startedMs,
    )
    return { code: bundle.text, map: map.text, inputs }
  } catch (error) {
    const first = (error as Partial<BuildFailure>).errors?.[0]
    if (first === undefined) throw error
    throw failure(input, first, TOP_LEVEL_AWAIT.test(first.text) ? NO_TOP_LEVEL_AWAIT : first.text, error)
  }
}

/** Changes when the same source would be bundled otherwise: by another version of the bundler, with other options. */
export function bundlerIdentity(): string {
  const require = createRequire(import.meta.url)
  const { version } = JSON.parse(readFileSync(require.resolve('esbuild/package.json'), 'utf8')) as {
    version: string
  }
  const sample = { name: 'sample', code: '', resolveDir: '/' }
  const { plugins: _, ...options } = optionsFor(sample, '/inline.ts', { contents: '', loader: 'ts' })
  return JSON.stringify([ENTRY_FORMAT, version, options, process.env['NODE_PATH'] ?? null])
}

async function readSource(input: FunctionToBundle, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`
    throw failure(input, undefined, reason, error)
  }
}

function loaderOf(path: string): Entry['loader'] {
  return LOADERS[extname(path) as keyof typeof LOADERS] ?? 'ts'
}

function optionsFor({ code, resolveDir, jsxImportSource }: FunctionToBundle, path: string, entry: Entry) {
  return {
    absWorkingDir: resolve(resolveDir),
    ...(code === undefined
      ? { entryPoints: [path] }
      : { stdin: { ...entry, resolveDir: dirname(path), sourcefile: relative(resolveDir, path) } }),
    outfile: resolve(resolveDir, 'function.js'),
    write: false,
    metafile: true,
    bundle: true,
    format: 'cjs',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    target: 'es2023',
    charset: 'utf8',
    jsx: 'automatic',
    ...(jsxImportSource !== undefined && { jsxImportSource }),
    loader: { '.js': 'jsx', ...assetLoaders },
    define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'globalThis' },
    // One line before the code and one after: the whole text is an expression, and the map counts the line.
    banner: { js: '(function (exports, module, require) {' },
    footer: { js: '})' },
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [entryOf(path, code === undefined ? entry : undefined), nodeModules, assets],
  } as const satisfies BuildOptions
}

/** The file as completed. It stays a file for the bundler, so that its folder's tsconfig.json counts, and `type` in package.json. */
function entryOf(path: string, entry: Entry | undefined): Plugin {
  return {
    name: 'entry',
    setup(build) {
      if (entry === undefined) return
      build.onLoad({ filter: /.*/ }, (args) =>
        args.path === path && args.namespace === 'file' ? { ...entry, resolveDir: dirname(path) } : undefined,
      )
    },
  }
}

function failure(
  { name, file }: FunctionToBundle,
  message: Message | undefined,
  text: string,
  cause?: unknown,
): RingletError {
  const place = message?.location
  const source = place ? `${place.file}:${place.line}:${place.column + 1}` : (file ?? 'the inline code')
  return new RingletError(
    'RINGLET_HANDLER_BUILD',
    { name, source, reason: text.replace(/\s*\n\s*/g, ' ') },
    { cause },
  )
}
