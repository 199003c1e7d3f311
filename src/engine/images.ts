// The images of functions, built in a thread of their own before anything is served: a function's top-level code is the
// user's, and must not be able to hang or crash the acceptor's thread.

import { bundleFilename } from '../functions/source-map.ts'
import { LOG_LEVEL } from '../guest/ops.ts'
import { encodeBase, sourceHash } from './base-file.ts'
import { type BaseImage, buildBase, buildImage, type EngineKit } from './build.ts'
import { GuestError } from './evaluate.ts'
import { BASE_FEATURES } from './features.ts'
import { share } from './framed-file.ts'
import type { Image } from './image.ts'
import { type EngineLayout, probeLayout } from './layout.ts'
import { type EngineCode, type EngineVariant, loadEngineCode, PAGE_BYTES, readEngine } from './module.ts'
import { withWriteBarrier } from './write-barrier.ts'

interface FunctionBuild {
  readonly name: string
  /** Text whose value is `(exports, module, require) => void`. */
  readonly code: string
  readonly stackBytes: number
  readonly memoryBytes: number
  /** Index in BASE_FEATURES: which base image it starts from. */
  readonly base: number
}

export interface ImagesTask {
  /** The engine's build. */
  readonly variant: EngineVariant
  /** The engine; else it is probed. */
  readonly kit: EngineKit | undefined
  /** Whether a kit that is made needs the engine with the write barrier. */
  readonly needsBarrier: boolean
  /** The guest API's scripts, JSON as UTF-8. */
  readonly guest: SharedArrayBuffer
  /** By their index in BASE_FEATURES, those that the package has; the others that are needed are made. */
  readonly bases: readonly (BaseImage | undefined)[]
  readonly functions: readonly FunctionBuild[]
  /** Processor time of one function's top-level code. */
  readonly initMs: number
}

/** A line that a function's top-level code wrote to its console. */
interface TopLevelLine {
  readonly function: string
  readonly level: number
  readonly text: string
  /** Of a promise that it has rejected, and that nobody has handled: why. */
  readonly error?: { readonly name: string; readonly message: string; readonly stack: string }
}

export type ImagesResult =
  | { readonly kit: EngineKit; readonly images: readonly Image[]; readonly lines: readonly TopLevelLine[] }
  /** What a function's top-level code threw. */
  | {
      readonly failed: string
      readonly guestName: string
      readonly message: string
      readonly stack: string
      readonly lines: readonly TopLevelLine[]
    }

/** Console lines kept of one start. */
const LINES_MAX = 1000

/**
 * Makes all base images from source: for the package's build. `guest`: the guest API's scripts, JSON as UTF-8. `known`: what of the
 * layout is to be believed, for tests.
 */
export async function makeBases(
  variant: EngineVariant,
  guest: Uint8Array,
  known: (layout: EngineLayout) => EngineLayout = (layout) => layout,
): Promise<{ kit: EngineKit; code: EngineCode; bases: BaseImage[]; files: Uint8Array[] }> {
  const bytes = readEngine(variant)
  const { kit: probed, code } = await openKit(variant, bytes, share(guest), true)
  const kit = { ...probed, layout: known(probed.layout) }
  const source = sourceHash(variant, bytes, guest)
  const bases: BaseImage[] = []
  for (const features of BASE_FEATURES) bases.push(await buildBase(kit, code, features))
  return { kit, code, bases, files: bases.map((base) => encodeBase(source, kit.layout, base)) }
}

/** Compiles and probes the engine. */
async function openKit(
  variant: EngineVariant,
  bytes: Uint8Array,
  guest: SharedArrayBuffer,
  needsBarrier: boolean,
): Promise<{ kit: EngineKit; code: EngineCode }> {
  const wasm = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  const barrier = needsBarrier
    ? new WebAssembly.Module(withWriteBarrier(bytes) as Uint8Array<ArrayBuffer>)
    : null
  const code = await loadEngineCode(variant, wasm, barrier, guest)
  return { code, kit: { variant, wasm, barrier, layout: await probeLayout(code), guest } }
}

async function kitOf({
  variant,
  kit,
  guest,
  needsBarrier,
}: ImagesTask): Promise<{ kit: EngineKit; code: EngineCode }> {
  if (kit === undefined) return openKit(variant, readEngine(variant), guest, needsBarrier)
  return { kit, code: await loadEngineCode(kit.variant, kit.wasm, kit.barrier, guest) }
}

export async function buildImages(task: ImagesTask): Promise<ImagesResult> {
  const { kit, code } = await kitOf(task)
  const bases = [...task.bases]
  const images: Image[] = []
  const lines: TopLevelLine[] = []
  for (const fn of task.functions) {
    try {
      const base = (bases[fn.base] ??= await buildBase(kit, code, BASE_FEATURES[fn.base]!))
      images.push(await buildOne(kit, code, base, fn, task.initMs, lines))
    } catch (error) {
      if (!(error instanceof GuestError)) throw error
      const { guestName, message, guestStack: stack } = error
      return { failed: fn.name, guestName, message, stack, lines }
    }
  }
  return { kit, images, lines }
}

function buildOne(
  kit: EngineKit,
  code: EngineCode,
  base: BaseImage,
  fn: FunctionBuild,
  initMs: number,
  lines: TopLevelLine[],
): Promise<Image> {
  const host = {
    isCancelled: false,
    isOverSubrequests: false,
    log(level: number, text: string) {
      if (lines.length < LINES_MAX) lines.push({ function: fn.name, level, text })
    },
    unhandled(failure: string, more: number) {
      if (lines.length >= LINES_MAX) return
      const line = { function: fn.name, level: LOG_LEVEL.WARN }
      if (failure === '') {
        lines.push({ ...line, text: `${more} further unhandled rejections in top-level code` })
        return
      }
      const [name = '', message = '', ...stack] = failure.split('\n')
      const error = { name, message, stack: stack.join('\n') }
      lines.push({ ...line, text: 'unhandled rejection in top-level code', error })
    },
    timerSet: () => false,
    timerClear() {},
    bodyPull() {},
    bodyDrop() {},
    env: () => '{}',
    call: () => 'not in top-level code',
    callCancel() {},
    send: () => 0,
    sendEnd() {},
  }
  const source = { filename: bundleFilename(fn.name), code: fn.code }
  return buildImage(kit, code, base, source, fn.stackBytes, fn.memoryBytes / PAGE_BYTES, initMs, host)
}
