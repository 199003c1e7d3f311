// One static route: which file a path means, remembered for a while, and what a request for it is answered.

import { bytesAnswer, emptyAnswer, errorAnswer, type StaticAnswer } from './answer.ts'
import { listsEntityTag } from './entity-tag.ts'
import type { Entries } from './entries.ts'
import { FileEntry } from './entry.ts'
import { type FileSystem, type FileTrouble, troubleOf } from './file-system.ts'
import type { CompressionJobs } from './jobs.ts'
import { LISTED_MAX, listingPage } from './listing.ts'
import { AcceptedCodings, NO_CODINGS } from './negotiate.ts'
import { partialAnswer, wholeAnswer } from './partial.ts'
import type { StaticLimits, StaticPlan } from './plan.ts'
import { type Conditions, evaluateConditions, rangeApplies } from './preconditions.ts'
import { parseRange } from './range.ts'
import type { Representation } from './representation.ts'
import { type Located, type LocatedFile, Resolver } from './resolve.ts'
import type { ContentStore } from './store.ts'

/** What is read of a request; values of fields are null where there is none. */
export interface StaticRequest extends Conditions {
  readonly method: string
  /** As it was sent, without query. */
  readonly path: string
  /** With its `?`, or empty. */
  readonly query: string
  readonly range: string | null
  readonly acceptEncoding: string | null
}

/** What the sites of a shard share. */
export interface StaticParts {
  readonly files: FileSystem
  readonly store: ContentStore
  readonly jobs: CompressionJobs
  readonly limits: StaticLimits
  /** The system has failed, by no fault of the path. */
  readonly onTrouble: (path: string, error: unknown) => void
}

const ALLOW = 'allow: GET, HEAD, OPTIONS\r\n'
/** A file that changes at each look is not to be had. */
const TRIES_MAX = 3
const LISTING_FIELDS =
  'content-type: text/html; charset=utf-8\r\ncache-control: no-cache\r\n' +
  "content-security-policy: default-src 'none'; style-src 'unsafe-inline'\r\nx-content-type-options: nosniff\r\n"

type Found = FileEntry | Exclude<Located, LocatedFile>

export class StaticSite {
  readonly plan: StaticPlan
  readonly #parts: StaticParts
  readonly #resolver: Resolver
  readonly #entries: Entries
  /** Length of the route without its `*`. */
  readonly #prefix: number
  /** What the last client accepted: nearly all say the same. */
  #lastField = ''
  #lastAccepted = NO_CODINGS

  constructor(plan: StaticPlan, parts: StaticParts, entries: Entries) {
    this.plan = plan
    this.#parts = parts
    this.#resolver = new Resolver(plan, parts.files)
    this.#prefix = plan.route.length - 1
    this.#entries = entries
  }

  /** Whether there is something to answer: if not, and a function has the same route, the request is that one's. */
  hasAnswer(method: string, path: string, nowMs: number): boolean {
    if (method !== 'GET' && method !== 'HEAD') return false
    const found = this.#find(path, nowMs)
    return found.kind !== 'trouble' || !['not-found', 'bad-path', 'no-index'].includes(found.code)
  }

