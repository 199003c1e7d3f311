// The cache of functions that are ready to run: what was bundled and initialised once is neither bundled nor initialised by the
// next start. Whatever is wrong with it is no failure: the function is made again, and the log has a line.

import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Image } from '../engine/image.ts'
import type { Bundle } from '../functions/bundle.ts'
import { areUnchanged } from '../functions/inputs.ts'
import {
  type BaseKey,
  type BaseSource,
  decodeEntry,
  type Entry,
  type EntryKey,
  encodeEntry,
  sha256,
} from './entry.ts'
import type { CacheFolder } from './folder.ts'

/** All of a function's configuration that its image or its bundle depends on. Its env is no part of either. */
export interface CachedSource {
  readonly name: string
  readonly file?: string
  readonly code?: string
  readonly resolveDir: string
  readonly jsxImportSource?: string
  readonly stackBytes: number
  readonly memoryBytes: number
}

/** A line for the log. */
export interface CacheWarning {
  readonly text: string
  readonly folder: string
  readonly reason: string
  /** How many files it is about. */
  readonly files?: number
}

export interface ReadyFunction {
  readonly source: CachedSource
  readonly bundle: Bundle
  readonly image: Image
  /** What its image is a delta to; undefined when that is no file of the package: then it cannot be stored. */
  readonly base: BaseKey | undefined
}

/** The user's own folder for such files (XDG Base Directory Specification); undefined where there is none. */
export function defaultCacheFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const root = process.platform === 'win32' ? env['LOCALAPPDATA'] : env['XDG_CACHE_HOME']
  if (root !== undefined && isAbsolute(root)) return join(root, 'ringlet')
  const home = env['HOME'] ?? homedir()
  return isAbsolute(home) ? join(home, '.cache', 'ringlet') : undefined
}

export class FunctionCache {
  readonly #folder: CacheFolder
  readonly #maker: string
  readonly #bases: BaseSource
  #ignored = 0
  #reason = ''

  /** `maker`: changes with all that makes images and bundles. `bases`: what images are deltas to. */
  constructor(folder: CacheFolder, maker: string, bases: BaseSource) {
    this.#folder = folder
    this.#maker = sha256(maker)
    this.#bases = bases
  }

  /** The function as it was stored, if nothing has changed since. */
  find(source: CachedSource): Entry | undefined {
    const key = this.#keyOf(source)
    const name = nameOf(key)
    try {
      const file = this.#folder.read(name)
      if (file === undefined) return undefined
      const entry = decodeEntry(this.#folder.pathOf(name), file, key, this.#bases)
      if (entry === undefined) throw new Error('it is damaged, or not what its name says')
      return areUnchanged(entry.inputs) ? entry : undefined
    } catch (error) {
      this.#ignored++
      this.#reason ||= (error as Error).message
      return undefined
    }
  }

  /** What was wrong with files that {@link find} looked at. */
  get warning(): CacheWarning | undefined {
    if (this.#ignored === 0) return undefined
    const [folder, reason] = [this.#folder.path, this.#reason]
    return { text: 'cache files ignored, and made again', folder, reason, files: this.#ignored }
  }

  /** Stores what can be stored. Never rejects; returns what went wrong. */
  async save(functions: readonly ReadyFunction[]): Promise<CacheWarning | undefined> {
    if (functions.length === 0) return undefined
    try {
      for (const { source, bundle, image, base } of functions) {
        const { inputs } = bundle
        if (inputs === undefined || base === undefined) continue
        const key = this.#keyOf(source)
        await this.#folder.write(nameOf(key), encodeEntry(key, { ...bundle, inputs }, image, base))
      }
      await this.#folder.prune()
      return undefined
    } catch (error) {
      return { text: 'cache not written', folder: this.#folder.path, reason: (error as Error).message }
    }
  }

  #keyOf(source: CachedSource): EntryKey {
    const { name, file, code, resolveDir, jsxImportSource, stackBytes, memoryBytes } = source
    const made = [resolveDir, jsxImportSource ?? null, stackBytes, memoryBytes]
    const identity = [name, file ?? null, code ?? null, ...made]
    return { identity: sha256(JSON.stringify(identity)), maker: this.#maker }
  }
}

/** What differs in anything has a file of its own: versions of Ringlet may share a folder. */
function nameOf({ identity, maker }: EntryKey): string {
  return sha256(identity + maker)
}
