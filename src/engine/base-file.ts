// The base image as a file of the package: made once when the package is built, so that a start evaluates no guest API and
// probes no engine. It is bound by hashes to the engine's WASM, the guest API and this format, and to its own bytes; whatever
// does not match is made again at the start.

import { createHash } from 'node:crypto'
import type { BaseImage } from './build.ts'
import { isSound } from './image.ts'
import type { EngineLayout } from './layout.ts'

/** Raised whenever what an image or its header means changes. */
const FORMAT = 4
const MAGIC = Buffer.from('RINGLET\0')
const PREFIX_BYTES = MAGIC.length + 4

interface Header {
  readonly format: number
  /** SHA-256 of what the image was made from. */
  readonly source: string
  /** SHA-256 of `layout`, `base` and the image's bytes. */
  readonly content: string
  readonly layout: EngineLayout
  readonly base: Omit<BaseImage, 'image'> & { readonly image: Omit<BaseImage['image'], 'bytes'> }
}

/** The hash that binds a file to the engine and the guest API it was made from. */
export function sourceHash(variant: string, wasm: Uint8Array, guestSource: string): string {
  return createHash('sha256').update(`${FORMAT}:${variant}:`).update(wasm).update(guestSource).digest('hex')
}

/** The hash of all that a load would trust. */
function contentHash({ layout, base }: Pick<Header, 'layout' | 'base'>, payload: Uint8Array): string {
  return createHash('sha256')
    .update(JSON.stringify([layout, base]))
    .update(payload)
    .digest('hex')
}

export function encodeBase(source: string, layout: EngineLayout, base: BaseImage): Buffer {
  const payload = new Uint8Array(base.image.bytes)
  const { bytes: _bytes, ...image } = base.image
  const content = { layout, base: { ...base, image } }
  const header: Header = { format: FORMAT, source, content: contentHash(content, payload), ...content }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([MAGIC, length, text, payload])
}

/** Undefined for a file that is damaged, or was made from something else. */
export function decodeBase(
  file: Uint8Array,
  source: string,
): { readonly layout: EngineLayout; readonly base: BaseImage } | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.length < PREFIX_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const payloadAt = PREFIX_BYTES + bytes.readUInt32LE(MAGIC.length)
  const header = parseHeader(bytes.subarray(PREFIX_BYTES, payloadAt).toString())
  if (header?.format !== FORMAT || header.source !== source) return undefined
  const payload = bytes.subarray(payloadAt)
  if (contentHash(header, payload) !== header.content) return undefined
  const shared = new SharedArrayBuffer(payload.length)
  new Uint8Array(shared).set(payload)
  const image = { ...header.base.image, bytes: shared }
  return isSound(image) ? { layout: header.layout, base: { ...header.base, image } } : undefined
}

function parseHeader(text: string): Header | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
