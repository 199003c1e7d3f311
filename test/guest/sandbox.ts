import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core'
import { buildGuest as buildGuestNow } from '../../scripts/build-guest.mjs'
import {
  encodingName,
  type HostValue,
  textDecode,
  textEncode,
  urlParse,
  urlSet,
  type WireText,
} from '../../src/guest/host.ts'
import { findParts } from '../../src/guest/host-multipart.ts'
import { CONTENT_TYPES, HEAD_KIND, IO_BYTES, OP, STATE, WORD } from '../../src/guest/ops.ts'
import { subtle } from '../../src/host/subtle/subtle.ts'

let guest: Promise<string> | undefined

/** The guest API's scripts, as scripts/build.mjs builds them: once for all tests of a file, but for those with `more`. */
export function buildGuest(more?: Readonly<Record<string, string>>): Promise<string> {
  if (more !== undefined) return buildGuestNow(more)
  guest ??= buildGuestNow()
  return guest
}

/** Small enough that the guest's limit comes before that of the test process. */
const STACK_BYTES = 96 * 1024
const PIECE_BYTES = 65_536

export const VARIANTS = ['quickjs', 'quickjs-ng'] as const

export async function loadVariant(name: (typeof VARIANTS)[number]): Promise<QuickJSWASMModule> {
  const variant =
    name === 'quickjs'
      ? await import('@jitl/quickjs-wasmfile-release-sync')
      : await import('@jitl/quickjs-ng-wasmfile-release-sync')
  return newQuickJSWASMModuleFromVariant(variant.default as never)
}

export interface Answer {
  state: number
  status: number
  /** Content-Type for the kinds known, else the field block. */
  head: string
  body: string
  bytes: Uint8Array | undefined
}

/**
 * One guest with a host of its own, spoken to by the protocol of ops.ts, as the engine does. Never disposed: a runtime in
 * which something failed cannot be freed (quickjs-emscripten issue 257), and the process ends with the test file.
 */
export class Sandbox {
  readonly logs: [level: number, text: string][] = []
  readonly timers = new Map<number, { delayMs: number; repeat: boolean }>()
  /** Pieces of a streamed body asked for. */
  pulls = 0
  /** Pieces of a streamed answer, and how it ended: '' or a failure. */
  readonly sent: Uint8Array[] = []
  sentEnd: string | undefined
  env = '{}'
  now = 1000
  readonly #context: QuickJSContext
  readonly #handles = new Map<string, QuickJSHandle>()

  readonly #features: readonly string[]

