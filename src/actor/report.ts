// What a shard writes to the log about requests: a guest's console lines, failures with their source positions, access lines.

import { ANSWER_ERRORS, type AnswerErrorCode } from '../errors.ts'
import { LOG_LEVEL } from '../guest/ops.ts'
import type { AccessLogger, LineLog } from '../log.ts'
import type { Exchange } from './exchange.ts'
import type { FunctionPlan } from './plan.ts'
import type { RequestHead } from './request.ts'
import { latin1 } from './text.ts'

/** Turns positions in a bundle into those of the user's files. */
export type StackMapper = (stack: string, plan: FunctionPlan) => string

/** Of an object whose properties throw, or that has none. */
const UNTOLD = 'what was thrown tells neither a message nor a stack'

/** Of a stack in the log: a recursion has thousands. */
const STACK_LINES_MAX = 20

const LEVEL_NAMES: Record<number, 'debug' | 'info' | 'warn' | 'error'> = {
  [LOG_LEVEL.DEBUG]: 'debug',
  [LOG_LEVEL.INFO]: 'info',
  [LOG_LEVEL.WARN]: 'warn',
  [LOG_LEVEL.ERROR]: 'error',
}

/** The stack in a failure's text of `name\nmessage\nstack`. */
function stackOf(text: string): string {
  return text.split('\n').slice(2).join('\n')
}

function firstLines(stack: string): string {
  const lines = stack.split('\n')
  if (lines.length <= STACK_LINES_MAX) return stack
  return `${lines.slice(0, STACK_LINES_MAX).join('\n')}\n    ... ${lines.length - STACK_LINES_MAX} more`
}

export class Reporter {
  readonly #shard: number
  readonly #log: LineLog
  readonly #access: AccessLogger
  readonly #mapStack: StackMapper

  constructor(shard: number, log: LineLog, access: AccessLogger, mapStack: StackMapper) {
    this.#shard = shard
    this.#log = log
    this.#access = access
    this.#mapStack = mapStack
  }

  /** Whether requests need their method and target kept for access lines. */
  get wantsAccess(): boolean {
    return this.#access.enabled
  }

  /** Stacks in it are of the bundle as well: a framework catches what a handler throws, and gives it to `console.error`. */
  guestLog(exchange: Exchange, level: number, text: string): void {
    const fields = this.#fieldsOf(exchange)
    this.#log.write(LEVEL_NAMES[level] ?? 'info', fields, this.#mapStack(text, exchange.plan))
  }

  /** A promise's rejection that nobody has handled, as `name\nmessage\nstack`; or '', and so many more that get no line, 0 for all. */
  unhandled(exchange: Exchange, failure: string, more: number): void {
    const fields = this.#fieldsOf(exchange)
    if (failure !== '') {
      this.#log.write('error', { ...fields, error: this.#errorOf(failure, exchange) }, 'unhandled rejection')
    } else if (more > 0) this.#log.write('error', { ...fields, more }, 'further unhandled rejections')
    else this.#log.write('error', fields, 'further unhandled rejections of this request get no line')
  }

  /** `text`: what the guest threw, as `name\nmessage\nstack`. */
  threw(exchange: Exchange, text: string): void {
    const fields = this.#fieldsOf(exchange)
    this.#log.write('error', { ...fields, error: this.#errorOf(text, exchange) }, 'handler failed')
  }

  #errorOf(text: string, { plan }: Exchange): { name: string; message: string; stack: string } {
    const [name = '', message = ''] = text.split('\n', 2)
    const stack = firstLines(this.#mapStack(stackOf(text), plan))
    return { name, message: message === '' && stack === '' ? UNTOLD : message, stack }
  }

  /** The host ended a request: which limit, its value, what was used, and where; `text` as in `threw`, if the guest threw. */
  ended(exchange: Exchange, code: AnswerErrorCode, detail: string, text?: string): void {
    const { instance, plan } = exchange
    const stack = text === undefined ? instance.failureStack : stackOf(text)
    const fields = {
      ...this.#fieldsOf(exchange),
      error: {
        name: code,
        message: detail === '' ? ANSWER_ERRORS[code].message : detail,
        ...(stack !== '' && { stack: firstLines(this.#mapStack(stack, plan)) }),
      },
      cpuMs: Math.round(exchange.cpu.usedMs * 10) / 10,
      heapBytes: code === 'memory-limit' ? instance.reachedHeapBytes : instance.peakHeapBytes,
      ...(instance.engineSaid !== '' && { engine: instance.engineSaid }),
    }
    this.#log.write('error', fields, 'request ended by its host')
  }

  refused(name: string, status: number): void {
    this.#log.write('debug', { error: name, status }, 'request refused')
    if (!this.#access.due()) return
    this.#access.line({
      method: '',
      target: '',
      status,
      bytes: 0,
      durationMicros: 0,
      function: null,
      requestId: '',
    })
  }

  access(exchange: Exchange, status: number, bytes: number): void {
    if (!this.#access.due()) return
    const durationMicros = Math.round((performance.now() - exchange.startedMs) * 1000)
    const { method, target, plan } = exchange
    const requestId = this.#requestId(exchange)
    this.#access.line({ method, target, status, bytes, durationMicros, function: plan.name, requestId })
  }

  /** An answer that no function was asked for. */
  accessWithout(head: RequestHead, status: number, bytes = 0, sinceMs = performance.now()): void {
    if (!this.#access.due()) return
    const method = latin1(head.bytes, head.start, head.methodEnd)
    const target = latin1(head.bytes, head.targetStart, head.targetEnd)
    const durationMicros = Math.round((performance.now() - sinceMs) * 1000)
    this.#access.line({ method, target, status, bytes, durationMicros, function: null, requestId: '' })
  }

  #fieldsOf(exchange: Exchange): { function: string; request: string } {
    return { function: exchange.plan.name, request: this.#requestId(exchange) }
  }

  #requestId(exchange: Exchange): string {
    return `${this.#shard}-${exchange.requestNumber}`
  }
}
