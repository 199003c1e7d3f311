// The engine as a start finds it: the files of the package, read and verified, the WebAssembly compiled. Nothing of it runs any
// guest code, so it may be done in any thread.

import { readFile } from 'node:fs/promises'
import { decodeBase, sourceHash } from './base-file.ts'
import type { BaseImage, EngineKit } from './build.ts'
import { DEFAULT_ENGINE, readEngine } from './module.ts'

export interface EngineFiles {
  /** The guest API's script. */
  readonly guestFile: string
  /** The base image. */
  readonly baseFile: string
}

export interface OpenedEngine {
  readonly kit: EngineKit
  readonly base: BaseImage
  /** Of the base image's file. */
  readonly hash: string
}

/** Undefined when there is no base image, or it was made from something else: another must be made. */
export async function openEngine({ guestFile, baseFile }: EngineFiles): Promise<OpenedEngine | undefined> {
  const variant = DEFAULT_ENGINE
  const bytes = readEngine(variant)
  const compiling = WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>)
  const [wasm, guest, file] = await Promise.all([
    compiling,
    readFile(guestFile, 'utf8'),
    readOptional(baseFile),
  ])
  const known = decodeBase(file, sourceHash(variant, bytes, guest))
  if (known === undefined) return undefined
  const { layout, base, hash } = known
  return { kit: { variant, wasm, layout }, base, hash }
}

function readOptional(file: string): Promise<Uint8Array> {
  return readFile(file).catch(() => new Uint8Array(0))
}
