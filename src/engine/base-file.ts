// The base image as a file of the package: made once when the package is built, so that a start evaluates no guest API and
// probes no engine. It is bound by hashes to the engine's WASM, the guest API and this format, and to its own bytes; whatever
// does not match is made again at the start.

import { createHash } from 'node:crypto'
import type { BaseImage } from './build.ts'
import { decodeFramed, encodeFramed, share } from './framed-file.ts'
import { isSound } from './image.ts'
import type { EngineLayout } from './layout.ts'

/** Raised whenever what an image or its header means changes. */
export const IMAGE_FORMAT = 12
const MARK = `RINGLET-BASE ${IMAGE_FORMAT}\n`

interface Header {
  /** SHA-256 of what the image was made from. */
  readonly source: string
  readonly layout: EngineLayout
  readonly base: Omit<BaseImage, 'image'> & { readonly image: Omit<BaseImage['image'], 'bytes'> }
}

/** The hash that binds a file to the engine and the guest API it was made from. */
export function sourceHash(variant: string, wasm: Uint8Array, guest: Uint8Array): string {
  return createHash('sha256').update(`${IMAGE_FORMAT}:${variant}:`).update(wasm).update(guest).digest('hex')
}

export function encodeBase(source: string, layout: EngineLayout, base: BaseImage): Buffer {
  const { bytes, ...image } = base.image
  const header: Header = { source, layout, base: { ...base, image } }
  return encodeFramed(MARK, header, new Uint8Array(bytes))
}

export interface DecodedBase {
  readonly layout: EngineLayout
  readonly base: BaseImage
  /** Of the file: what images that are stored as deltas to this base are bound to. */
  readonly hash: string
}

/** Undefined for a file that is damaged, or was made from something else. */
export function decodeBase(file: Uint8Array, source: string): DecodedBase | undefined {
  const framed = decodeFramed(MARK, file)
  const header = framed?.header as Header | undefined
  if (framed === undefined || header?.source !== source) return undefined
  const image = { ...header.base.image, bytes: share(framed.payload) }
  if (!isSound(image)) return undefined
  return { layout: header.layout, base: { ...header.base, image }, hash: framed.hash }
}
