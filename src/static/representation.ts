// One form of one file: what it is called, when it changed, and the fields that every answer with it carries.

import type { BigIntStats } from 'node:fs'
import { type FileIdentity, type FilePart, isSameFile } from '../file-record.ts'
import { httpDate } from './http-date.ts'
import type { Coding } from './negotiate.ts'
import type { Validators } from './preconditions.ts'

/** The kernel's clock of file times goes in steps of up to 10 ms: what has changed so lately may change again within the same step. */
const RACY_NS = 50_000_000n
const MS = 1_000_000n
const SECOND_NS = 1_000_000_000n

/** What a route adds to all of its answers. */
export interface CommonFields {
  readonly cacheControl: string | null
  readonly headers: Readonly<Record<string, string>>
}

export interface RepresentationParts {
  readonly coding: Coding | null
  readonly type: string
  /** Whether the answer depends on Accept-Encoding. */
  readonly varies: boolean
  /** Where its bytes are, or those that it is made from. */
  readonly real: string
  readonly stats: BigIntStats
  /** Of a form that was compressed here: its length. */
  readonly madeBytes?: number
}

export class Representation implements Validators {
  readonly coding: Coding | null
  readonly type: string
  readonly real: string
  readonly identity: FileIdentity
  readonly size: number
  readonly varies: boolean
  readonly etag: string
  readonly lastModified: number
  /** It was compressed here: its bytes are in no file. */
  readonly isMade: boolean
  /** Changed so lately that the next state might look the same: it has a weak tag, and nothing of it is kept. */
  readonly isRacy: boolean
  /** Key of its content. */
  readonly key: string
  /** Field lines of an answer with its content, without Content-Length. */
  readonly fields: Buffer
  /** The same without what is about a whole: for 206, with another Content-Type perhaps. */
  readonly partFields: string
  /** Of 304 (RFC 9110, section 15.4.5). */
  readonly notModifiedFields: Buffer

  constructor(parts: RepresentationParts, { cacheControl, headers }: CommonFields, nowMs: number) {
    const { coding, type, varies, real, stats, madeBytes } = parts
    const { dev, ino, size, mtimeNs, ctimeNs } = stats
    this.coding = coding
    this.type = type
    this.real = real
    this.identity = { dev, ino, size, mtimeNs, ctimeNs }
    this.isMade = madeBytes !== undefined
    this.varies = varies
    this.size = madeBytes ?? Number(size)
    this.isRacy = BigInt(Math.floor(nowMs)) * MS - ctimeNs < RACY_NS
    const form = coding === null ? '' : `-${coding}`
    const opaque = `${size.toString(36)}-${mtimeNs.toString(36)}${form}${this.isMade ? '-made' : ''}`
    this.etag = `${this.isRacy ? 'W/' : ''}"${opaque}"`
    // Never later than now (section 8.8.2.1).
    this.lastModified = Math.min(Number(mtimeNs / SECOND_NS), Math.floor(nowMs / 1000))
    this.key = `${dev}-${ino}-${ctimeNs}-${opaque}`
    const lines = (fields: readonly (readonly [string, string | null | false])[]) =>
      fields.map(([name, value]) => (value ? `${name}: ${value}\r\n` : '')).join('')
    const own = Object.entries(headers)
    const freshness = lines([
      ['etag', this.etag],
      ['cache-control', cacheControl],
      ['vary', varies && 'accept-encoding'],
    ])
    this.partFields = lines([
      ['content-encoding', coding],
      ['last-modified', httpDate(this.lastModified)],
      ...own,
    ]).concat(freshness)
    this.fields = Buffer.from(`content-type: ${type}\r\naccept-ranges: bytes\r\n${this.partFields}`, 'latin1')
    this.notModifiedFields = Buffer.from(
      freshness + lines(own.filter(([name]) => !DESCRIBES.test(name))),
      'latin1',
    )
  }

  /** The part [start, end) of its file. */
  part(start: number, end: number): FilePart {
    return { offset: start, length: end - start }
  }

  /** Whether a file is still as it was. */
  isOf(stats: BigIntStats): boolean {
    return isSameFile(this.identity, stats)
  }

  /** About what it costs to keep this, its content left out. */
  get metadataBytes(): number {
    return (
      METADATA_BYTES + 2 * (this.partFields.length + this.key.length + this.real.length) + this.fields.length
    )
  }
}

const METADATA_BYTES = 1024
/** Of the content, which a 304 has not; the policy fields are about the page that has it already. */
const DESCRIBES = /^content-(?!security-policy)/i
