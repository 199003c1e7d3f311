// How an actor names a file to the acceptor's thread: where it is, which file it must be, and what to send of it. The actor
// has resolved the path and looked at the file; whoever opens it later makes sure that it is the same one, unchanged.

/** What tells one state of a file from every other. Of the system's `stat`, so ctime cannot be set by whoever changes it. */
export interface FileIdentity {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

/** Bytes to send as they are, or part of the file. */
export type FileSegment = Uint8Array | FilePart

export interface FilePart {
  readonly offset: number
  readonly length: number
}

export interface FileRecord {
  /** Without symbolic links when it was looked at. */
  readonly path: string
  readonly identity: FileIdentity
  readonly segments: readonly FileSegment[]
}

const IDENTITY_FIELDS = ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const
const LENGTH_BYTES = 4
const PART_BYTES = 16
/** In place of a length: a part of the file follows, not bytes. */
const PART_MARK = 0xffff_ffff
const FIXED_BYTES = IDENTITY_FIELDS.length * 8 + 2 * LENGTH_BYTES

/** Whether a file is, in every respect, what it was. */
export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return (
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.dev === b.dev
  )
}

/** The record's payload. */
export function encodeFileRecord({ path, identity, segments }: FileRecord): Uint8Array {
  const name = new TextEncoder().encode(path)
  let length = FIXED_BYTES + name.length
  for (const segment of segments)
    length += LENGTH_BYTES + (segment instanceof Uint8Array ? segment.length : PART_BYTES)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const field of IDENTITY_FIELDS) {
    view.setBigUint64(at, identity[field], true)
    at += 8
  }
  view.setUint32(at, name.length, true)
  view.setUint32(at + LENGTH_BYTES, segments.length, true)
  bytes.set(name, FIXED_BYTES)
  at = FIXED_BYTES + name.length
  for (const segment of segments) {
    const isBytes = segment instanceof Uint8Array
    view.setUint32(at, isBytes ? segment.length : PART_MARK, true)
    at += LENGTH_BYTES
    if (isBytes) {
      bytes.set(segment, at)
      at += segment.length
    } else {
      view.setFloat64(at, segment.offset, true)
      view.setFloat64(at + 8, segment.length, true)
      at += PART_BYTES
    }
  }
  return bytes
}

/** Reads a payload. Its segments are views of `bytes`, which must stay. */
export function decodeFileRecord(bytes: Uint8Array): FileRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [dev, ino, size, mtimeNs, ctimeNs] = IDENTITY_FIELDS.map((_, index) =>
    view.getBigUint64(index * 8, true),
  ) as [bigint, bigint, bigint, bigint, bigint]
  const nameBytes = view.getUint32(FIXED_BYTES - 2 * LENGTH_BYTES, true)
  const count = view.getUint32(FIXED_BYTES - LENGTH_BYTES, true)
  let at = FIXED_BYTES + nameBytes
  const path = new TextDecoder().decode(bytes.slice(FIXED_BYTES, at))
  const segments: FileSegment[] = []
  while (segments.length < count) {
    const length = view.getUint32(at, true)
    at += LENGTH_BYTES
    if (length === PART_MARK) {
      segments.push({ offset: view.getFloat64(at, true), length: view.getFloat64(at + 8, true) })
      at += PART_BYTES
    } else {
      segments.push(bytes.subarray(at, at + length))
      at += length
    }
  }
  return { path, identity: { dev, ino, size, mtimeNs, ctimeNs }, segments }
}
