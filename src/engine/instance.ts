// One QuickJS instance: a linear memory, the functions over it, and what may be running in it.
//
// The hot path speaks to the C interface with plain numbers and copies bytes; it makes no JavaScript string and no object
// for a request. Whoever holds an instance drives it by: load → invoke → (fire | push | complete)* → answer → settle, after the
// head of a streamed answer (flow | fire | push | complete)* as well, and reads `failure` after each step. A condemned instance is dropped, never disposed: freeing a runtime that failed or
// came out of an image aborts (quickjs-emscripten issues 257 and 269).

import type { HostValue } from '../guest/host.ts'
import { HEAD_KIND, STATE, WORD } from '../guest/ops.ts'
import { HostBorder } from './border.ts'
import { CpuMeter } from './cpu.ts'
import { GuestError, readCString } from './evaluate.ts'
import { guestStack, isStackOverflow } from './exceptions.ts'
import { GC_OFF, GuestHeap, GuestMemoryError } from './heap.ts'
import type { HostCalls } from './host-ops.ts'
import type { Image } from './image.ts'
import type { EngineLayout } from './layout.ts'
import type { Failure, InstanceLimits } from './limits.ts'
import { InstanceMemory } from './memory.ts'
import {
  type EmModule,
  type EngineCode,
  type EngineFfi,
  INITIAL_PAGES,
  type OpenedModule,
  openModule,
} from './module.ts'
import { followPromise } from './promises.ts'
import type { GuestScripts } from './scripts.ts'

/** Jobs between two looks at the clock: bellard's build swallows interrupts inside of promise jobs. */
const JOBS_PER_STEP = 64
/** Of a call between steps, those that are undefined included. */
const ARGUMENTS = 3

export class Instance {
  readonly #em: EmModule
  readonly #ffi: EngineFfi
  readonly #heap: GuestHeap
  readonly #border: HostBorder
  readonly memory: InstanceMemory
  #image: Image | undefined
  #limits: InstanceLimits = { cpuMs: 0, hostCalls: 0, gcHardBytes: 0 }
  /** What the request has used; what it uses elsewhere is charged to it. */
  readonly cpu = new CpuMeter()
  #failure: Failure = null
  #engineSaid = ''
  #failureStack = ''
  /** The guest is being asked where it is: it is not to be interrupted in that. */
  #isAsking = false
  #peakHeapBytes = 0
  #hardCollected = false
  /** The answer of this request has been taken: what the io words say is old from then on. */
  #answered = false

  /** The answer's words and places, valid from a step that ended with an answer until {@link settle}. */
  state: number = STATE.PENDING
  status = 0
  headKind = 0
  /** [start, end) of the guest's own field block, in {@link bytes}. */
  headStart = 0
  headEnd = 0
  /** [start, end) of the body, in {@link bytes}. */
  bodyStart = 0
  bodyEnd = 0
  #answerValue = 0
  #answerText = 0
  #answerCopy = 0
  #headValue = 0
  #headText = 0

