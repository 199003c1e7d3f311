// Static routes on a shard: reads what a file's request says, has its site find the answer, and writes that: into the ring, or,
// for what is too long for it, as a record from which the acceptor sends the file.

import type { Counters } from '@shared/ringbuffer'
import { ANSWER_ERRORS, type AnswerErrorCode } from '../errors.ts'
import { encodeFileRecord } from '../file-record.ts'
import { HTTP_ERRORS } from '../http/errors.ts'
import type { HeadParser } from '../http/parser.ts'
import { beginHead, endHead, HEAD_OVERHEAD_BYTES, writeBytes } from '../http/response.ts'
import { FIELD, FIELD_ID, HEAD, METHOD } from '../http/table.ts'
import type { LineLog } from '../log.ts'
import { actorCounter } from '../metrics.ts'
import type { FileAnswer } from '../static/answer.ts'
import { entryCache } from '../static/entries.ts'
import { systemFiles } from '../static/file-system.ts'
import { CompressionJobs } from '../static/jobs.ts'
import type { StaticLimits, StaticPlan } from '../static/plan.ts'
import { StaticSite } from '../static/site.ts'
import { ContentStore } from '../static/store.ts'
import { type AnswerWriter, connectionOf, type Delivery } from './answer.ts'
import { Assets } from './assets.ts'
import { failureAnswer } from './failures.ts'
import type { Outbox } from './outbox.ts'
import type { Reporter } from './report.ts'
import type { RequestHead } from './request.ts'
import type { Session } from './session.ts'

/** A system that is out of descriptors says so for every request: one line a second tells as much. */
const TROUBLE_LOG_MS = 1000
const METHODS: Readonly<Record<number, string>> = {
  [METHOD.GET]: 'GET',
  [METHOD.HEAD]: 'HEAD',
  [METHOD.OPTIONS]: 'OPTIONS',
}
const ROOT = '/'

export interface StaticOptions {
  readonly plans: readonly StaticPlan[]
  /** How many functions there are: the router's indexes of static routes follow on theirs. */
  readonly functions: number
  /** Folders of functions, by their indexes: `functions[].assets`. */
  readonly assets: readonly (StaticPlan | null)[]
  /** For each plan the function that has the same route, -1 for none. */
  readonly behind: readonly number[]
  readonly limits: StaticLimits
  /** Where compressed files come to lie. */
  readonly exchange: SharedArrayBuffer
  readonly parser: HeadParser
  readonly outbox: Outbox
  readonly counters: Counters
  readonly log: LineLog
  readonly report: Reporter
}

/** A request's fields, read again for each. */
class FileRequest {
  method = ''
  path = ''
  query = ''
  range: string | null = null
  acceptEncoding: string | null = null
  ifMatch: string | null = null
  ifNoneMatch: string | null = null
  ifModifiedSince: string | null = null
  ifUnmodifiedSince: string | null = null
  ifRange: string | null = null
}

export class StaticService {
  /** What functions answer from by themselves. */
  readonly assets: Assets
  readonly #options: StaticOptions
  readonly #sites: readonly StaticSite[]
  readonly #store: ContentStore
  readonly #jobs: CompressionJobs
  readonly #request = new FileRequest()
  readonly #delivery: Delivery = { isHead: false, close: false, saysKeepAlive: false }
  #troubles = 0
  #nextTroubleMs = 0

  constructor(options: StaticOptions) {
    const { plans, assets, limits, exchange, outbox } = options
    this.#options = options
    this.#store = new ContentStore(systemFiles, limits.cacheBytes)
    this.#jobs = new CompressionJobs(exchange, this.#store, (payload) => outbox.compress(payload))
    const parts = {
      files: systemFiles,
      store: this.#store,
      jobs: this.#jobs,
      limits,
      onTrouble: (path: string, error: unknown) => this.#trouble(path, error),
    }
    // An equal part for each route, and one for the folders of all functions together.
    const shares = plans.length + (assets.some((plan) => plan !== null) ? 1 : 0)
    const metadataBytes = Math.floor(limits.metadataBytes / Math.max(1, shares))
    this.#sites = plans.map((plan) => new StaticSite(plan, parts, entryCache(metadataBytes)))
    this.assets = new Assets(assets, parts, entryCache(metadataBytes))
  }

  /** What contents take at present. */
  get cachedBytes(): number {
    return this.#store.usedBytes
  }

  /**
   * Who serves the path in [start, end) of the head that was parsed last, for which the router has found this index of a static
   * route: that route, or the function behind it when there is no such file.
   */
  route(index: number, bytes: Uint8Array, start: number, end: number): number {
    const { behind, functions, parser } = this.#options
    const other = behind[index - functions]!
    if (other < 0) return index
    const method = METHODS[parser.table.words[HEAD.methodId]!] ?? ''
    const path = start === end ? ROOT : text(bytes, start, end)
    return this.#sites[index - functions]!.hasAnswer(method, path, performance.now()) ? index : other
  }

