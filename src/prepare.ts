// From configured functions to what actors are given: each comes from the cache, or is bundled in this thread and initialised in
// another.

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import manifest from '../package.json' with { type: 'json' }
import type { FunctionPlan } from './actor/plan.ts'
import {
  type CachedSource,
  type CacheWarning,
  defaultCacheFolder,
  FunctionCache,
  type ReadyFunction,
} from './cache/cache.ts'
import { CacheFolder } from './cache/folder.ts'
import { type Config, functionLimits } from './config/index.ts'
import type { EngineKit } from './engine/build.ts'
import { BASE_FEATURES, baseFor, mentionedFeatures } from './engine/features.ts'
import { share } from './engine/framed-file.ts'
import type { Image } from './engine/image.ts'
import type { ImagesResult, ImagesTask } from './engine/images.ts'
import { type OpenedEngine, openEngine } from './engine/open.ts'
import { RingletError } from './errors.ts'
import { type Bundle, bundleFunction, bundlerIdentity, stopBundler } from './functions/bundle.ts'
import { bundleFilename, type MapSource, mapStack } from './functions/source-map.ts'

/** Name of the error that the guest's `load` throws when a module exports no handler (src/guest/handler.ts). */
const NO_HANDLER = 'NoHandlerError'
/** Messages of the InternalError by which the engine tells that top-level code has used up its time (src/engine/instance.ts), or its memory. */
const OVER_TIME = 'cpu limit'
const OVER_MEMORY = 'out of memory'

export interface Prepared {
  readonly kit: EngineKit
  readonly plans: readonly FunctionPlan[]
  /** Functions that came from the cache. */
  readonly cached: number
  /** What top-level code wrote to its console. Code from the cache has run before. */
  readonly lines: Lines
  readonly warnings: readonly CacheWarning[]
  /** Puts into the cache what was not in it. Never rejects. */
  save(): Promise<CacheWarning | undefined>
}

interface Ready {
  readonly image: Image
  readonly map: MapSource
}

const files = {
  guestFile: fileURLToPath(new URL('./guest.json', import.meta.url)),
  baseFolder: fileURLToPath(new URL('.', import.meta.url)),
}

type Build = (task: ImagesTask) => Promise<ImagesResult>
type Lines = ImagesResult['lines']

/**
 * `build` runs a task in another thread. Rejects with {@link RingletError}: a function that does not build or initialise.
 * Lines of top-level code go to `failedLines` when the start fails.
 */
export async function prepareFunctions(
  config: Config,
  build: Build,
  failedLines: (lines: Lines) => Promise<void>,
): Promise<Prepared> {
  const sources = config.functions.map((fn) => sourceOf(config, fn))
  const bundles = new Bundles()
  // Without a cache nothing is to be waited for.
  if (config.cache.mode === 'off') for (const source of sources) bundles.start(source)
  const opened = await openEngine(config.engine, files, needsBarrier(config))
  const { cache, warnings } = await openCache(config.cache, opened)
  const entries = sources.map((source) => cache?.find(source))
  if (cache?.warning) warnings.push(cache.warning)
  const missing = sources.filter((_, index) => entries[index] === undefined)
  const made = await makeFunctions(config, missing, bundles, opened, build, failedLines)
  let next = 0
  const ready = entries.map((entry): Ready => entry ?? made.functions[next++]!)
  return {
    kit: made.kit,
    plans: config.functions.map((fn, i) => planOf(config, fn, ready[i]!)),
    cached: sources.length - missing.length,
    lines: made.lines,
    warnings,
    save: async () => cache?.save(made.functions),
  }
}

/** Whether a function's runtimes are reset after each request. */
const needsBarrier = ({ isolation, functions }: Config): boolean =>
  functions.some((fn) => (fn.isolation ?? isolation) === 'request')

function sourceOf(config: Config, fn: Config['functions'][number]): CachedSource {
  const { name, file, code, jsxImportSource, limits } = fn
  const { stackBytes, memoryBytes } = functionLimits(config, limits)
  const text = { ...(file !== undefined && { file }), ...(code !== undefined && { code }) }
  const jsx = jsxImportSource === undefined ? {} : { jsxImportSource }
  // File names in errors and stacks are relative to the working folder, as the user typed them.
  return { name, ...text, ...jsx, resolveDir: process.cwd(), stackBytes, memoryBytes }
}

/** Bundles that are on their way: each is begun once, and awaited where it is needed. */
class Bundles {
  readonly #started = new Map<CachedSource, Promise<Bundle>>()

  start(source: CachedSource): Promise<Bundle> {
    let bundle = this.#started.get(source)
    if (bundle === undefined) {
      bundle = bundleFunction(source)
      this.#started.set(source, bundle)
      // Whoever awaits it gets the error; nobody may, when the start has failed by then.
      bundle.catch(() => {})
    }
    return bundle
  }
}

interface Made {
  readonly kit: EngineKit
  readonly functions: readonly (ReadyFunction & Ready)[]
  readonly lines: Lines
}

