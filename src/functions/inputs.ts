// What a bundle depends on, so that it can be told later whether bundling again would give the same: the files it was made from,
// the files whose content steers the bundler, and the places where a file that appears would be taken instead of another.

import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Metafile } from 'esbuild'
import { REQUIRED } from './node-modules.ts'

/** Plain data, for JSON. Paths are absolute. */
export interface Inputs {
  /** A file's SHA-256, and its {@link stampOf}; null for one that was not there. */
  readonly files: readonly (readonly [path: string, hash: string | null, stamp: string])[]
  /** Where folders of node_modules really are; null for one that was not there. */
  readonly links: readonly (readonly [path: string, real: string | null])[]
}

/** In every folder from an input's up to the root these have a say in how names are resolved and code is transformed. */
const STEERING = ['package.json', 'tsconfig.json', 'jsconfig.json', '.pnp.cjs', '.pnp.js', '.pnp.data.json']
/** The bundler's own default order of what a name without its ending stands for (esbuild, resolveExtensions). */
const ENDINGS = ['', '.tsx', '.ts', '.jsx', '.js', '.css', '.json']
const EXTENDS_DEPTH_MAX = 16
/** Two ticks of a kernel's clock: a file as young as that may change again without a new stamp. */
const STAMP_AGE_MS_MIN = 20

/** What the bundler puts around a path: a module that is left out, an import's attributes, bytes (assets.ts). */
const NOT_OF_THE_PATH = /^\(disabled\):|\?bytes$| with \{.*\}$/g

/**
 * Undefined when a file has changed since `startedMs` (Date.now() before the bundler read any): then what it has now
 * may not be what the bundler saw.
 */
export function collectInputs(
  metafile: Metafile,
  entry: { readonly path: string; readonly isFile: boolean },
  resolveDir: string,
  startedMs: number,
): Inputs | undefined {
  const collector = new Collector(startedMs)
  for (const [key, { imports }] of Object.entries(metafile.inputs)) {
    if (key.startsWith(`${REQUIRED}:`)) continue
    const path = resolve(resolveDir, key.replace(NOT_OF_THE_PATH, ''))
    if (path !== entry.path || entry.isFile) collector.addFile(path)
    collector.addSteering(dirname(path))
    for (const { original } of imports) {
      if (original !== undefined) collector.addLookups(dirname(path), original)
    }
  }
  return collector.result()
}

class Collector {
  readonly #files = new Map<string, readonly [string | null, string]>()
  readonly #links = new Map<string, string | null>()
  readonly #folders = new Set<string>()
  readonly #startedMs: number
  #isCertain = true

  constructor(startedMs: number) {
    this.#startedMs = startedMs
  }

  result(): Inputs | undefined {
    if (!this.#isCertain) return undefined
    return {
      files: [...this.#files].map(([path, [hash, stamp]]) => [path, hash, stamp] as const),
      links: [...this.#links],
    }
  }

  addFile(path: string): void {
    if (this.#files.has(path)) return
    const stat = statFile(path)
    if (stat === undefined) {
      this.#files.set(path, [null, ''])
      return
    }
    const changedMs = Number(stat.ctimeMs)
    if (changedMs > this.#startedMs - STAMP_AGE_MS_MIN) this.#isCertain = false
    this.#files.set(path, [hashFile(path), stampOf(stat)])
  }

  addSteering(folder: string): void {
    for (const each of ancestors(folder)) {
      if (this.#folders.has(each)) return
      this.#folders.add(each)
      for (const name of STEERING) this.addFile(join(each, name))
      this.#addExtended(join(each, 'tsconfig.json'), 0)
    }
  }

  /** Configurations that this one extends, as far as their names tell where they are. */
  #addExtended(path: string, depth: number): void {
    if (depth > EXTENDS_DEPTH_MAX || this.#files.get(path)?.[0] == null) return
    const text = readFileSync(path, 'utf8')
    const value = /"extends"\s*:\s*("[^"]*"|\[[^\]]*\])/.exec(text)?.[1] ?? ''
    for (const [, name] of value.matchAll(/"([^"]*)"/g)) {
      const places = /^\.|^\//.test(name!)
        ? [resolve(dirname(path), name!)]
        : ancestors(dirname(path)).map((folder) => join(folder, 'node_modules', name!))
      for (const place of places) {
        for (const file of [place, `${place}.json`, join(place, 'tsconfig.json')]) {
          if (this.#files.has(file)) continue
          this.addFile(file)
          this.#addExtended(file, depth + 1)
        }
      }
    }
  }

  /** Places that come before, or instead of, what the name was resolved to. */
  addLookups(folder: string, name: string): void {
    if (name.startsWith('.') || isAbsolute(name)) {
      const place = resolve(folder, name)
      for (const stem of [place, join(place, 'index')]) {
        for (const ending of ENDINGS) {
          const candidate = stem + ending
          if (!this.#files.has(candidate) && statFile(candidate) === undefined)
            this.#files.set(candidate, [null, ''])
        }
      }
      return
    }
    const parts = name.split('/')
    const module = parts.slice(0, name.startsWith('@') ? 2 : 1).join('/')
    for (const each of ancestors(folder)) {
      const path = join(each, 'node_modules', module)
      if (!this.#links.has(path)) this.#links.set(path, realPath(path))
    }
  }
}

/** Whether everything is as it was. Reads only files whose stamp has changed. */
export function areUnchanged({ files, links }: Inputs): boolean {
  for (const [path, hash, stamp] of files) {
    const stat = statFile(path)
    if (stat === undefined) {
      if (hash !== null) return false
    } else if (hash === null || (stampOf(stat) !== stamp && hashFile(path) !== hash)) return false
  }
  return links.every(([path, real]) => realPath(path) === real)
}

type Stat = NonNullable<ReturnType<typeof statFile>>

/** Undefined for what is no file, or cannot be looked at. */
function statFile(path: string) {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
    return stat?.isFile() ? stat : undefined
  } catch {
    return undefined
  }
}

/** As long as this stays, so does the content: no program can set the time of the last change, `ctime`, of a file. */
function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: Stat): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}

/** '' for a file that cannot be read: no hash is the same. */
function hashFile(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex')
  } catch {
    return ''
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

function ancestors(folder: string): string[] {
  const all = [folder]
  for (let each = folder; dirname(each) !== each; ) {
    each = dirname(each)
    all.push(each)
  }
  return all
}
