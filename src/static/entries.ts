// What is known of paths, least recently used first out: a cache for one site, or one that several sites share.

import { LRUCache } from 'lru-cache'
import type { FileEntry } from './entry.ts'

export interface Entries {
  get(path: string): FileEntry | undefined
  set(path: string, entry: FileEntry): unknown
  delete(path: string): unknown
}

/** A cache of so many bytes. */
export function entryCache(maxBytes: number): Entries {
  return new LRUCache<string, FileEntry>({
    maxSize: maxBytes,
    sizeCalculation: (entry, key) => entry.metadataBytes + 2 * key.length,
  })
}

/** One site's part of a shared cache. Paths begin with a slash, and no other site has its `prefix`, in which there is none. */
export function entriesOf(cache: Entries, prefix: string): Entries {
  return {
    get: (path) => cache.get(prefix + path),
    set: (path, entry) => cache.set(prefix + path, entry),
    delete: (path) => cache.delete(prefix + path),
  }
}
