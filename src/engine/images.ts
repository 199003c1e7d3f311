// The images of all functions, built in a thread of their own before anything is served: a function's top-level code is the
// user's, and must not be able to hang or crash the acceptor's thread.

import { bundleFilename } from '../functions/source-map.ts'
import { type BaseImage, buildBase, buildImage, createEngineKit, type EngineKit } from './build.ts'
import { GuestError } from './evaluate.ts'
import type { Image } from './image.ts'
import { type EngineCode, type EngineVariant, loadEngineCode, PAGE_BYTES } from './module.ts'

interface FunctionBuild {
  readonly name: string
  /** Text whose value is `(exports, module, require) => void`. */
  readonly code: string
  readonly stackBytes: number
  readonly memoryBytes: number
}

export interface ImagesTask {
  readonly variant: EngineVariant
  readonly guestSource: string
  readonly functions: readonly FunctionBuild[]
  /** Processor time of one function's top-level code. */
  readonly initMs: number
}

/** A line that a function's top-level code wrote to its console. */
interface TopLevelLine {
  readonly function: string
  readonly level: number
  readonly text: string
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

export async function buildImages(task: ImagesTask): Promise<ImagesResult> {
  const kit = await createEngineKit(task.variant)
  const code = await loadEngineCode(kit.variant, kit.wasm)
  const bases = new Map<number, BaseImage>()
  const images: Image[] = []
  const lines: TopLevelLine[] = []
  for (const fn of task.functions) {
    const base = bases.get(fn.stackBytes) ?? (await buildBase(kit, code, task.guestSource, fn.stackBytes))
    bases.set(fn.stackBytes, base)
    try {
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
    log(level: number, text: string) {
      if (lines.length < LINES_MAX) lines.push({ function: fn.name, level, text })
    },
    timerSet: () => false,
    timerClear() {},
    env: () => '{}',
  }
  const source = { filename: bundleFilename(fn.name), code: fn.code }
  return buildImage(kit, code, base, source, fn.memoryBytes / PAGE_BYTES, initMs, host)
}
