// Building images: the guest API is evaluated once and captured as the base image; a function is loaded over the base, its
// top-level code run under the limits of its configuration, and captured in turn.

import { RingletError } from '../errors.ts'
import { IO_BYTES, OP } from '../guest/ops.ts'
import { ALL_INTRINSICS, evaluate, getProperty, setProperty, throwIfException } from './evaluate.ts'
import { GC_OFF, SCRATCH_BYTES } from './heap.ts'
import type { HostCalls } from './host-ops.ts'
import { captureBase, captureDelta, type Image, type ImagePointers } from './image.ts'
import { Instance } from './instance.ts'
import { type EngineLayout, onlyOne } from './layout.ts'
import type { InstanceLimits } from './limits.ts'
import {
  type EmModule,
  type EngineCode,
  type EngineFfi,
  type EngineVariant,
  INITIAL_PAGES,
} from './module.ts'
import { readyToCapture, setGcThreshold, tidy } from './ready.ts'
import { BLOCK_BYTES } from './tracker.ts'

/** Global name of the guest API's exports, until a function is loaded (scripts/build.mjs). */
const GUEST_GLOBAL = '__ringlet'
/** Processor time of the guest API's own evaluation: generous, it is our own code. */
const BASE_CPU_MS = 10_000
/** Combinations of the four bits of FLAG (src/guest/ops.ts). */
const FLAGS = 16
const TOP_LEVEL_HOST_CALLS = 10_000
/** New shapes of objects that a base has room for: those of a function's top-level code and of its requests. */
const BASE_SHAPES = 64
/** And that a function's image has room for at least: those of one request. */
const FUNCTION_SHAPES = 32

/** What a thread needs to run images: plain data, the same in every thread. */
export interface EngineKit {
  readonly variant: EngineVariant
  readonly wasm: WebAssembly.Module
  /** The same with a write barrier, for functions whose runtimes are reset after each request; null when there are none. */
  readonly barrier: WebAssembly.Module | null
  readonly layout: EngineLayout
  /** The guest API's scripts: JSON as UTF-8, once for all threads. */
  readonly guest: SharedArrayBuffer
}

/** The guest API without a function, and its `load`. */
export interface BaseImage {
  readonly image: Image
  readonly load: number
  /** The set of features that are in it. */
  readonly features: number
}

/** Evaluates the guest API, with these features, in a fresh runtime, and captures it. */
export async function buildBase(kit: EngineKit, code: EngineCode, features: number): Promise<BaseImage> {
  const instance = await Instance.open(code, kit.layout, INITIAL_PAGES)
  const limits = {
    cpuMs: BASE_CPU_MS,
    hostCalls: TOP_LEVEL_HOST_CALLS,
    gcHardBytes: Number.POSITIVE_INFINITY,
  }
  let base: BaseImage | undefined
  instance.initialise(limits, silentHost, (em, ffi) => {
    const rt = ffi.QTS_NewRuntime()
    ffi.QTS_RuntimeEnableInterruptHandler(rt)
    setGcThreshold(em, kit.layout, rt, GC_OFF)
    const rejections = trackRejections(em, kit.layout, rt)
    const ctx = ffi.QTS_NewContext(rt, ALL_INTRINSICS)
    const scratch = em._malloc(SCRATCH_BYTES)
    const globals = ffi.QTS_GetGlobalObject(ctx)
    const dispatcher = ffi.QTS_NewFunction(ctx, '__host', 1, false, 0)
    setProperty(em, ffi, ctx, globals, '__host', dispatcher)
    ffi.QTS_FreeValuePointer(ctx, dispatcher)
    if (kit.layout.randomState === null) {
      ffi.QTS_FreeValuePointer(ctx, evaluate(em, ffi, ctx, HOST_RANDOM, 'ringlet:random'))
    }
    ffi.QTS_FreeValuePointer(ctx, evaluate(em, ffi, ctx, code.scripts.core, 'ringlet:guest'))
    const glue = getProperty(em, ffi, ctx, globals, GUEST_GLOBAL)
    ffi.QTS_FreeValuePointer(ctx, globals)
    const member = (name: string) => getProperty(em, ffi, ctx, glue, name)
    const pointers: ImagePointers = {
      rt,
      ctx,
      io: findIo(em, ffi, ctx),
      invoke: member('invoke'),
      conclude: member('conclude'),
      follow: member('follow'),
      take: member('take'),
      takeHead: member('takeHead'),
      fire: member('fire'),
      push: member('push'),
      complete: member('complete'),
      flow: member('flow'),
      leave: member('leave'),
      where: member('where'),
      rejected: member('rejected'),
      rejections,
      undefined: ffi.QTS_GetUndefined(),
      flags: Array.from({ length: FLAGS }, (_, value) => ffi.QTS_NewFloat64(ctx, value)),
      scratch,
    }
    const load = member('load')
    preload(em, ffi, pointers, member('preload'), features)
    ffi.QTS_FreeValuePointer(ctx, glue)
    tidy(em, ffi, kit.layout, pointers, BASE_SHAPES)
    base = { image: captureBase(readyToCapture(em, kit.layout), pointers), load, features }
  })
  return base!
}