  private constructor(
    opened: OpenedModule,
    scripts: GuestScripts,
    layout: EngineLayout,
    maximumPages: number,
  ) {
    this.#em = opened.em
    this.#ffi = opened.ffi
    this.#heap = new GuestHeap(opened.em, opened.ffi, layout)
    this.memory = new InstanceMemory(opened.em, this.#heap, maximumPages)
    this.#border = new HostBorder(opened.em, opened.ffi, scripts, this.cpu)
    opened.em.callbacks = {
      callFunction: (_asyncify, ctx, _self, argc, argv) => this.#callHost(ctx, argc, argv),
      shouldInterrupt: () => this.#shouldInterrupt(),
      freeHostRef: () => {},
      loadModuleSource: () => 0,
      normalizeModule: () => 0,
    }
  }

  /** Makes a blank instance, with room for an image of `initialPages`: about 1.5 ms, most of it the first touch of its memory. */
  static async open(
    code: EngineCode,
    layout: EngineLayout,
    maximumPages: number,
    initialPages: number = INITIAL_PAGES,
    hasBarrier = false,
  ): Promise<Instance> {
    let self: Instance | undefined
    const print = (line: string) => void (self && (self.#engineSaid = line))
    const gate = (bytes: number) => self === undefined || self.memory.grows(bytes)
    const opened = await openModule(code, initialPages, maximumPages, print, gate, hasBarrier)
    self = new Instance(opened, code.scripts, layout, maximumPages)
    return self
  }

  /** The guest's memory. Taken anew at each use: it moves when it grows. */
  get bytes(): Uint8Array {
    return this.#em.HEAPU8
  }

  get failure(): Failure {
    return this.#failure
  }

  /** What the engine printed before it gave up, for the log. */
  get engineSaid(): string {
    return this.#engineSaid
  }

  /** Where the guest was when a limit ended it, as its engine tells: lines of a stack, or ''. */
  get failureStack(): string {
    return this.#failureStack
  }

  /** The most heap beyond the image's own that was seen in use during this request. */
  get peakHeapBytes(): number {
    return Math.max(this.#peakHeapBytes, this.heapBytes)
  }

  get cpuUsedMs(): number {
    return this.cpu.usedMs
  }

  /** Promises handed to `ctx.waitUntil` that are not settled. */
  get waiting(): number {
    return this.#word(WORD.WAITING)
  }

  /** Heap in use beyond the image's own: what requests have left. */
  get heapBytes(): number {
    return this.memory.heapBytes
  }

  /** Whether the memory is as good as full: a `null` thrown then was an allocation that failed. */
  get isNearlyFull(): boolean {
    return this.memory.isNearlyFull
  }

  /** Puts the image in, over whatever was there. Everything that ran here before is gone. */
  load(image: Image, limits: InstanceLimits): void {
    this.memory.load(image, limits.memoryBytes)
    this.#image = image
    this.#limits = limits
    this.#failure = null
    this.#hardCollected = false
    this.#engineSaid = ''
    this.#forgetAnswer()
    this.#heap.reseed(image.pointers.ctx)
  }

  /** Starts a request: its CPU and host-call budgets begin here. */
  begin(host: HostCalls): void {
    this.memory.used()
    this.cpu.begin(this.#limits.cpuMs)
    this.#failureStack = ''
    this.#peakHeapBytes = 0
    this.#forgetAnswer()
    if (this.#hardCollected) this.#heap.setGcThreshold(this.#image!.pointers.rt, GC_OFF)
    this.#hardCollected = false
    this.#answered = false
    this.#border.begin(host, this.#limits.hostCalls)
  }

  /**
   * Calls the handler with a request head (bytes of Latin-1 text) and a body: text (UTF-8 without NUL), bytes, or none.
   * The caller's arrays are read before it returns. Then `state` says whether there is an answer.
   */
  invoke(
    head: Uint8Array,
    headFrom: number,
    headTo: number,
    body: Uint8Array | null,
    bodyFrom: number,
    bodyTo: number,
    bodyIsText: boolean,
    flags: number,
  ): void {
    const { pointers } = this.#image!
    const { ctx } = pointers
    const ffi = this.#ffi
    this.cpu.enter()
    try {
      const headValue = this.#heap.latin1(pointers, head.subarray(headFrom, headTo))
      let bodyValue = 0
      if (body !== null) {
        const part = body.subarray(bodyFrom, bodyTo)
        bodyValue = bodyIsText ? this.#heap.text(pointers, part) : this.#heap.arrayBuffer(pointers, part)
      }
      const argv = pointers.scratch >> 2
      const words = this.#heap.words()
      words[argv] = headValue
      words[argv + 1] = bodyValue === 0 ? pointers.undefined : bodyValue
      words[argv + 2] = pointers.flags[flags]!
      const value = ffi.QTS_Call(ctx, pointers.invoke, pointers.undefined, 3, pointers.scratch)
      ffi.QTS_FreeValuePointer(ctx, headValue)
      if (bodyValue !== 0) ffi.QTS_FreeValuePointer(ctx, bodyValue)
      this.#afterCall(value, true)
    } catch (error) {
      this.#condemn(error)
    }
    this.#leave()
  }

  /** Runs the callback of a guest timer. */
  fire(timerId: number): void {
    this.#tell('fire', timerId)
  }

  /** Hands a piece of the request's body to the guest; it is copied before the guest runs. */
  push(bytes: Uint8Array, from: number, to: number, isLast: boolean): void {
    this.#tell('push', bytes.subarray(from, to), isLast ? 1 : 0)
  }

  /** Tells the guest the end of an OP.CALL: its result, or why there is none (`name\nmessage`, plain). */
  complete(id: number, outcome: number, value: HostValue): void {
    this.#tell('complete', id, outcome, value)
  }

  /** Lets a streamed answer go on: by pieces of at most so many bytes. */
  flow(bytes: number): void {
    this.#tell('flow', bytes)
  }

  /** Tells the guest that nobody wants its answer's body, or (`hasGone`) anything of its request any more. */
  leave(hasGone: boolean): void {
    this.#tell('leave', hasGone ? 1 : 0)
  }

  /** The request's budget of processor time begins anew. */
  renewCpu(): void {
    this.cpu.begin(this.#limits.cpuMs)
  }

  /** Frees the answer's values; its places are void from here on. */
  settle(): void {
    const { ctx } = this.#image!.pointers
    try {
      if (this.#answerText !== 0) this.#ffi.QTS_FreeCString(ctx, this.#answerText)
      if (this.#answerCopy !== 0) this.#em._free(this.#answerCopy)
      if (this.#headText !== 0) this.#ffi.QTS_FreeCString(ctx, this.#headText)
      if (this.#answerValue !== 0) this.#ffi.QTS_FreeValuePointer(ctx, this.#answerValue)
      if (this.#headValue !== 0) this.#ffi.QTS_FreeValuePointer(ctx, this.#headValue)
    } catch (error) {
      this.#condemn(error)
    }
    this.#forgetAnswer()
  }

  /** Whether garbage is collected when we say so, and not before. */
  get controlsGc(): boolean {
    return this.#heap.controlsGc
  }

  /** Collects garbage now, if that {@link controlsGc can be said}: 0.02 ms on a small heap, 10 ms for 100,000 dead objects. */
  collect(): void {
    if (!this.controlsGc) return
    const { ctx, rt } = this.#image!.pointers
    try {
      // The next allocation of an object finds the count above the threshold, and collects first.
      this.#heap.setGcThreshold(rt, 0)
      this.#ffi.QTS_FreeValuePointer(ctx, this.#ffi.QTS_NewObject(ctx))
      this.#heap.setGcThreshold(rt, GC_OFF)
    } catch (error) {
      this.#condemn(error)
    }
  }

  /** Runs a step of an image's making (top-level code), outside of any request. Throws {@link GuestError}. */
  initialise(limits: InstanceLimits, host: HostCalls, step: (em: EmModule, ffi: EngineFfi) => void): void {
    this.#limits = limits
    this.begin(host)
    this.cpu.enter()
    try {
      step(this.#em, this.#ffi)
    } catch (error) {
      if (this.#failure !== null) throw new GuestError('InternalError', `${this.#failure} limit`, '')
      throw error
    } finally {
      this.#leave()
    }
  }

  /** Runs the jobs that top-level code left; inside {@link initialise}. Throws {@link GuestError} when a limit ends them. */
  runTopLevelJobs(): void {
    this.#runJobs()
    if (this.#failure !== null) throw new GuestError('InternalError', `${this.#failure} limit`, '')
  }

  /** Calls the guest between two of its own steps, and runs the jobs that this leaves. The values are copied. */
  #tell(
    what: 'fire' | 'push' | 'complete' | 'flow' | 'leave',
    a: HostValue,
    b?: HostValue,
    c?: HostValue,
  ): void {
    const { pointers } = this.#image!
    const { ctx, scratch, undefined: none } = pointers
    const heap = this.#heap
    this.cpu.enter()
    try {
      const first = heap.value(pointers, a)
      const second = heap.value(pointers, b)
      const third = heap.value(pointers, c)
      const argv = scratch >> 2
      const words = heap.words()
      words[argv] = first || none
      words[argv + 1] = second || none
      words[argv + 2] = third || none
      const value = this.#ffi.QTS_Call(ctx, pointers[what], none, ARGUMENTS, scratch)
      if (first !== 0) this.#ffi.QTS_FreeValuePointer(ctx, first)
      if (second !== 0) this.#ffi.QTS_FreeValuePointer(ctx, second)
      if (third !== 0) this.#ffi.QTS_FreeValuePointer(ctx, third)
      this.#afterCall(value, false)
    } catch (error) {
      this.#condemn(error)
    }
    this.#leave()
  }

  #leave(): void {
    this.cpu.leave()
    // Work in native code may pass the limit without one poll.
    if (this.cpu.isOver) this.#fail('cpu')
  }

  #word(index: number): number {
    return this.#heap.words()[(this.#image!.pointers.io >> 2) + index]!
  }

  #callHost(ctx: number, argc: number, argv: number): number {
    const result = this.#failure === null ? this.#border.call(ctx, argc, argv) : 0 // past a limit: nothing
    if (this.#border.failure !== null) this.#fail(this.#border.failure)
    return result
  }

  /** The engine polls this every 25 to 40 µs of guest code. */
  #shouldInterrupt(): 0 | 1 {
    if (this.#isAsking) return 0
    if (this.#failure === 'cpu' && this.#failureStack === '') this.#failureStack = this.#whereItIs()
    if (this.#failure !== null) return 1
    this.cpu.poll()
    if (this.cpu.isOver || this.#border.isCancelled) {
      this.#fail(this.cpu.isOver ? 'cpu' : 'cancelled')
      this.#failureStack = this.#whereItIs()
      return 1
    }
    const heapBytes = this.#image ? this.heapBytes : 0
    if (heapBytes > this.#peakHeapBytes) this.#peakHeapBytes = heapBytes
    if (!this.#hardCollected && this.#image && heapBytes > this.#limits.gcHardBytes) {
      // Above the hard watermark the engine's own policy takes over for the rest of this request.
      this.#hardCollected = true
      this.#heap.setGcThreshold(this.#image.pointers.rt, 0)
    }
    return 0
  }

  /** Where the guest is now, asked of itself within a poll. */
  #whereItIs(): string {
    this.#isAsking = true
    try {
      return guestStack(this.#em, this.#ffi, this.#image!.pointers)
    } finally {
      this.#isAsking = false
    }
  }

  #fail(failure: Failure): void {
    if (this.#failure === null) this.#failure = failure
  }

  #condemn(error: unknown): void {
    if (this.#engineSaid === '') this.#engineSaid = String((error as Error)?.message ?? error)
    // After a trap nothing in here can be trusted, whatever had been noticed before.
    if (error instanceof GuestMemoryError) this.#fail('memory')
    else this.#failure = 'engine'
    this.#forgetAnswer()
  }

  #forgetAnswer(): void {
    this.#answerText = this.#answerCopy = this.#answerValue = this.#headText = this.#headValue = 0
    this.state = STATE.PENDING
    this.headStart = this.headEnd = this.bodyStart = this.bodyEnd = 0
  }

  /** After a call into the guest: run its jobs, then look whether there is an answer. */
  #afterCall(value: number, isInvoke: boolean): void {
    const { ctx, take, undefined: none, scratch } = this.#image!.pointers
    let answer = value
    if (isInvoke && this.#failure === null && this.#word(WORD.STATE) === STATE.PROMISE) {
      answer = followPromise(this.#ffi, this.#heap, this.#image!.pointers, value, this.#runJobs)
    }
    if (isInvoke && this.#failure === null && this.#word(WORD.STATE) !== STATE.PENDING) this.#take(answer)
    else this.#dropResult(ctx, answer)
    this.#runJobs()
    if (this.#failure === null && !this.#answered && this.#word(WORD.STATE) !== STATE.PENDING) {
      this.#take(this.#ffi.QTS_Call(ctx, take, none, 0, scratch))
    }
  }

  /** Runs the jobs; whether the request goes on after them. */
  readonly #runJobs = (): boolean => {
    const { rt, ctx, scratch } = this.#image!.pointers
    const ffi = this.#ffi
    while (this.#failure === null && ffi.QTS_IsJobPending(rt) !== 0) {
      const value = ffi.QTS_ExecutePendingJob(rt, JOBS_PER_STEP, scratch)
      // A count, or what a job threw: the promises' own failures are values, so that is the engine's.
      if (this.#failure === null && !(ffi.QTS_GetFloat64(ctx, value) >= 1)) this.#failBy(ctx, value)
      ffi.QTS_FreeValuePointer(ctx, value)
      if (this.cpu.isOver) this.#fail('cpu')
    }
    return this.#failure === null
  }

  /** Frees a result; an exception that gets here is the engine's (interrupt, out of memory): the glue catches all others. */
  #dropResult(ctx: number, value: number): void {
    const error = this.#ffi.QTS_ResolveException(ctx, value)
    if (error === 0) {
      this.#ffi.QTS_FreeValuePointer(ctx, value)
      return
    }
    if (this.#failure === null) this.#failBy(ctx, error)
    this.#ffi.QTS_FreeValuePointer(ctx, error)
  }

  #failBy(ctx: number, error: number): void {
    this.#fail(isStackOverflow(this.#em, this.#ffi, ctx, error) ? 'stack' : 'memory')
  }

  #take(value: number): void {
    const { ctx, io, takeHead, undefined: none, scratch } = this.#image!.pointers
    const ffi = this.#ffi
    const words = this.#heap.words()
    const at = io >> 2
    const state = words[at + WORD.STATE]!
    this.status = words[at + WORD.STATUS]!
    this.headKind = words[at + WORD.HEAD_KIND]!
    const headBytes = words[at + WORD.HEAD_BYTES]!
    this.#answered = true
    this.#answerValue = value
    if (state === STATE.TEXT || state === STATE.FAILED) {
      this.#answerText = ffi.QTS_GetString(ctx, value)
      if (this.#answerText === 0) {
        this.#dropAnswer()
        return
      }
      const end = this.#heap.stringEnd(this.#answerText)
      // The guest's own number is not to be trusted: a block never reaches past the text.
      const head = this.headKind === HEAD_KIND.CUSTOM && state === STATE.TEXT ? Math.max(0, headBytes) : 0
      this.headStart = this.#answerText
      this.headEnd = this.bodyStart = Math.min(end, this.#answerText + head)
      this.bodyEnd = end
    } else {
      if (state === STATE.BYTES) {
        this.#answerCopy = ffi.QTS_GetArrayBuffer(ctx, value)
        if (this.#answerCopy === 0) {
          this.#dropAnswer()
          return
        }
        this.bodyStart = this.#answerCopy
        this.bodyEnd = this.bodyStart + ffi.QTS_GetArrayBufferLength(ctx, value)
      }
      if (this.headKind === HEAD_KIND.CUSTOM) {
        this.#headValue = ffi.QTS_Call(ctx, takeHead, none, 0, scratch)
        this.#headText = ffi.QTS_GetString(ctx, this.#headValue)
        if (this.#headText === 0) {
          this.#dropAnswer()
          return
        }
        this.headStart = this.#headText
        this.headEnd = this.#heap.stringEnd(this.#headText)
      }
    }
    if (this.#failure === null) this.state = state
  }

  /** An answer that cannot be read: the guest's memory is out. */
  #dropAnswer(): void {
    this.#fail('memory')
    this.#forgetAnswer()
  }

  /** The text of a failed answer (`name\nmessage\nstack`), for the log. */
  failureText(): string {
    return readCString(this.#em, this.bodyStart)
  }
}
