// The guest's way out: one host function, `__host(op, ...args)`, and a table of what it does.

import type { HostValue } from '../guest/host.ts'
import { OP } from '../guest/ops.ts'
import { GuestArguments, HostRefusal } from './arguments.ts'
import type { CpuMeter } from './cpu.ts'
import { evaluateRaw, GuestError } from './evaluate.ts'
import { HOST_OPS, type HostCalls, UNCOUNTED_OPS } from './host-ops.ts'
import type { Failure } from './limits.ts'
import { MemoryBuffer } from './memory-buffer.ts'
import type { EmModule, EngineFfi } from './module.ts'
import type { GuestScripts } from './scripts.ts'
import { Utf8 } from './utf8.ts'

export class HostBorder {
  readonly #em: EmModule
  readonly #ffi: EngineFfi
  readonly #scripts: GuestScripts
  readonly #arguments: GuestArguments
  #cpu: CpuMeter
  #host: HostCalls | undefined
  readonly #memory: MemoryBuffer
  readonly #utf8: Utf8

  constructor(em: EmModule, ffi: EngineFfi, scripts: GuestScripts, cpu: CpuMeter) {
    this.#cpu = cpu
    this.#em = em
    this.#ffi = ffi
    this.#scripts = scripts
    this.#memory = new MemoryBuffer(em)
    this.#arguments = new GuestArguments(em, ffi, this.#memory)
    this.#utf8 = new Utf8(em, ffi, this.#memory)
  }

  /** What the guest asks for from here on is asked of `host`, and counted by `cpu`. */
  attend(host: HostCalls, cpu: CpuMeter): void {
    this.#host = host
    this.#cpu = cpu
  }

  /** Whether the request is to stop. */
  get isCancelled(): boolean {
    return this.#host?.isCancelled === true
  }

  /**
   * What the request has used up: its host calls, its requests to other servers, or its processor time. A call may take as long as
   * thousands of the engine's steps, and the engine polls by those: in a loop of such calls it would look far too late.
   */
  get failure(): Failure {
    if (this.#cpu.callsLeft < 0) return 'host-calls'
    if (this.#host?.isOverSubrequests === true) return 'subrequests'
    return this.#cpu.isOver ? 'cpu' : null
  }

  /** See {@link HostCalls.unhandled}. */
  unhandled(failure: string, more: number): void {
    this.#host?.unhandled(failure, more)
  }

  /** Returns an owned value, or 0 for undefined. */
  call(ctx: number, argc: number, argv: number): number {
    const host = this.#host
    const cpu = this.#cpu
    cpu.poll()
    if (--cpu.callsLeft < 0 || host === undefined) return 0
    const args = this.#arguments.at(ctx, argc, argv)
    const op = args.number(0)
    if (UNCOUNTED_OPS.has(op)) cpu.callsLeft++
    if (op === OP.FEATURE) return this.#feature(ctx, args.number(1))
    const run = HOST_OPS[op]
    if (run === undefined) return 0
    try {
      return this.#utf8Value(ctx, op, args) ?? this.#value(ctx, run(args, host))
    } catch (error) {
      if (error instanceof HostRefusal) return this.#throw(ctx, error.message)
      throw error
    }
  }

  /** Evaluates a feature's script in the middle of whatever runs; its value, or the exception that it ended with. */
  #feature(ctx: number, index: number): number {
    const script = this.#scripts.feature(index)
    if (script === undefined) return this.#throw(ctx, 'there is no such feature')
    try {
      return evaluateRaw(this.#em, this.#ffi, ctx, script, `ringlet:feature-${index}`)
    } catch (error) {
      if (error instanceof GuestError) return this.#throw(ctx, error.message)
      throw error
    }
  }

  #utf8Value(ctx: number, op: number, args: GuestArguments): number | undefined {
    if (op === OP.TEXT_DECODE) return this.#utf8.decode(ctx, args)
    return op === OP.TEXT_ENCODE ? this.#utf8.encode(ctx, args) : undefined
  }

  #value(ctx: number, value: HostValue): number {
    switch (typeof value) {
      case 'undefined':
        return 0
      case 'number':
        return this.#ffi.QTS_NewFloat64(ctx, value)
      case 'string':
        return this.#newText(ctx, value)
      default:
        return this.#newBytes(ctx, value)
    }
  }

  #newText(ctx: number, text: string): number {
    const length = Buffer.byteLength(text)
    const pointer = this.#em._malloc(length + 1)
    if (pointer === 0) return this.#throw(ctx, 'out of memory')
    const memory = this.#memory.get()
    // What is no longer in UTF-8 is ASCII.
    memory.write(text, pointer, length === text.length ? 'latin1' : 'utf8')
    memory[pointer + length] = 0
    this.#em.cards?.mark(pointer, length + 1)
    const value = this.#ffi.QTS_NewString(ctx, pointer)
    this.#em._free(pointer)
    return value
  }

  #newBytes(ctx: number, bytes: Uint8Array): number {
    const pointer = this.#em._malloc(Math.max(1, bytes.length))
    if (pointer === 0) return this.#throw(ctx, 'out of memory')
    this.#em.HEAPU8.set(bytes, pointer)
    this.#em.cards?.mark(pointer, bytes.length)
    return this.#ffi.QTS_NewArrayBuffer(ctx, pointer, bytes.length)
  }

  /** Throws an Error with this message in the guest. */
  #throw(ctx: number, message: string): number {
    const error = this.#ffi.QTS_NewError(ctx)
    const text = this.#newPlain(ctx, message)
    const name = this.#newPlain(ctx, 'message')
    if (text !== 0 && name !== 0) this.#ffi.QTS_SetProp(ctx, error, name, text)
    if (text !== 0) this.#ffi.QTS_FreeValuePointer(ctx, text)
    if (name !== 0) this.#ffi.QTS_FreeValuePointer(ctx, name)
    const thrown = this.#ffi.QTS_Throw(ctx, error)
    this.#ffi.QTS_FreeValuePointer(ctx, error)
    return thrown
  }

  /** Like {@link #newText}, but 0 without memory: for the making of errors. */
  #newPlain(ctx: number, text: string): number {
    const pointer = this.#em._malloc(text.length + 1)
    if (pointer === 0) return 0
    this.#em.HEAPU8.set(Buffer.from(text, 'latin1'), pointer)
    this.#em.HEAPU8[pointer + text.length] = 0
    this.#em.cards?.mark(pointer, text.length + 1)
    const value = this.#ffi.QTS_NewString(ctx, pointer)
    this.#em._free(pointer)
    return value
  }
}
