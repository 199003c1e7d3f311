// The frame of files that hold images: a mark, a SHA-256 hash over all that follows it, a header of JSON, and bytes. The hash is
// against damage and mistakes. It is no signature: who may write the file can write its hash.

import { createHash } from 'node:crypto'

const HASH_BYTES = 32
const LENGTH_BYTES = 4

export interface Framed {
  /** Hexadecimal; another for every other content. */
  readonly hash: string
  readonly header: unknown
  readonly payload: Uint8Array
}

function hashOf(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** `mark`: what the file is, and the version of its format. */
export function encodeFramed(mark: string, header: unknown, ...payload: readonly Uint8Array[]): Buffer {
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(text.length)
  return Buffer.concat([Buffer.from(mark), hashOf([length, text, ...payload]), length, text, ...payload])
}

/** Undefined for a file without the mark, or that is not whole. */
export function decodeFramed(mark: string, file: Uint8Array): Framed | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const markBytes = Buffer.from(mark)
  const hashAt = markBytes.length
  const lengthAt = hashAt + HASH_BYTES
  const headerAt = lengthAt + LENGTH_BYTES
  if (bytes.length < headerAt || !bytes.subarray(0, hashAt).equals(markBytes)) return undefined
  const hash = bytes.subarray(hashAt, lengthAt)
  if (!hashOf([bytes.subarray(lengthAt)]).equals(hash)) return undefined
  const payloadAt = headerAt + bytes.readUInt32LE(lengthAt)
  const header: unknown = JSON.parse(bytes.subarray(headerAt, payloadAt).toString())
  return { hash: hash.toString('hex'), header, payload: bytes.subarray(payloadAt) }
}

/** A copy in shared memory. */
export function share(bytes: Uint8Array): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.length)
  new Uint8Array(shared).set(bytes)
  return shared
}
