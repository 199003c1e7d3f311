// One QuickJS instance: a linear memory, the functions over it, and what may be running in it.
//
// The hot path speaks to the C interface with plain numbers and copies bytes; it makes no JavaScript string and no object
// for a request. Whoever holds an instance drives it by: load → invoke → (fire | push | complete)* → answer → settle, after the
// head of a streamed answer (flow | fire | push | complete)* as well, and reads `failure` after each step. A condemned instance is dropped, never disposed: freeing a runtime that failed or
// came out of an image aborts (quickjs-emscripten issues 257 and 269).

import type { HostValue } from '../guest/host.ts'
import { STATE, WORD } from '../guest/ops.ts'
import { READY_WORD, WAITED_STATE } from '../guest/seat-ops.ts'
import { GuestAnswer } from './answer.ts'
import { HostBorder } from './border.ts'
import { CpuMeter } from './cpu.ts'
import { GuestError } from './evaluate.ts'
import { guestStack, isStackOverflow } from './exceptions.ts'
import { GC_OFF, GuestHeap, GuestMemoryError } from './heap.ts'
import type { HostCalls } from './host-ops.ts'
import type { Image } from './image.ts'
import type { EngineLayout } from './layout.ts'
import type { Failure, InstanceLimits } from './limits.ts'
import { InstanceMemory } from './memory.ts'
import type { EmModule, EngineCode, EngineFfi, OpenedModule } from './module.ts'
import { INITIAL_PAGES, openModule } from './module.ts'
import { followPromise } from './promises.ts'
import { Rejections } from './rejections.ts'
import type { GuestScripts } from './scripts.ts'

/** Jobs between two looks at the clock: bellard's build swallows interrupts inside of promise jobs. */
const JOBS_PER_STEP = 64
/** Of a call between steps, those that are undefined included. */
const ARGUMENTS = 3
/** Of `invoke`, where there is no seat. */
const INVOKE_ARGUMENTS = 3

export class Instance extends GuestAnswer {
  readonly #em: EmModule
  readonly #ffi: EngineFfi
  readonly #heap: GuestHeap
  readonly #border: HostBorder
  readonly #rejections: Rejections
  readonly memory: InstanceMemory
  #image: Image | undefined
  #limits: InstanceLimits = { cpuMs: 0, hostCalls: 0, gcHardBytes: 0 }
  /** Where whoever begins brings none. */
  readonly #ownCpu = new CpuMeter()
  /** What the request has used whose step it is; what it uses elsewhere is charged to it. */
  cpu: CpuMeter = this.#ownCpu
  /** Requests are served side by side: answers that come in jobs are taken by {@link next}. */
  #isShared = false
  #failure: Failure = null
  #engineSaid = ''
  #failureStack = ''
  /** The guest is being asked where it is: it is not to be interrupted in that. */
  #isAsking = false
  #peakHeapBytes = 0
  #hardCollected = false
  /** The answer of this request has been taken: what the io words say is old from then on. */
  #answered = false

