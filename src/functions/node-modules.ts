// Node's modules that need nothing of Node: each is a file of the folder `node` (scripts/build-node-modules.mjs). All others are refused by name.

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { BuildOptions, Metafile, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild'

/** Virtual modules for `require` of a module that is written as an ES module: gives its default export. */
export const REQUIRED = 'required-node-module'
/** What the guest itself provides at run time (src/guest/invoke.ts). */
const OF_THE_GUEST = /^ringlet:async-context$/
/** The part of node:async_hooks that needs async functions to be bundled as generators. */
const FOLLOWS_PROMISES = /(?:^|\/)async-local-storage\.js$/
/** Of ES modules and of others; none is there in both forms. */
const ENDINGS = ['.js', '.cjs']

const names = builtinModules.map((name) => name.replace(/[\\/.]/g, '\\$&')).join('|')
const NODE_MODULE = new RegExp(`^(?:node:.*|${names})$`)

/** As built, in the package: this module runs from src/functions, from dist, or from a chunk one folder below dist. */
function folderOfModules(): string {
  for (const place of ['./node/', '../node/', '../../dist/node/']) {
    const folder = fileURLToPath(new URL(place, import.meta.url))
    if (existsSync(`${folder}util.js`)) return folder
  }
  throw new Error('the folder of Node.js modules is missing from the package')
}

let folder: string | undefined

/** Where the module named (without `node:`) is, undefined if there is none. */
function fileOf(name: string): string | undefined {
  folder ??= folderOfModules()
  const ending = ENDINGS.find((each) => existsSync(`${folder}${name}${each}`))
  return ending === undefined ? undefined : `${folder}${name}${ending}`
}

/** Whether the bundle has what follows promises, and so must be {@link lowered}. */
export function followsPromises({ outputs }: Metafile): boolean {
  return Object.values(outputs).some(({ inputs }) =>
    Object.entries(inputs).some(
      ([path, { bytesInOutput }]) => bytesInOutput > 0 && FOLLOWS_PROMISES.test(path),
    ),
  )
}

/** Async functions as generators: then each `await` calls `then`, which can be followed; the engine's own cannot. */
const LOWERED = { 'async-await': false, 'async-generator': false, 'for-await': false } as const

/** An empty async generator stands in code for the engine's prototype of them, which the lowered one does not have. */
const EMPTY_ASYNC_GENERATOR = /\basync function\s*\*\s*\(\)\s*\{\s*\}/g
const emptyAsyncGenerators: Plugin = {
  name: 'empty-async-generators',
  setup(build) {
    build.onLoad({ filter: /\.[cm]?js$/ }, async ({ path, with: { type } }) => {
      if (type !== undefined) return undefined
      const source = await readFile(path, 'utf8')
      const contents = source.replace(
        EMPTY_ASYNC_GENERATOR,
        'require("ringlet:async-context").emptyAsyncGenerator',
      )
      return contents === source ? undefined : { contents, loader: path.endsWith('.js') ? 'jsx' : 'js' }
    })
  },
}

/** The options with which promises can be followed. */
export function lowered<Options extends BuildOptions & { readonly plugins: readonly Plugin[] }>(
  options: Options,
) {
  const [entry, ...others] = options.plugins
  return { ...options, supported: LOWERED, plugins: [entry!, emptyAsyncGenerators, ...others] }
}

export const nodeModules: Plugin = {
  name: 'node-modules',
  setup(build) {
    build.onResolve({ filter: OF_THE_GUEST }, ({ path }) => ({ path, external: true }))
    build.onResolve({ filter: NODE_MODULE }, async (args) => {
      if (args.pluginData === nodeModules) return undefined
      return (await installed(build, args)) ?? shim(args)
    })
    build.onLoad({ filter: /.*/, namespace: REQUIRED }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)}).default`,
      resolveDir: folder!,
    }))
  },
}

const isOurs = (importer: string): boolean => folder !== undefined && importer.startsWith(folder)

/** A package of the same bare name (`events`, `buffer`) is used if the user has installed it. */
async function installed(build: PluginBuild, args: OnResolveArgs): Promise<OnResolveResult | undefined> {
  const { path, importer, namespace, resolveDir, kind } = args
  if (path.startsWith('node:') || isOurs(importer)) return undefined
  const found = await build.resolve(path, {
    importer,
    namespace,
    resolveDir,
    kind,
    pluginData: nodeModules,
  })
  return found.errors.length === 0 ? found : undefined
}

function shim({ path, kind, namespace }: OnResolveArgs): OnResolveResult {
  const name = path.replace(/^node:/, '')
  const file = builtinModules.includes(name) ? fileOf(name) : undefined
  if (file === undefined) {
    return { errors: [{ text: `the Node.js module "${path}" does not exist in the sandbox` }] }
  }
  if (kind === 'require-call' && namespace !== REQUIRED && !file.endsWith('.cjs')) {
    return { path: file, namespace: REQUIRED, sideEffects: false }
  }
  // What is not used is left out; async-local-storage, if used, is kept with all that it does.
  return { path: file, sideEffects: false }
}
