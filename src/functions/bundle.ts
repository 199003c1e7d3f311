import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { builtinModules, createRequire } from 'node:module'
import { basename, dirname, extname, resolve } from 'node:path'
import type { BuildFailure, BuildOptions, Message, Plugin } from 'esbuild'
import { RingletError } from '../errors.ts'
import { completeEntry, type Entry } from './entry.ts'
import { collectInputs, type Inputs } from './inputs.ts'

export interface FunctionToBundle {
  readonly name: string
  /** The source file, absolute or relative to `resolveDir`; or: */
  readonly file?: string
  /** The source text. */
  readonly code?: string
  /** Folder that imports of `code` start from, and that paths in messages and stacks are relative to. */
  readonly resolveDir: string
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

/** Raised when an entry is completed otherwise (entry.ts), or the plugin below resolves otherwise. */
const ENTRY_FORMAT = 1

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
    const { outputFiles, metafile } = await build(optionsFor(path, entry, resolveDir))
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
    throw failure(input, first, first.text, error)
  }
}

/** Changes when the same source would be bundled otherwise: by another version of the bundler, with other options. */
export function bundlerIdentity(): string {
  const require = createRequire(import.meta.url)
  const { version } = JSON.parse(readFileSync(require.resolve('esbuild/package.json'), 'utf8')) as {
    version: string
  }
  const { plugins: _, ...options } = optionsFor('/inline.ts', { contents: '', loader: 'ts' }, '/')
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

function optionsFor(path: string, { contents, loader }: Entry, resolveDir: string) {
  return {
    absWorkingDir: resolve(resolveDir),
    stdin: { contents, loader, resolveDir: dirname(path), sourcefile: basename(path) },
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
    loader: { '.js': 'jsx', '.txt': 'text', '.html': 'text', '.md': 'text', '.sql': 'text' },
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    // One line before the code and one after: the whole text is an expression, and the map counts the line.
    banner: { js: '(function (exports, module, require) {' },
    footer: { js: '})' },
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [refuseNodeModules],
  } as const satisfies BuildOptions
}

/** `node:fs` and the like do not exist in the sandbox; a package of the same bare name (`events`, `buffer`) is used if installed. */
const refuseNodeModules: Plugin = {
  name: 'refuse-node-modules',
  setup(build) {
    const names = builtinModules.map((name) => name.replace(/[\\/.]/g, '\\$&')).join('|')
    build.onResolve(
      { filter: new RegExp(`^(?:node:.*|${names})$`) },
      async ({ path, pluginData, ...args }) => {
        if (pluginData === refuseNodeModules) return undefined
        if (!path.startsWith('node:')) {
          const { importer, namespace, resolveDir, kind } = args
          const installed = await build.resolve(path, {
            importer,
            namespace,
            resolveDir,
            kind,
            pluginData: refuseNodeModules,
          })
          if (installed.errors.length === 0) return installed
        }
        return { errors: [{ text: `the Node.js module "${path}" does not exist in the sandbox` }] }
      },
    )
  },
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