  /** `guest`: as {@link buildGuest} gives it. */
  constructor(module: QuickJSWASMModule, guest: string) {
    const { core, features } = JSON.parse(guest) as { core: string; features: string[] }
    const context = module.newContext()
    this.#context = context
    this.#features = features
    context.runtime.setMaxStackSize(STACK_BYTES)
    const dispatch = context.newFunction('__host', (...args) => this.#dispatch(args))
    context.setProp(context.global, '__host', dispatch)
    dispatch.dispose()
    context.unwrapResult(context.evalCode(core, 'guest.js')).dispose()
    const protocol = context.getProp(context.global, '__ringlet')
    for (const name of [
      'io',
      'load',
      'invoke',
      'conclude',
      'follow',
      'take',
      'takeHead',
      'fire',
      'push',
      'complete',
      'flow',
    ]) {
      this.#handles.set(name, context.getProp(protocol, name))
    }
    protocol.dispose()
  }

  /** Evaluates code of no function, for its value. */
  evaluate(code: string): unknown {
    const handle = this.#context.unwrapResult(this.#context.evalCode(code, 'probe.js'))
    const value = this.#context.dump(handle)
    handle.dispose()
    return value
  }

  /** Loads a CommonJS bundle; throws what `load` throws. */
  load(source: string): void {
    this.loadExpression(`(function(exports,module,require){${source}\n})`, 'function.js')
  }

  /** Loads the bundle that an expression gives. */
  loadExpression(code: string, filename: string): void {
    const factory = this.#context.unwrapResult(this.#context.evalCode(code, filename))
    this.#call('load', factory).dispose()
    factory.dispose()
  }

  word(index: number): number {
    const io = this.#context.getArrayBuffer(this.#handles.get('io')!)
    const words = new Int32Array(io.value.buffer, io.value.byteOffset, IO_BYTES / 4)
    const value = words[index]!
    io.dispose()
    return value
  }

  jobs(): void {
    const result = this.#context.runtime.executePendingJobs()
    if (result.error) throw new Error(String(this.#context.dump(result.error)))
  }

  /** Fires every timer once, in the order they were set, then runs the jobs. */
  fireAll(): void {
    for (const [id, { repeat }] of [...this.timers]) {
      if (!repeat) this.timers.delete(id)
      const handle = this.#context.newNumber(id)
      this.#call('fire', handle).dispose()
      handle.dispose()
      this.jobs()
    }
  }

  /** One request up to the answer or, with nothing left to run, a pending state. */
  invoke(head: string, body?: string | Uint8Array, flags = 0): Answer {
    const context = this.#context
    const args = [
      context.newString(head),
      body === undefined
        ? context.undefined
        : typeof body === 'string'
          ? context.newString(body)
          : context.newArrayBuffer(new Uint8Array(body).buffer),
      context.newNumber(flags),
    ]
    let value = this.#call('invoke', ...args)
    for (const handle of args) handle.dispose()
    if (this.word(WORD.STATE) === STATE.PROMISE) value = this.#follow(value)
    if (this.word(WORD.STATE) !== STATE.PENDING) return this.#answer(value)
    value.dispose()
    this.jobs()
    return this.settle()
  }

  /** As the engine does it: the answer of a promise that is settled when its jobs have run, else the guest waits for it. */
  #follow(promise: QuickJSHandle): QuickJSHandle {
    const context = this.#context
    this.jobs()
    const state = context.getPromiseState(promise)
    if (state.type === 'pending' || (state.type === 'fulfilled' && state.notAPromise)) {
      return this.#call('follow', promise)
    }
    const isRejected = state.type === 'rejected'
    return this.#call(
      'conclude',
      isRejected ? state.error : state.value,
      context.newNumber(isRejected ? 1 : 0),
    )
  }

  /** A piece of a streamed body, and the jobs after it. */
  push(piece: string | Uint8Array, isLast: boolean): Answer {
    const context = this.#context
    const args = [
      context.newArrayBuffer(new Uint8Array(Buffer.from(piece)).buffer),
      context.newNumber(isLast ? 1 : 0),
    ]
    this.#call('push', ...args).dispose()
    for (const handle of args) handle.dispose()
    this.jobs()
    return this.settle()
  }

  /** The body of a streamed answer, up to its end; timers are due whenever nothing else happens. */
  sendAll(): string {
    while (this.sentEnd === undefined) {
      const room = this.#context.newNumber(PIECE_BYTES)
      this.#call('flow', room).dispose()
      room.dispose()
      this.jobs()
      if (this.sentEnd === undefined && this.timers.size === 0) throw new Error('the stream can never go on')
      this.fireAll()
    }
    return Buffer.concat(this.sent).toString()
  }

  /** The answer that a job has stored. */
  settle(): Answer {
    if (this.word(WORD.STATE) === STATE.PENDING) {
      return { state: STATE.PENDING, status: 0, head: '', body: '', bytes: undefined }
    }
    return this.#answer(this.#call('take'))
  }

  #answer(value: QuickJSHandle): Answer {
    const context = this.#context
    const state = this.word(WORD.STATE)
    const kind = this.word(WORD.HEAD_KIND)
    const status = this.word(WORD.STATUS)
    let head: string = CONTENT_TYPES[kind] ?? ''
    let body = ''
    let bytes: Uint8Array | undefined
    if (state === STATE.TEXT || state === STATE.FAILED) {
      body = context.getString(value)
      if (state === STATE.TEXT && kind === HEAD_KIND.CUSTOM) {
        const all = Buffer.from(body)
        head = all.subarray(0, this.word(WORD.HEAD_BYTES)).toString()
        body = all.subarray(this.word(WORD.HEAD_BYTES)).toString()
      }
    } else {
      if (kind === HEAD_KIND.CUSTOM) {
        const handle = this.#call('takeHead')
        head = context.getString(handle)
        handle.dispose()
      }
      if (state === STATE.BYTES) {
        const buffer = context.getArrayBuffer(value)
        bytes = Uint8Array.from(buffer.value)
        buffer.dispose()
      }
    }
    value.dispose()
    return { state, status, head, body, bytes }
  }

