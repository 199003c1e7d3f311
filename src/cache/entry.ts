// One function in the cache: its image, its source map, and all that must be as it was for them to be used.

import { createHash } from 'node:crypto'
import { IMAGE_FORMAT } from '../engine/base-file.ts'
import { decodeFramed, encodeFramed, share } from '../engine/framed-file.ts'
import { type Image, isSound } from '../engine/image.ts'
import type { Bundle } from '../functions/bundle.ts'
import type { Inputs } from '../functions/inputs.ts'
import type { StoredMap } from '../functions/source-map.ts'

/** Raised whenever what an entry holds, or means, changes. */
const ENTRY_FORMAT = 2
const MARK = `RINGLET-FUNCTION ${IMAGE_FORMAT}.${ENTRY_FORMAT}\n`

/** Names of what an entry is of, as SHA-256 hashes. */
export interface EntryKey {
  /** The function as it is configured: its name, source, folder, and the limits that are part of an image. */
  readonly identity: string
  /** What it was made by: Ringlet, its engine, guest API and base image, the bundler. */
  readonly maker: string
}

/** A base image of the package. */
export interface BaseKey {
  /** Which one. */
  readonly index: number
  /** Of its file: a delta to another content is worth nothing. */
  readonly hash: string
}

/** Gives base images by their index; undefined for one that there is not. */
export interface BaseSource {
  get(index: number): { readonly hash: string; readonly base: { readonly image: Image } } | undefined
}

interface Header extends EntryKey {
  readonly base: BaseKey
  /** SHA-256 of the bundle. */
  readonly bundle: string
  readonly inputs: Inputs
  readonly image: Pick<Image, 'runs' | 'pages' | 'endBytes' | 'extentBytes'> & { readonly bytes: number }
  /** SHA-256 of the source map, which is read again only when a stack is to be mapped. */
  readonly map: string
}

export interface Entry {
  readonly inputs: Inputs
  readonly image: Image
  readonly map: StoredMap
}

export function encodeEntry(
  key: EntryKey,
  bundle: Bundle & { readonly inputs: Inputs },
  image: Image,
  base: BaseKey,
): Buffer {
  const { runs, pages, endBytes, extentBytes } = image
  const map = Buffer.from(bundle.map)
  const header: Header = {
    ...key,
    base,
    bundle: sha256(bundle.code),
    inputs: bundle.inputs,
    image: { runs, pages, endBytes, extentBytes, bytes: image.bytes.byteLength },
    map: sha256(map),
  }
  return encodeFramed(MARK, header, new Uint8Array(image.bytes), map)
}

/** Undefined for a file that is damaged, of another format, or of something else. */
export function decodeEntry(
  path: string,
  file: Uint8Array,
  key: EntryKey,
  bases: BaseSource,
): Entry | undefined {
  const framed = decodeFramed(MARK, file)
  const header = framed?.header as Header | undefined
  if (framed === undefined || header?.identity !== key.identity || header.maker !== key.maker)
    return undefined
  const { inputs, map } = header
  const known = bases.get(header.base.index)
  if (known?.hash !== header.base.hash) return undefined
  const base = known.base.image
  const { bytes, ...sizes } = header.image
  const image: Image = {
    ...sizes,
    base,
    bytes: share(framed.payload.subarray(0, bytes)),
    heapStart: base.heapStart,
    pointers: base.pointers,
  }
  if (!isSound(image)) return undefined
  const mapBytes = framed.payload.length - bytes
  return { inputs, image, map: { path, at: file.length - mapBytes, bytes: mapBytes, hash: map } }
}

export function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}