/** What was not in the cache; and the engine with its base image, when the package's does not fit. */
async function makeFunctions(
  config: Config,
  missing: readonly CachedSource[],
  bundling: Bundles,
  opened: OpenedEngine | undefined,
  build: Build,
  failedLines: (lines: Lines) => Promise<void>,
): Promise<Made> {
  const {
    engine: variant,
    limits: { initMs },
  } = config
  if (missing.length === 0 && opened !== undefined) return { kit: opened.kit, functions: [], lines: [] }
  const bundles = await Promise.all(missing.map((source) => bundling.start(source)))
  void stopBundler()
  const functions = missing.map((source, i) => {
    const { code } = bundles[i]!
    return { ...source, code, base: baseFor(mentionedFeatures(code)) }
  })
  const guest = opened?.kit.guest ?? share(await readFile(files.guestFile))
  const needed = new Set(functions.map(({ base }) => base))
  const bases = BASE_FEATURES.map((_, index) => (needed.has(index) ? opened?.bases.get(index) : undefined))
  const result = await build({
    variant,
    kit: opened?.kit,
    needsBarrier: needsBarrier(config),
    guest,
    bases: bases.map((decoded) => decoded?.base),
    functions,
    initMs,
  })
  const lines = result.lines.map((line) => {
    const { error, function: name } = line
    const { map } = bundles[missing.findIndex((source) => source.name === name)]!
    const mapped = (text: string) => mapStack(text, map, bundleFilename(name))
    const text = mapped(line.text)
    return { ...line, text, ...(error !== undefined && { error: { ...error, stack: mapped(error.stack) } }) }
  })
  if ('failed' in result) {
    await failedLines(lines)
    throw topLevelError(result, missing, bundles, config)
  }
  const made = missing.map((source, i) => {
    const bundle = bundles[i]!
    const { base: index } = functions[i]!
    const base = bases[index]
    const image = result.images[i]!
    const made = { source, bundle, map: bundle.map }
    if (base === undefined) return { ...made, image, base: undefined }
    // One base for all that share it, also for those that have come back from another thread.
    const { image: shared } = base.base
    return {
      ...made,
      image: { ...image, base: shared, pointers: shared.pointers },
      base: { index, hash: base.hash },
    }
  })
  return { kit: result.kit, functions: made, lines }
}

function planOf(config: Config, fn: Config['functions'][number], { image, map }: Ready): FunctionPlan {
  return {
    name: fn.name,
    routes: fn.routes,
    image,
    isolation: fn.isolation ?? config.isolation,
    env: fn.env === undefined ? null : JSON.stringify(fn.env),
    map,
    assets: fn.assets === undefined ? null : { ...fn.assets, route: '/*' },
    fetch: { allow: fn.fetch?.allow ?? [], addresses: fn.fetch?.addresses ?? [] },
    limits: functionLimits(config, fn.limits),
  }
}

/** No cache, with a warning or without, is no failure. */
async function openCache(
  { mode, folder, maxBytes }: Config['cache'],
  opened: OpenedEngine | undefined,
): Promise<{ cache?: FunctionCache; warnings: CacheWarning[] }> {
  if (mode === 'off') return { warnings: [] }
  const path = folder ?? defaultCacheFolder()
  const warn = (reason: string) => ({
    warnings: [{ text: 'cache not used', folder: path ?? '', reason }],
  })
  if (path === undefined) return warn('there is no home folder')
  if (opened === undefined) return warn('the base image of this package does not fit it')
  if (isInside(path, fileURLToPath(new URL('.', import.meta.url))))
    return warn('it lies in the package itself')
  try {
    const maker = JSON.stringify([manifest.version, opened.source, bundlerIdentity()])
    return {
      cache: new FunctionCache(await CacheFolder.open(path, maxBytes), maker, opened.bases),
      warnings: [],
    }
  } catch (error) {
    return warn((error as Error).message)
  }
}

function isInside(path: string, folder: string): boolean {
  return `${path}/`.startsWith(folder)
}

function topLevelError(
  { failed: name, guestName, message, stack }: Extract<ImagesResult, { failed: string }>,
  missing: readonly CachedSource[],
  bundles: readonly Bundle[],
  config: Config,
): RingletError {
  const index = missing.findIndex((source) => source.name === name)
  if (guestName === NO_HANDLER) {
    const source = missing[index]!.file ?? 'its code'
    return new RingletError('RINGLET_HANDLER_EXPORT', { name, source, reason: message })
  }
  const reason = `${guestName}: ${message}${exceededKey(guestName, message, config, name)}`
  const frames = mapStack(stack, bundles[index]!.map, bundleFilename(name)).trim().split('\n')
  // What refuses a call (a timer, random bytes) throws in our own script: the function's author looks for theirs.
  const position = frames.find((frame) => !frame.includes('(ringlet:')) ?? frames[0]
  return new RingletError('RINGLET_HANDLER_INIT', {
    name,
    reason: position ? `${reason} (${position.trim()})` : reason,
  })
}

/** Which key has to be larger for the top-level code of this function to end, if any. */
function exceededKey(guestName: string, message: string, config: Config, name: string): string {
  if (guestName !== 'InternalError') return ''
  if (message === OVER_TIME) return `, limits.initMs is ${config.limits.initMs}`
  if (message !== OVER_MEMORY) return ''
  const own = config.functions.find((fn) => fn.name === name)?.limits
  return `, limits.memoryBytes is ${functionLimits(config, own).memoryBytes}`
}