  /**
   * Answers a request. True when all of the answer is written; else the rest waits in the session, or a file is on its way, and
   * `session.closesAfterAnswer` tells what comes then.
   */
  serve(session: Session, head: RequestHead, writer: AnswerWriter, close: boolean): boolean {
    const { counters, functions, report } = this.#options
    const nowMs = performance.now()
    const delivery = this.#delivery
    delivery.isHead = head.isHead
    delivery.close = close
    delivery.saysKeepAlive = head.saysKeepAlive
    session.dropBody()
    const answer = this.#sites[head.functionIndex - functions]!.answer(this.#read(head), nowMs)
    if (answer.kind === 'error') this.#fail(session, writer, answer.code, answer.fields)
    else if (answer.kind === 'file') {
      counters.add(actorCounter.filesSent, 1)
      this.#send(session, answer, writer.dateLine)
    } else if (writer.writePrepared(session, answer, delivery) === HTTP_ERRORS.buffersFull) {
      delivery.close = true
      this.#fail(session, writer, 'buffers-full', '')
    }
    counters.add(actorCounter.staticAnswers, 1)
    if (report.wantsAccess) {
      const status = answer.kind === 'error' ? ANSWER_ERRORS[answer.code].status : answer.status
      const bytes = answer.kind === 'error' || head.isHead ? 0 : Math.max(0, answer.length)
      report.accessWithout(head, status, bytes, nowMs)
    }
    session.closesAfterAnswer = delivery.close
    return session.out.length === 0 && !session.sendsFile
  }

  /** The job that was asked for last is done. */
  compressed(): void {
    this.#options.counters.add(actorCounter.compressed, 1)
    this.#jobs.done()
  }

  #fail(session: Session, writer: AnswerWriter, code: AnswerErrorCode, fields: string): void {
    const { close, isHead } = this.#delivery
    writer.writeRaw(session, failureAnswer(code, writer.dateLine, close, isHead, fields))
  }

  #send(session: Session, answer: FileAnswer, dateLine: Uint8Array): void {
    const { path, identity, segments, fields, length } = answer
    const head = new Uint8Array(HEAD_OVERHEAD_BYTES + fields.length)
    let at = writeBytes(head, beginHead(head, 0, answer.status), fields)
    at = endHead(head, at, length, connectionOf(this.#delivery), dateLine)
    session.sendsFile = session.saidMore = true
    const all = [head.subarray(0, at), ...segments]
    this.#options.outbox.file(encodeFileRecord({ path, identity, segments: all }))
  }

  /** The head is parsed once more: the parser's table may be of a later one, and that costs less than to keep it. */
  #read(head: RequestHead): FileRequest {
    const { parser } = this.#options
    const { bytes } = head
    parser.parse(bytes, head.start, head.end, 0)
    const { words } = parser.table
    const request = this.#request
    const pathStart = words[HEAD.pathStart]!
    const queryStart = words[HEAD.queryStart]!
    const targetEnd = words[HEAD.targetEnd]!
    request.method = METHODS[words[HEAD.methodId]!] ?? ''
    request.path = pathStart === queryStart ? ROOT : text(bytes, pathStart, queryStart)
    request.query = queryStart === targetEnd ? '' : text(bytes, queryStart, targetEnd)
    request.range = request.acceptEncoding = request.ifRange = null
    request.ifMatch = request.ifNoneMatch = request.ifModifiedSince = request.ifUnmodifiedSince = null
    const count = words[HEAD.fieldCount]!
    for (let at = HEAD.fields, end = at + count * FIELD.words; at < end; at += FIELD.words) {
      const id = words[at + FIELD.id]!
      if (id < FIELD_ID['accept-encoding'] || id > FIELD_ID['if-range']) continue
      this.#note(id, text(bytes, words[at + FIELD.valueStart]!, words[at + FIELD.valueEnd]!))
    }
    return request
  }

  /** A field's lines are one list (RFC 9110, section 5.3); where no list is allowed, that makes them malformed. */
  #note(id: number, value: string): void {
    const request = this.#request
    const join = (before: string | null) => (before === null ? value : `${before}, ${value}`)
    if (id === FIELD_ID['accept-encoding']) request.acceptEncoding = join(request.acceptEncoding)
    else if (id === FIELD_ID.range) request.range = join(request.range)
    else if (id === FIELD_ID['if-match']) request.ifMatch = join(request.ifMatch)
    else if (id === FIELD_ID['if-none-match']) request.ifNoneMatch = join(request.ifNoneMatch)
    else if (id === FIELD_ID['if-modified-since']) request.ifModifiedSince = join(request.ifModifiedSince)
    else if (id === FIELD_ID['if-unmodified-since'])
      request.ifUnmodifiedSince = join(request.ifUnmodifiedSince)
    else request.ifRange = join(request.ifRange)
  }

  #trouble(path: string, error: unknown): void {
    this.#troubles++
    const nowMs = performance.now()
    if (nowMs < this.#nextTroubleMs) return
    this.#nextTroubleMs = nowMs + TROUBLE_LOG_MS
    const reason = (error as NodeJS.ErrnoException)?.code ?? String(error)
    this.#options.log.write('error', { path, reason, times: this.#troubles }, 'file unavailable')
    this.#troubles = 0
  }
}

interface Latin1Slice {
  latin1Slice(start: number, end: number): string
}
const { latin1Slice } = Buffer.prototype as unknown as Latin1Slice

/** Without a Buffer for each of these short texts. */
function text(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end)
}
