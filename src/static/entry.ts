// What is known of one path: its file and the forms it can be had in, until the next look at the folder.

import { isSameFile } from '../file-record.ts'
import { contentType, isCompressible } from './media-type.ts'
import type { Coding } from './negotiate.ts'
import type { StaticLimits, StaticPlan } from './plan.ts'
import { type CommonFields, Representation } from './representation.ts'
import type { LocatedFile } from './resolve.ts'

/** Below this a coding saves less than its field costs. */
const COMPRESS_BYTES_MIN = 512
/** What is compressed here; zstd comes with later versions of Node.js. */
const MADE_CODINGS: readonly Coding[] = ['br', 'gzip']

export class FileEntry {
  readonly kind = 'file'
  readonly located: LocatedFile
  readonly plain: Representation
  readonly beside = new Map<Coding, Representation>()
  /** Compressed here; their contents may have left the memory. */
  readonly made = new Map<Coding, Representation>()
  /** Codings that gained nothing, or failed. */
  readonly unmade = new Set<Coding>()
  /** Whether other forms are made of it when they are asked for. */
  readonly canBeMade: boolean
  readonly #common: CommonFields
  /** In terms of the caller's clock. */
  checkedMs: number

  constructor(located: LocatedFile, plan: StaticPlan, limits: StaticLimits, checkedMs: number) {
    const { name, real, stats, beside } = located
    const nowMs = Date.now()
    const type = contentType(name)
    const size = Number(stats.size)
    this.located = located
    this.checkedMs = checkedMs
    this.#common = plan
    const canBeMade =
      plan.compression === 'on' &&
      isCompressible(type) &&
      size >= COMPRESS_BYTES_MIN &&
      size <= limits.compressBytes
    const varies = canBeMade || beside.size > 0
    this.plain = new Representation({ coding: null, type, varies, real, stats }, plan, nowMs)
    this.canBeMade = canBeMade && !this.plain.isRacy
    for (const [coding, form] of beside) {
      this.beside.set(coding, new Representation({ coding, type, varies, ...form }, plan, nowMs))
    }
  }

  /** Whether a new look has found the same files. */
  isStill({ real, stats, beside }: LocatedFile): boolean {
    const { located } = this
    if (real !== located.real || !isSameFile(stats, located.stats) || beside.size !== located.beside.size)
      return false
    for (const [coding, form] of beside) {
      const before = located.beside.get(coding)
      if (before === undefined || !isSameFile(before.stats, form.stats)) return false
    }
    return true
  }

  /** Whether it may be kept until the next look. */
  get isSettled(): boolean {
    return !this.plain.isRacy && [...this.beside.values()].every(({ isRacy }) => !isRacy)
  }

  makes(coding: Coding): boolean {
    return this.canBeMade && MADE_CODINGS.includes(coding) && !this.unmade.has(coding)
  }

  /** The form that a coding has made of it. */
  addMade(coding: Coding, madeBytes: number): Representation {
    const { real, stats } = this.located
    const { type } = this.plain
    const parts = { coding, type, varies: true, real, stats, madeBytes }
    const form = new Representation(parts, this.#common, Date.now())
    this.made.set(coding, form)
    return form
  }

  get metadataBytes(): number {
    // Room for forms that are yet to be made.
    const forms = 1 + this.beside.size + (this.canBeMade ? MADE_CODINGS.length : 0)
    return forms * this.plain.metadataBytes
  }
}
