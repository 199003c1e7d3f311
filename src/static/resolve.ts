// From a path below a static route to a file: what is looked for, in which order, and what is refused. Nothing outside of the
// folder is ever opened: a path is followed to its end, links and all, before it is looked at.

import type { BigIntStats } from 'node:fs'
import { join, sep } from 'node:path'
import { type FileSystem, type FileTrouble, troubleOf } from './file-system.ts'
import { CODINGS, type Coding } from './negotiate.ts'
import { type PathTrouble, relativePath } from './path.ts'
import type { StaticPlan } from './plan.ts'

/** A plain file, where it really is. */
export interface LocatedFile {
  readonly kind: 'file'
  /** Without symbolic links. */
  readonly real: string
  /** The name by which it was found; its ending tells the content type. */
  readonly name: string
  readonly stats: BigIntStats
  /** Of its forms in other codings, those that lie beside it. */
  readonly beside: ReadonlyMap<Coding, LocatedForm>
}

interface LocatedForm {
  readonly real: string
  readonly stats: BigIntStats
}

export type Located =
  | LocatedFile
  /** A folder that was asked for without its slash. */
  | { readonly kind: 'redirect' }
  /** A folder that has no index, and may be listed. */
  | { readonly kind: 'listing'; readonly real: string }
  | {
      readonly kind: 'trouble'
      readonly code: PathTrouble | FileTrouble | 'no-index'
      readonly error?: unknown
    }

const ENDINGS: Readonly<Record<Coding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' }
const NOT_FOUND: Located = { kind: 'trouble', code: 'not-found' }
const FORBIDDEN: Located = { kind: 'trouble', code: 'forbidden' }
/** A folder, and no file that stands for it. */
const NO_INDEX: Located = { kind: 'trouble', code: 'no-index' }

type Entry = { readonly real: string; readonly stats: BigIntStats } | undefined

export class Resolver {
  readonly #plan: StaticPlan
  readonly #files: FileSystem

  constructor(plan: StaticPlan, files: FileSystem) {
    this.#plan = plan
    this.#files = files
  }

  /** `raw`: the path without query, from behind the route's prefix on. */
  locate(raw: string): Located {
    const path = relativePath(raw)
    if (typeof path === 'string') return { kind: 'trouble', code: path }
    const { dotfiles } = this.#plan
    if (path.isHidden && dotfiles !== 'allow') return dotfiles === 'deny' ? FORBIDDEN : NOT_FOUND
    try {
      // The folder may itself be a link that is set anew with each release.
      const root = this.#files.realPath(this.#plan.dir)
      const found = this.#find(root, path.segments, path.isFolder)
      return found !== NOT_FOUND ? found : this.#fallback(root, path.segments, path.isFolder)
    } catch (error) {
      return { kind: 'trouble', code: troubleOf(error), error }
    }
  }

  /** Names in a folder that a listing shows; what they are is for {@link entry}. */
  names(real: string, most: number): string[] {
    const names = this.#files.names(real, most)
    return this.#plan.dotfiles === 'allow' ? names : names.filter((name) => !name.startsWith('.'))
  }

  /** A file or folder in a folder, undefined for what is not served. */
  entry(folder: string, name: string): Entry {
    try {
      const entry = this.#look(this.#files.realPath(this.#plan.dir), join(folder, name))
      return typeof entry === 'object' && (entry.stats.isFile() || entry.stats.isDirectory())
        ? entry
        : undefined
    } catch {
      return undefined
    }
  }

  #find(root: string, segments: readonly string[], isFolder: boolean): Located {
    const path = join(root, ...segments)
    const entry = this.#look(root, path)
    if (entry === 'forbidden') return FORBIDDEN
    if (entry?.stats.isFile()) return isFolder ? NOT_FOUND : this.#file(root, path, entry)
    if (!isFolder) {
      for (const extension of this.#plan.extensions) {
        const other = `${path}.${extension}`
        const file = this.#look(root, other)
        if (typeof file === 'object' && file.stats.isFile()) return this.#file(root, other, file)
      }
    }
    // Neither file nor folder: a device, a FIFO, a socket.
    if (!entry?.stats.isDirectory()) return NOT_FOUND
    const inside = this.#index(root, path)
    if (inside !== undefined) return isFolder || inside.kind === 'trouble' ? inside : { kind: 'redirect' }
    if (this.#plan.listing === 'off') return NO_INDEX
    return isFolder ? { kind: 'listing', real: entry.real } : { kind: 'redirect' }
  }

  #index(root: string, folder: string): Located | undefined {
    for (const name of this.#plan.index) {
      const path = join(folder, name)
      const entry = this.#look(root, path)
      if (entry === 'forbidden') return FORBIDDEN
      if (entry?.stats.isFile()) return this.#file(root, path, entry)
    }
    return undefined
  }

  /** What looks like a page of the application, not like a file of it. */
  #fallback(root: string, segments: readonly string[], isFolder: boolean): Located {
    const { spaFallback } = this.#plan
    const last = isFolder ? '' : (segments.at(-1) ?? '')
    if (spaFallback === null || last.includes('.')) return NOT_FOUND
    const path = join(root, spaFallback)
    const entry = this.#look(root, path)
    return typeof entry === 'object' && entry.stats.isFile() ? this.#file(root, path, entry) : NOT_FOUND
  }

  #file(root: string, path: string, { real, stats }: NonNullable<Entry>): LocatedFile {
    const beside = new Map<Coding, LocatedForm>()
    if (this.#plan.compression !== 'off') {
      for (const coding of CODINGS) {
        const other = path + ENDINGS[coding]
        // Most files have none: to ask for that throws nothing.
        const form = this.#files.stat(other) === undefined ? undefined : this.#look(root, other)
        if (typeof form === 'object' && form.stats.isFile()) beside.set(coding, form)
      }
    }
    return { kind: 'file', real, name: path, stats, beside }
  }

  /** Follows a path to its end. Undefined for what is not there; throws what else the system says. */
  #look(root: string, path: string): Entry | 'forbidden' {
    let real: string
    try {
      real = this.#files.realPath(path)
    } catch (error) {
      if (troubleOf(error) === 'not-found') return undefined
      throw error
    }
    if (real !== path) {
      if (this.#plan.symlinks === 'inside' && !isInside(root, real)) return 'forbidden'
      // Where the system takes another case for the same name, a rule for the one would not hold for the other.
      if (real.toLowerCase() === path.toLowerCase()) return undefined
    }
    const stats = this.#files.stat(real)
    return stats === undefined ? undefined : { real, stats }
  }
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}
