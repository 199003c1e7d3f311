// The images of functions, built in a thread of their own before anything is served: a function's top-level code is the
// user's, and must not be able to hang or crash the acceptor's thread.

import { readFileSync } from 'node:fs'
import { bundleFilename } from '../functions/source-map.ts'
import { encodeBase, sourceHash } from './base-file.ts'
import { type BaseImage, buildBase, buildImage, type EngineKit } from './build.ts'
import { GuestError } from './evaluate.ts'
import type { Image } from './image.ts'
import { probeLayout } from './layout.ts'
import {
  DEFAULT_ENGINE,
  type EngineCode,
  type EngineVariant,
  loadEngineCode,
  PAGE_BYTES,
  readEngine,
} from './module.ts'
import type { OpenedEngine } from './open.ts'

interface FunctionBuild {
  readonly name: string
  /** Text whose value is `(exports, module, require) => void`. */
  readonly code: string
  readonly stackBytes: number
  readonly memoryBytes: number
}

export interface ImagesTask {
  /** The engine with its base image; else the base is made from the guest API's script. */
  readonly opened: OpenedEngine | undefined
  readonly guestFile: string
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

/** Makes the base image from source: for the package's build, and for starts without its file. */
export async function makeBase(
  variant: EngineVariant,
  guestSource: string,
): Promise<{ kit: EngineKit; code: EngineCode; base: BaseImage; file: Uint8Array }> {
  const bytes = readEngine(variant)
  const wasm = new WebAssembly.Module(bytes)
  const code = await loadEngineCode(variant, wasm)
  const kit = { variant, wasm, layout: await probeLayout(code) }
  const base = await buildBase(kit, code, guestSource)
  return { kit, code, base, file: encodeBase(sourceHash(variant, bytes, guestSource), kit.layout, base) }
}

async function engineOf({
  opened,
  guestFile,
}: ImagesTask): Promise<{ kit: EngineKit; code: EngineCode; base: BaseImage }> {
  if (opened === undefined) return makeBase(DEFAULT_ENGINE, readFileSync(guestFile, 'utf8'))
  const { kit, base } = opened
  return { kit, base, code: await loadEngineCode(kit.variant, kit.wasm) }
}

export async function buildImages(task: ImagesTask): Promise<ImagesResult> {
  const { kit, code, base } = await engineOf(task)
  const images: Image[] = []
  const lines: TopLevelLine[] = []
  for (const fn of task.functions) {
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
    isCancelled: false,
    log(level: number, text: string) {
      if (lines.length < LINES_MAX) lines.push({ function: fn.name, level, text })
    },
    timerSet: () => false,
    timerClear() {},
    bodyPull() {},
    env: () => '{}',
  }
  const source = { filename: bundleFilename(fn.name), code: fn.code }
  return buildImage(kit, code, base, source, fn.stackBytes, fn.memoryBytes / PAGE_BYTES, initMs, host)
}