  private constructor(
    opened: OpenedModule,
    scripts: GuestScripts,
    layout: EngineLayout,
    maximumPages: number,
  ) {
    const heap = new GuestHeap(opened.em, opened.ffi, layout)
    super(opened.em, opened.ffi, heap)
    this.#em = opened.em
    this.#ffi = opened.ffi
    this.#heap = heap
    this.memory = new InstanceMemory(opened.em, this.#heap, maximumPages)
    this.#border = new HostBorder(opened.em, opened.ffi, scripts, this.cpu)
    this.#rejections = new Rejections(opened.em, opened.ffi, heap, this.#border)
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
    const print = (line: string) => {
      if (self) self.#engineSaid = line
    }
    const gate = (bytes: number) => self === undefined || self.memory.grows(bytes)
    const opened = await openModule(code, initialPages, maximumPages, print, gate, hasBarrier)
    self = new Instance(opened, code.scripts, layout, maximumPages)
    return self
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

  /** How far the heap reached beyond the image's own since that was loaded: what filled a memory is gone when its failure is told. */
  get reachedHeapBytes(): number {
    return this.memory.reachedHeapBytes
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
    this.forgetAnswer()
    this.#heap.reseed(image.pointers.ctx)
  }

  /** Starts a request that has the instance for itself: its CPU and host-call budgets begin here. */
  begin(host: HostCalls, cpu = this.#ownCpu): void {
    this.#isShared = false
    this.#beginAlone()
    this.#beginWith(host, cpu)
  }

  /** Starts a request beside others (`isAlone`: there is none now); its budgets, in a meter of its own, begin here. */
  join(host: HostCalls, cpu: CpuMeter, isAlone: boolean): void {
    this.#isShared = true
    if (isAlone) this.#beginAlone()
    else this.forgetAnswer()
    this.#beginWith(host, cpu)
  }

  #beginWith(host: HostCalls, cpu: CpuMeter): void {
    cpu.begin(this.#limits.cpuMs)
    cpu.callsLeft = this.#limits.hostCalls
    this.attend(host, cpu)
  }

  /** The steps from here on are this request's. */
  attend(host: HostCalls, cpu: CpuMeter): void {
    this.cpu = cpu
    this.#border.attend(host, cpu)
  }

  #beginAlone(): void {
    this.memory.used()
    this.#failureStack = ''
    this.#peakHeapBytes = 0
    this.forgetAnswer()
    if (this.#hardCollected) this.#heap.setGcThreshold(this.#image!.pointers.rt, GC_OFF)
    this.#hardCollected = false
    this.#answered = false
  }

  /**
   * Calls the handler with a request head (bytes of Latin-1 text) and a body: text (UTF-8 without NUL), bytes, or none.
   * The caller's arrays are read before it returns. Then `state` says whether there is an answer. `seat`: the request's number
   * among those that are served side by side, from 1; 0 for one that has the instance for itself.
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
    seat = 0,
    isAlone = true,
  ): void {
    const { pointers } = this.#image!
    const { ctx } = pointers
    const ffi = this.#ffi
    this.cpu.enter()
    try {
      const headValue = this.#heap.latin1(pointers, head.subarray(headFrom, headTo))
      const seatValue = seat === 0 ? 0 : this.#heap.value(pointers, seat)
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
      words[argv + 3] = seatValue
      words[argv + 4] = pointers.flags[isAlone ? 1 : 0]!
      const count = seat === 0 ? INVOKE_ARGUMENTS : INVOKE_ARGUMENTS + 2
      const value = ffi.QTS_Call(ctx, pointers.invoke, pointers.undefined, count, pointers.scratch)
      ffi.QTS_FreeValuePointer(ctx, headValue)
      if (seatValue !== 0) ffi.QTS_FreeValuePointer(ctx, seatValue)
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
  push(bytes: Uint8Array, from: number, to: number, isLast: boolean, seat = 0): void {
    this.#tell('push', bytes.subarray(from, to), isLast ? 1 : 0, seat || undefined)
  }

  /** Tells the guest the end of an OP.CALL: its result, or why there is none (`name\nmessage`, plain). */
  complete(id: number, outcome: number, value: HostValue): void {
    this.#tell('complete', id, outcome, value)
  }

  /** Lets a streamed answer go on: by pieces of at most so many bytes. */
  flow(bytes: number, seat = 0): void {
    this.#tell('flow', bytes, seat || undefined)
  }

  /** Tells the guest that nobody wants its answer's body, or (`hasGone`) anything of its request any more. */
  leave(hasGone: boolean, seat = 0): void {
    this.#tell('leave', hasGone ? 1 : 0, seat || undefined)
  }

  /** Of requests that are served side by side, one for which {@link next} has something; 0 for none. */
  get readySeat(): number {
    return this.#failure === null ? this.#word(READY_WORD) : 0
  }

  /**
   * Takes what has come for the {@link readySeat}, in a step of that request, and says what it is: an answer, as by `state`;
   * WAITED_STATE for news of its `waitUntil`; PENDING when there is nothing after all.
   */
  next(): number {
    const { ctx, take, undefined: none, scratch } = this.#image!.pointers
    this.forgetAnswer()
    let state: number = STATE.PENDING
    this.cpu.enter()
    try {
      const value = this.#ffi.QTS_Call(ctx, take, none, 0, scratch)
      if (this.#failure === null) state = this.#word(WORD.STATE)
      if (state === STATE.PENDING || state === WAITED_STATE) this.#dropResult(ctx, value)
      else this.#take(value)
      this.#runJobsAndTell()
    } catch (error) {
      this.#condemn(error)
    }
    this.#leave()
    return state
  }

  /** The request's budget of processor time begins anew. */
  renewCpu(): void {
    this.cpu.begin(this.#limits.cpuMs)
  }

  /** Frees the answer's values; its places are void from here on. */
  settle(): void {
    try {
      this.freeAnswer(this.#image!.pointers)
    } catch (error) {
      this.#condemn(error)
    }
    this.forgetAnswer()
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
      this.#hardCollected = false
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
      if (this.#failure !== null)
        throw new GuestError('InternalError', `${this.#failure} limit`, this.#failureStack)
      throw error
    } finally {
      this.#leave()
    }
  }

  /** Runs the jobs that top-level code left; inside {@link initialise}, which tells the limit of the {@link GuestError} that ends them. */
  runTopLevelJobs(): void {
    this.#runJobsAndTell()
    if (this.#failure !== null) throw new GuestError('InternalError', 'limit', '')
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
    this.forgetAnswer()
  }

  /** After a call into the guest: run its jobs, then look whether there is an answer. */
  #afterCall(value: number, isInvoke: boolean): void {
    const { pointers } = this.#image!
    const { ctx, take, undefined: none, scratch } = pointers
    let answer = value
    if (isInvoke && this.#failure === null && this.#word(WORD.STATE) === STATE.PROMISE) {
      answer = followPromise(this.#ffi, this.#heap, pointers, value, this.#rejections, this.#runJobs)
    }
    if (isInvoke && this.#failure === null && this.#word(WORD.STATE) !== STATE.PENDING) this.#take(answer)
    else this.#dropResult(ctx, answer)
    this.#runJobsAndTell()
    if (this.#isShared) return
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

  /** Then tells of promises that were rejected and that nobody handles. */
  #runJobsAndTell(): void {
    const { pointers } = this.#image!
    const error = this.#runJobs() ? this.#rejections.tell(pointers, this.#runJobs) : 0
    if (error !== 0) this.#failBy(pointers.ctx, error)
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
    this.#answered = true
    if (!this.takeAnswer(this.#image!.pointers, value)) this.#fail('memory')
    else if (this.#failure !== null) this.state = STATE.PENDING
  }
}
