// The engine as a start finds it: the files of the package, read and verified, the WebAssembly compiled. Nothing of it runs any
// guest code, so it may be done in any thread.

import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DecodedBase, decodeBase, sourceHash } from './base-file.ts'
import type { EngineKit } from './build.ts'
import { BASE_FEATURES } from './features.ts'
import { share } from './framed-file.ts'
import { type EngineVariant, readEngine } from './module.ts'

export interface EngineFiles {
  /** The guest API's scripts. */
  readonly guestFile: string
  /** Where the base images are. */
  readonly baseFolder: string
}

/** Name of the file with the base image that has the features BASE_FEATURES[index]. */
export const baseFileName = (variant: EngineVariant, index: number): string => `${variant}-${index}.image`

/** The base images of the package, each read when it is first asked for. */
class Bases {
  readonly #folder: string
  readonly #variant: EngineVariant
  readonly #source: string
  readonly #known: (DecodedBase | null)[] = []

  /** `source`: the hash of what they must have been made from. */
  constructor(folder: string, variant: EngineVariant, source: string) {
    this.#folder = folder
    this.#variant = variant
    this.#source = source
  }

  /** Undefined when there is none, or it was made from something else: another must be made. */
  get(index: number): DecodedBase | undefined {
    let base = this.#known[index]
    if (base === undefined) {
      const file = join(this.#folder, baseFileName(this.#variant, index))
      base = decodeBase(readOptional(file), this.#source) ?? null
      if (base !== null && base.base.features !== BASE_FEATURES[index]) base = null
      this.#known[index] = base
    }
    return base ?? undefined
  }
}

export interface OpenedEngine {
  readonly kit: EngineKit
  readonly bases: Bases
  /** Of all that images are made from: the engine's WebAssembly, the guest API, their format. */
  readonly source: string
}

/** Undefined when there is no base image that fits: the engine must be probed, and one made. */
export async function openEngine(
  variant: EngineVariant,
  { guestFile, baseFolder }: EngineFiles,
): Promise<OpenedEngine | undefined> {
  const bytes = readEngine(variant)
  const compiling = WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>)
  const [wasm, guest] = await Promise.all([compiling, readFile(guestFile)])
  const source = sourceHash(variant, bytes, guest)
  const bases = new Bases(baseFolder, variant, source)
  const smallest = bases.get(0)
  if (smallest === undefined) return undefined
  return { kit: { variant, wasm, layout: smallest.layout, guest: share(guest) }, bases, source }
}

function readOptional(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch {
    return new Uint8Array(0)
  }
}