/** Gives the runtime its tracker of rejected promises; the address of its block, 0 where nobody knows how. */
function trackRejections(em: EmModule, { rejections }: EngineLayout, rt: number): number {
  if (rejections === null) return 0
  const block = em._malloc(BLOCK_BYTES)
  em.HEAPU8.fill(0, block, block + BLOCK_BYTES)
  new Int32Array(em.HEAPU8.buffer).set([rejections.slot, block], (rt + rejections.tracker) >> 2)
  return block
}

/** Loads features into a realm of nothing but the core. `load`: the guest's function for that, which is freed. */
function preload(
  em: EmModule,
  ffi: EngineFfi,
  pointers: ImagePointers,
  load: number,
  features: number,
): void {
  const { ctx, undefined: none, scratch } = pointers
  const set = ffi.QTS_NewFloat64(ctx, features)
  new Int32Array(em.HEAPU8.buffer)[scratch >> 2] = set
  const result = ffi.QTS_Call(ctx, load, none, 1, scratch)
  for (const value of [set, load]) ffi.QTS_FreeValuePointer(ctx, value)
  ffi.QTS_FreeValuePointer(ctx, throwIfException(em, ffi, ctx, result))
}

/**
 * The address of the guest's answer words. The C interface only gives copies of an ArrayBuffer, so the guest is made to
 * write two random patterns there, one after the other, and the one place is looked for that has both: a dead copy has one. Nothing
 * can stand in for these words, so that a start without them is refused.
 */
function findIo(em: EmModule, ffi: EngineFfi, ctx: number): number {
  const fill = (bytes: Iterable<number>) =>
    ffi.QTS_FreeValuePointer(
      ctx,
      evaluate(em, ffi, ctx, `new Uint8Array(${GUEST_GLOBAL}.io).set([${[...bytes]}])`, 'ringlet:probe'),
    )
  const placesOf = (pattern: Uint8Array) => {
    fill(pattern)
    const memory = Buffer.from(em.HEAPU8.buffer)
    const places: number[] = []
    for (let at = memory.indexOf(pattern); at >= 0; at = memory.indexOf(pattern, at + 1)) places.push(at)
    return places
  }
  const randomPattern = () => crypto.getRandomValues(new Uint8Array(IO_BYTES))
  const first = placesOf(randomPattern())
  const second = placesOf(randomPattern())
  const at = onlyOne(second.filter((place) => first.includes(place)))
  if (at === null || at % 4 !== 0) {
    throw new RingletError('RINGLET_ENGINE_LAYOUT', {
      reason: 'the answer words are not in exactly one place',
    })
  }
  fill(new Uint8Array(IO_BYTES))
  return at
}

/**
 * Stands in for a Math.random that cannot be given a seed for each copy of an image. Each number is asked for when it is needed,
 * since what is kept would be part of an image.
 */
const HOST_RANDOM = `((host, random) => {
  Math.random = ({ random: () => host(${OP.MATH_RANDOM}) ?? random() }).random
})(__host, Math.random)`

interface FunctionSource {
  /** File name that stack traces of the guest show. */
  readonly filename: string
  /** Text whose value is `(exports, module, require) => void`. */
  readonly code: string
}

/**
 * Loads a function over the base image and captures it after its top-level code and the jobs that this left.
 * Throws GuestError with what the guest threw, or the limit it exceeded.
 */
export async function buildImage(
  kit: EngineKit,
  code: EngineCode,
  base: BaseImage,
  source: FunctionSource,
  stackBytes: number,
  maximumPages: number,
  initMs: number,
  host: HostCalls,
): Promise<Image> {
  const instance = await Instance.open(code, kit.layout, maximumPages, base.image.pages)
  const limits: InstanceLimits = {
    cpuMs: initMs,
    hostCalls: TOP_LEVEL_HOST_CALLS,
    gcHardBytes: Number.POSITIVE_INFINITY,
  }
  instance.load(base.image, limits)
  const { rt, ctx, undefined: none, scratch } = base.image.pointers
  let image: Image | undefined
  instance.initialise(limits, host, (em, ffi) => {
    ffi.QTS_RuntimeSetMaxStackSize(rt, stackBytes)
    const factory = evaluate(em, ffi, ctx, source.code, source.filename)
    new Int32Array(em.HEAPU8.buffer)[scratch >> 2] = factory
    const result = ffi.QTS_Call(ctx, base.load, none, 1, scratch)
    ffi.QTS_FreeValuePointer(ctx, factory)
    ffi.QTS_FreeValuePointer(ctx, throwIfException(em, ffi, ctx, result))
    instance.runTopLevelJobs()
    tidy(em, ffi, kit.layout, base.image.pointers, FUNCTION_SHAPES)
    // A collection may leave jobs: of a FinalizationRegistry.
    instance.runTopLevelJobs()
    image = captureDelta(readyToCapture(em, kit.layout), base.image)
  })
  return image!
}

const silentHost: HostCalls = {
  isCancelled: false,
  isOverSubrequests: false,
  log() {},
  timerSet: () => false,
  timerClear() {},
  bodyPull() {},
  bodyDrop() {},
  env: () => '{}',
  call: () => 'not while an image is made',
  callCancel() {},
  unhandled() {},
  send: () => 0,
  sendEnd() {},
}
