/**
 * Logs: JSON lines, by pino, into a bounded buffer that is written to a file descriptor when its owner is idle. A log must
 * not stop the server: what a full or closed output cannot take is counted and dropped, and said when it can be.
 */
import { fstatSync, statSync, writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { Doorbell, doorbellBytes } from '@shared/ringbuffer'
import type { Logger } from 'pino'
import type { Config } from './config/schema.ts'

/** POSIX: a write to a pipe of at most this many bytes is not mixed with another thread's (PIPE_BUF on Linux). */
const BATCH_BYTES = 4096
/** Most that waits for an output that does not take it. */
const BUFFER_BYTES_MAX = 1024 * 1024
/** Beyond that, for errors alone: a flood of access lines must not hide them. */
const ERROR_RESERVE_BYTES = 64 * 1024
/** A full output is not tried again before this: each refusal costs a system call and an exception. */
const RETRY_MS = 10
const CLOSE_MS = 500
const ERROR_LEVEL = 50

/** Asks pino to put each line's level into `lastLevel`. */
const PINO_METADATA: unique symbol = Symbol.for('pino.metadata')

/** The destination of log lines. Also used without pino, by whoever writes lines of its own. */
export class LogOutput {
  readonly [PINO_METADATA] = true
  lastLevel = 0
  readonly #fd: number
  readonly #lineBytes: number
  /** Whole lines, each batch written at once. */
  #batches: Buffer[] = []
  #batch = ''
  #batchBytes = 0
  #waitingBytes = 0
  #fullAtMs = Number.NEGATIVE_INFINITY
  #isClosed = false
  #dropped = 0
  #droppedSaid = 0

  constructor(fd = 1, lineBytes: number = 8192) {
    this.#fd = fd
    this.#lineBytes = lineBytes
    avoidBlocking(fd)
  }

  /** Lines that were dropped since the start. */
  get dropped(): number {
    return this.#dropped
  }

  /** Takes one line of JSON with its line end. Written at once from level error on, else with the next full batch or flush. */
  write(line: string): void {
    let text = line
    let bytes = Buffer.byteLength(line)
    if (bytes > this.#lineBytes) {
      text = shortenLine(line, this.#lineBytes)
      bytes = Buffer.byteLength(text)
    }
    const isError = this.lastLevel >= ERROR_LEVEL
    this.lastLevel = 0
    if (
      this.#isClosed ||
      this.#waitingBytes + bytes > BUFFER_BYTES_MAX + (isError ? ERROR_RESERVE_BYTES : 0)
    ) {
      this.#dropped++
      return
    }
    if (this.#batchBytes + bytes > BATCH_BYTES) this.#closeBatch()
    this.#batch += text
    this.#batchBytes += bytes
    this.#waitingBytes += bytes
    if (isError) this.flush()
    else if (this.#batches.length > 0 && Date.now() - this.#fullAtMs >= RETRY_MS) this.#drain()
  }

  /** Writes what the output takes now; never waits. For pino, `done` is called in any case. */
  flush(done?: () => void): void {
    this.#closeBatch()
    this.#drain()
    done?.()
  }

  /** As `flush`, but waits for a full output, at most half a second. The last call at exit. */
  close(): void {
    const deadlineMs = Date.now() + CLOSE_MS
    // Nobody rings it: a wait that only its time ends.
    const pause = new Doorbell({ buffer: new SharedArrayBuffer(doorbellBytes), offset: 0 })
    this.flush()
    while (this.#waitingBytes > 0 && Date.now() < deadlineMs) {
      pause.prepare()
      pause.wait(RETRY_MS)
      this.flush()
    }
  }

  #closeBatch(): void {
    if (this.#batchBytes === 0) return
    this.#batches.push(Buffer.from(this.#batch))
    this.#batch = ''
    this.#batchBytes = 0
  }

  #drain(): void {
    let written = 0
    while (written < this.#batches.length) {
      const rest = this.#writeBatch(this.#batches[written]!)
      if (rest !== undefined) {
        this.#batches[written] = rest
        break
      }
      written++
    }
    this.#batches.splice(0, written)
    if (this.#batches.length === 0 && this.#dropped > this.#droppedSaid) this.#sayDropped()
  }

  /** Undefined when done with it, else what is left of it. */
  #writeBatch(batch: Buffer): Buffer | undefined {
    try {
      const bytes = writeSync(this.#fd, batch)
      this.#waitingBytes -= bytes
      return bytes < batch.length ? batch.subarray(bytes) : undefined
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN' || code === 'EINTR' || code === 'ENOSPC') {
        this.#fullAtMs = Date.now()
        return batch
      }
      this.#giveUp()
      return undefined
    }
  }

  /** Nobody reads any more (EPIPE), or there is no such descriptor: nothing written later can arrive. */
  #giveUp(): void {
    this.#isClosed = true
    for (const batch of [...this.#batches, Buffer.from(this.#batch)]) this.#dropped += countLines(batch)
    this.#batches = []
    this.#batch = ''
    this.#batchBytes = 0
    this.#waitingBytes = 0
  }

  #sayDropped(): void {
    const count = this.#dropped - this.#droppedSaid
    this.#droppedSaid = this.#dropped
    if (this.#isClosed) return
    this.write(
      `{"level":40,"time":${Date.now()},"dropped":${count},"msg":"log lines dropped: the output was full"}\n`,
    )
  }
}

/**
 * Writing to a pipe or socket that nobody empties blocks the thread unless the descriptor says otherwise. Node sets
 * it to not block when `process.stdout` is first touched, and sets it back at exit; worker threads share the descriptor.
 */
function avoidBlocking(fd: number): void {
  if (!isMainThread || (fd !== 1 && fd !== 2)) return
  try {
    const stats = fstatSync(fd)
    // Node's realpathSync looks at whatever was last asked for, and ends early if that was a pipe: a module that is resolved next
    // would not be found behind its link (of pnpm, say), and be loaded twice.
    statSync('/')
    if (!stats.isFIFO() && !stats.isSocket()) return
    const stream = fd === 1 ? process.stdout : process.stderr
    // Without a listener, a console.log to a reader that has gone would end the process.
    stream.on('error', () => {})
  } catch {
    // No such descriptor: the first write finds out, and counts.
  }
}

function countLines(batch: Buffer): number {
  let lines = 0
  for (const byte of batch) if (byte === 0x0a) lines++
  return lines
}

/** The same record with its long texts cut, so that it is still JSON. What is not JSON is replaced as a whole. */
function shortenLine(line: string, lineBytes: number): string {
  const record = parseRecord(line)
  for (const characters of [lineBytes >> 2, lineBytes >> 4, lineBytes >> 6]) {
    const cut = (_key: string, value: unknown) =>
      typeof value === 'string' && value.length > characters ? `${value.slice(0, characters)}…` : value
    const shorter = `${JSON.stringify(record, cut)}\n`
    if (Buffer.byteLength(shorter) <= lineBytes) return shorter
  }
  const { level, time } = record
  return `${JSON.stringify({ level, time, msg: 'a log line was too long' })}\n`
}

function parseRecord(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line)
  } catch {
    return { level: 40, time: Date.now(), msg: line }
  }
}

export interface LoggerOptions {
  readonly level: Config['log']['level']
  /** Goes into each line. */
  readonly name: string
  readonly fd?: number
  readonly lineBytes?: number
}

/** `flush()` when idle, `output.close()` at exit. */
export type Log = Logger & { readonly output: LogOutput }

/** Loads pino, which takes 20 ms: only threads that log in earnest should call it. */
export async function createLogger({ level, name, fd, lineBytes }: LoggerOptions): Promise<Log> {
  const output = new LogOutput(fd, lineBytes)
  const { pino } = await import('pino')
  const logger = pino({ level, base: { name }, redact: { paths: SECRETS, censor: '[redacted]' } }, output)
  return Object.assign(logger, { output })
}

/** The levels that actors write at, with pino's numbers. */
const LINE_LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: 100 } as const

/**
 * Lines of pino's form without pino, for the actors: each would pay 25 ms of its start and some megabytes for it, and needs
 * none of its options. Fields are the caller's own, never a request's or a configuration's.
 */
export class LineLog {
  readonly output: LogOutput
  readonly #level: number
  readonly #name: string

  constructor({ level, name, fd, lineBytes }: LoggerOptions) {
    this.output = new LogOutput(fd, lineBytes)
    this.#level = LINE_LEVELS[level]
    this.#name = name
  }

  write(level: keyof typeof LINE_LEVELS, fields: object, text: string): void {
    const number = LINE_LEVELS[level]
    if (number < this.#level) return
    this.output.lastLevel = number
    const line = { level: number, time: Date.now(), name: this.#name, ...fields, msg: text }
    this.output.write(`${JSON.stringify(line)}\n`)
  }
}

/** Where a secret could stand if someone logged a function's configuration or a request as it is. */
const SECRETS = [
  'env',
  '*.env',
  'functions[*].env',
  'config.functions[*].env',
  'headers.authorization',
  'headers.cookie',
]

interface AccessEntry {
  readonly method: string
  /** The query is left out of the line: it may hold secrets. */
  readonly target: string
  readonly status: number
  /** Of the answer's body. */
  readonly bytes: number
  readonly durationMicros: number
  /** Name of the function; null where none was found. */
  readonly function: string | null
  readonly requestId: string
}

export interface AccessLogger {
  /** False: `line` does nothing, and an entry need not be made. */
  readonly enabled: boolean
  /** True for the answers that get a line: each, or every n-th. Ask once an answer, then call `line`. */
  due(): boolean
  line(entry: AccessEntry): void
}

const NO_ACCESS_LOG: AccessLogger = { enabled: false, due: () => false, line: () => {} }

export function accessLogger(config: Pick<Config, 'log'>, output: Pick<LogOutput, 'write'>): AccessLogger {
  const { access, sampleEvery } = config.log
  if (access === 'off') return NO_ACCESS_LOG
  const every = access === 'sampled' ? sampleEvery : 1
  let untilDue = 1
  return {
    enabled: true,
    due() {
      if (--untilDue > 0) return false
      untilDue = every
      return true
    },
    line: (entry) => output.write(accessLine(entry)),
  }
}

function accessLine(entry: AccessEntry): string {
  const query = entry.target.indexOf('?')
  const path = query < 0 ? entry.target : entry.target.slice(0, query)
  const texts = `"method":${JSON.stringify(entry.method)},"path":${JSON.stringify(path)}`
  const numbers = `"status":${entry.status},"bytes":${entry.bytes},"durationMicros":${entry.durationMicros}`
  const names = `"function":${JSON.stringify(entry.function)},"requestId":${JSON.stringify(entry.requestId)}`
  return `{"level":30,"time":${Date.now()},"name":"access",${texts},${numbers},${names}}\n`
}
