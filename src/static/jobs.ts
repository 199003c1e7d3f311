// What an actor has compressed elsewhere: one file at a time, and few that wait. Until a form is made, clients get the plain one.

import { encodeFileRecord } from '../file-record.ts'
import type { FileEntry } from './entry.ts'
import type { Coding } from './negotiate.ts'
import type { ContentStore } from './store.ts'

/** Files that wait to be compressed; what finds no room asks again with its next request. */
const WAITING_MAX = 16

interface Job {
  readonly entry: FileEntry
  readonly coding: Coding
  readonly key: string
}

/** Where the result comes to lie: its length, and 16 bytes further its bytes. Length 0: it failed, or gained nothing. */
export const EXCHANGE_HEAD_BYTES = 16
/** Of a job's only segment. */
export const JOB_CODINGS: readonly Coding[] = ['br', 'gzip']

export class CompressionJobs {
  readonly #exchange: Uint8Array
  readonly #length: DataView
  readonly #submit: (payload: Uint8Array) => void
  readonly #store: ContentStore
  readonly #waiting: Job[] = []
  readonly #known = new Set<string>()

  /** `submit` has a job done, after whose end {@link done} is called. */
  constructor(exchange: SharedArrayBuffer, store: ContentStore, submit: (payload: Uint8Array) => void) {
    this.#exchange = new Uint8Array(exchange)
    this.#length = new DataView(exchange)
    this.#store = store
    this.#submit = submit
  }

  /** Has a form made, unless that is under way. */
  ask(entry: FileEntry, coding: Coding): void {
    const key = `${coding} ${entry.plain.key}`
    if (this.#known.has(key) || this.#waiting.length >= WAITING_MAX) return
    this.#known.add(key)
    this.#waiting.push({ entry, coding, key })
    if (this.#waiting.length === 1) this.#start()
  }

  /** The first one is done. */
  done(): void {
    const job = this.#waiting.shift()
    if (job === undefined) return
    this.#known.delete(job.key)
    const length = this.#length.getUint32(0, true)
    if (length === 0) job.entry.unmade.add(job.coding)
    else {
      const { key } = job.entry.addMade(job.coding, length)
      this.#store.put(key, this.#exchange.slice(EXCHANGE_HEAD_BYTES, EXCHANGE_HEAD_BYTES + length))
    }
    if (this.#waiting.length > 0) this.#start()
  }

  #start(): void {
    const { entry, coding } = this.#waiting[0]!
    const { real, identity } = entry.plain
    const segments = [Uint8Array.of(JOB_CODINGS.indexOf(coding))]
    this.#submit(encodeFileRecord({ path: real, identity, segments }))
  }
}
