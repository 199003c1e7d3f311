// Contents of small files, and what was compressed, in memory: least recently used goes first.

import { LRUCache } from 'lru-cache'
import type { FileSystem } from './file-system.ts'
import type { Representation } from './representation.ts'

/** What an entry costs beside its content. */
const ENTRY_BYTES = 256

export class ContentStore {
  readonly #files: FileSystem
  readonly #contents: LRUCache<string, Uint8Array>

  constructor(files: FileSystem, cacheBytes: number) {
    this.#files = files
    this.#contents = new LRUCache({
      maxSize: cacheBytes,
      sizeCalculation: (bytes, key) => bytes.length + 2 * key.length + ENTRY_BYTES,
    })
  }

  get usedBytes(): number {
    return this.#contents.calculatedSize
  }

  /** What is in memory. */
  get(key: string): Uint8Array | undefined {
    return this.#contents.get(key)
  }

  put(key: string, bytes: Uint8Array): void {
    this.#contents.set(key, bytes)
  }

  /** All of a file, undefined when it is not the one it was any more. Throws what the system says. */
  read(form: Representation): Uint8Array | undefined {
    const known = form.isRacy ? undefined : this.#contents.get(form.key)
    if (known !== undefined) return known
    const bytes = this.#readFile(form)
    if (bytes !== undefined && !form.isRacy) this.put(form.key, bytes)
    return bytes
  }

  #readFile(form: Representation): Uint8Array | undefined {
    const files = this.#files
    const fd = files.open(form.real)
    try {
      if (!form.isOf(files.statOpen(fd))) return undefined
      const bytes = new Uint8Array(form.size)
      let at = 0
      while (at < bytes.length) {
        const got = files.read(fd, bytes, at, bytes.length - at, at)
        if (got === 0) return undefined
        at += got
      }
      // A change during the read is one after the first look and before this one.
      return form.isOf(files.statOpen(fd)) ? bytes : undefined
    } finally {
      files.close(fd)
    }
  }
}