  /** `nowMs`: of a clock that only goes forward. */
  answer(request: StaticRequest, nowMs: number): StaticAnswer {
    const { method, path } = request
    if (method === 'OPTIONS') return emptyAnswer(204, Buffer.from(ALLOW))
    if (method !== 'GET' && method !== 'HEAD') return errorAnswer('method-not-allowed', ALLOW)
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = this.#find(path, nowMs)
      if (found.kind === 'trouble') return this.#refuse(path, found.code, found.error)
      if (found.kind === 'redirect') return redirect(request)
      try {
        if (found.kind === 'listing') return this.#list(found.real, request)
        const answer = this.#serve(found, request)
        if (answer !== undefined) return answer
      } catch (error) {
        const code = troubleOf(error)
        // It has gone, or become a link, since it was looked at: the next look says what there is.
        if (code === 'file-unavailable') return this.#refuse(path, code, error)
      }
      this.#entries.delete(path)
    }
    return this.#refuse(path, 'file-unavailable', new Error('it changes all the time'))
  }

  #refuse(path: string, code: FileTrouble | 'bad-path' | 'no-index', error: unknown): StaticAnswer {
    if (code === 'file-unavailable') this.#parts.onTrouble(path, error)
    return errorAnswer(code === 'no-index' ? 'forbidden' : code)
  }

  /** What the path means: as it was found lately, or by a new look. */
  #find(path: string, nowMs: number): Found {
    const known = this.#entries.get(path)
    if (known !== undefined && nowMs - known.checkedMs < this.#parts.limits.checkMs) return known
    const located = this.#resolver.locate(path.slice(this.#prefix))
    if (located.kind !== 'file') {
      if (known !== undefined) this.#entries.delete(path)
      return located
    }
    if (known?.isStill(located)) {
      known.checkedMs = nowMs
      return known
    }
    const entry = new FileEntry(located, this.plan, this.#parts.limits, nowMs)
    if (entry.isSettled) this.#entries.set(path, entry)
    else this.#entries.delete(path)
    return entry
  }

  /** Undefined when the file has changed since it was looked at. */
  #serve(entry: FileEntry, request: StaticRequest): StaticAnswer | undefined {
    const form = this.#choose(entry, request)
    if (form === undefined) return errorAnswer('not-acceptable', 'vary: accept-encoding\r\n')
    if (form === 'later') return errorAnswer('file-unavailable')
    const isConditional =
      request.ifNoneMatch !== null ||
      request.ifModifiedSince !== null ||
      request.ifMatch !== null ||
      request.ifUnmodifiedSince !== null
    if (isConditional) {
      const status = evaluateConditions(request, form, Date.now())
      if (status === 304) return emptyAnswer(304, form.notModifiedFields)
      if (status === 412) return errorAnswer('precondition-failed')
    }
    // Only GET knows ranges (RFC 9110, section 14.2).
    if (request.method === 'HEAD') return emptyAnswer(200, form.fields, form.size)
    return this.#content(form, request)
  }

  #content(form: Representation, { range, ifRange }: StaticRequest): StaticAnswer | undefined {
    const asked = range !== null && rangeApplies(ifRange, form, Date.now()) ? range : null
    const ranges = asked === null ? 'all' : parseRange(asked, form.size)
    if (ranges === 'unsatisfiable') {
      return errorAnswer('range-not-satisfiable', `content-range: bytes */${form.size}\r\n`)
    }
    if (!form.isMade && form.size > this.#parts.limits.fileBytes) {
      // It is opened only later: that another file is there by then is to be as rare as can be.
      const stats = this.#parts.files.stat(form.real)
      if (stats === undefined || !form.isOf(stats)) return undefined
      return ranges === 'all' ? wholeAnswer(form) : partialAnswer(form, ranges, null)
    }
    const content = form.isMade ? this.#parts.store.get(form.key) : this.#parts.store.read(form)
    if (content === undefined) return undefined
    return ranges === 'all' ? bytesAnswer(200, form.fields, content) : partialAnswer(form, ranges, content)
  }

  /** The form that this client is sent; undefined when it accepts none, `'later'` when the one it accepts is being made. */
  #choose(
    entry: FileEntry,
    { acceptEncoding, range, ifNoneMatch }: StaticRequest,
  ): Representation | undefined | 'later' {
    if (acceptEncoding === null) return entry.plain
    const accepted = this.#accepted(acceptEncoding)
    const preferred = entry.plain.varies ? accepted.preferred() : []
    for (const coding of preferred) {
      const form = entry.beside.get(coding)
      if (form !== undefined) return form
    }
    // Parts of what may be sent another time in another form are of no use together.
    const coding = range === null ? preferred.find((each) => entry.makes(each)) : undefined
    if (coding !== undefined) {
      const form = entry.made.get(coding)
      // Who has the plain form from when there was no other keeps it.
      if (has(ifNoneMatch, entry.plain) && accepted.identityWeight > 0) return entry.plain
      if (form !== undefined && this.#parts.store.get(form.key) !== undefined) return form
      this.#parts.jobs.ask(entry, coding)
      if (accepted.identityWeight === 0) return 'later'
    }
    return accepted.identityWeight === 0 ? undefined : entry.plain
  }

  #accepted(field: string): AcceptedCodings {
    if (field !== this.#lastField) {
      this.#lastField = field
      this.#lastAccepted = new AcceptedCodings(field)
    }
    return this.#lastAccepted
  }

  #list(real: string, { path, query, method }: StaticRequest): StaticAnswer {
    const names = this.#resolver.names(real, LISTED_MAX + 1)
    const entries = names.slice(0, LISTED_MAX).flatMap((name) => {
      const entry = this.#resolver.entry(real, name)
      if (entry === undefined) return []
      const { stats } = entry
      const isFolder = stats.isDirectory()
      return [{ name, isFolder, bytes: Number(stats.size), modifiedMs: Number(stats.mtimeMs) }]
    })
    const page = Buffer.from(listingPage(path, query, entries, names.length > LISTED_MAX))
    const fields = Buffer.from(LISTING_FIELDS)
    return method === 'HEAD' ? emptyAnswer(200, fields, page.length) : bytesAnswer(200, fields, page)
  }
}

/** Whether a client says that it has this form. */
function has(ifNoneMatch: string | null, { etag }: Representation): boolean {
  return ifNoneMatch !== null && ifNoneMatch !== '*' && listsEntityTag(ifNoneMatch, etag, true)
}

/** To the folder's own address, so that what its page refers to is found; the query goes along. */
function redirect({ path, query }: StaticRequest): StaticAnswer {
  return emptyAnswer(301, Buffer.from(`location: ${path}/${query}\r\n`, 'latin1'), 0)
}