  #call(name: string, ...args: QuickJSHandle[]): QuickJSHandle {
    const context = this.#context
    return context.unwrapResult(context.callFunction(this.#handles.get(name)!, context.undefined, ...args))
  }

  #dispatch(args: QuickJSHandle[]): QuickJSHandle {
    const context = this.#context
    const [op, ...rest] = args.map((handle) => this.#in(handle))
    if (op === OP.FEATURE) {
      return context.unwrapResult(context.evalCode(this.#features[rest[0] as number]!, 'feature.js'))
    }
    const result = this.#run(op as number, rest)
    if (typeof result === 'string') return context.newString(result)
    if (typeof result === 'number') return context.newNumber(result)
    return result === undefined ? context.undefined : context.newArrayBuffer(new Uint8Array(result).buffer)
  }

  #in(handle: QuickJSHandle): unknown {
    const context = this.#context
    const type = context.typeof(handle)
    if (type === 'string') return context.getString(handle)
    if (type === 'number') return context.getNumber(handle)
    if (type !== 'object') return context.dump(handle)
    const buffer = context.getArrayBuffer(handle)
    const copy = buffer.value.slice()
    buffer.dispose()
    return copy
  }

  #run(op: number, args: unknown[]): string | number | Uint8Array | undefined {
    switch (op) {
      case OP.LOG:
        this.logs.push([args[0] as number, args[1] as string])
        return undefined
      case OP.TIMER_SET:
        this.timers.set(args[0] as number, { delayMs: args[1] as number, repeat: args[2] as boolean })
        return undefined
      case OP.TIMER_CLEAR:
        this.timers.delete(args[0] as number)
        return undefined
      case OP.URL_PARSE:
        return urlParse(args[0] as WireText, args[1] as WireText | undefined)
      case OP.URL_SET:
        return urlSet(args[0] as string, args[1] as number, args[2] as WireText)
      case OP.TEXT_ENCODE:
        return textEncode(args[0] as WireText)
      case OP.TEXT_DECODE:
        return textDecode(
          args[2] === undefined
            ? (args[0] as Uint8Array)
            : (args[0] as Uint8Array).subarray(args[2] as number, (args[2] as number) + (args[3] as number)),
          (args[4] as string | undefined) ?? '',
          args[1] as number,
          args[5] as number,
        )
      case OP.RANDOM:
        return crypto.getRandomValues(new Uint8Array(args[0] as number))
      case OP.ENV:
        return this.env
      case OP.NOW:
        return args[0] === 1 ? 1_700_000_000_000 : this.now++
      case OP.BODY_PULL:
        this.pulls++
        return undefined
      case OP.BODY_DROP:
        return undefined
      case OP.SEND:
        this.sent.push(args[0] as Uint8Array)
        return PIECE_BYTES
      case OP.SEND_END:
        this.sentEnd = (args[0] as string | undefined) ?? ''
        return undefined
      case OP.SUBTLE:
        return subtle(this, args[0] as number, args.slice(1) as HostValue[])
      case OP.MULTIPART:
        return findParts(args[0] as Uint8Array, args[1] as string)
      case OP.ENCODING_NAME:
        return encodingName(args[0] as WireText)
      default:
        throw new Error(`unknown op ${op}`)
    }
  }
}

/** A request head as the actor hands it on. */
export function head(method = 'GET', target = '/', fields: Record<string, string> = {}): string {
  let text = `${method} ${target} HTTP/1.1\r\nHost: example.test\r\n`
  for (const [name, value] of Object.entries(fields)) text += `${name}: ${value}\r\n`
  return `${text}\r\n`
}

/** Runs `body` as the inside of an async handler with `request`, `env` and `ctx`; returns what it returned, by way of JSON. */
export function runInGuest(
  sandbox: Sandbox,
  body: string,
  requestHead = head(),
  content?: string | Uint8Array,
): unknown {
  sandbox.load(`exports.default = async (request, env, ctx) => {
    const value = await (async () => {${body}})()
    return Response.json({ value })
  }`)
  const answer = sandbox.invoke(requestHead, content)
  if (answer.state !== STATE.TEXT) throw new Error(`state ${answer.state}: ${answer.body}`)
  return (JSON.parse(answer.body) as { value: unknown }).value
}
