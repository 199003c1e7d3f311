// The engine as a start finds it: the files of the package, read and verified, the WebAssembly compiled. Nothing of it runs any
// guest code, so it may be done in any thread.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DecodedBase, decodeBase, sourceHash } from './base-file.ts'
import type { EngineKit } from './build.ts'
import { BASE_FEATURES } from './features.ts'
import { decodeFramed, encodeFramed, share } from './framed-file.ts'
import { type EngineVariant, readEngine } from './module.ts'
import { withWriteBarrier } from './write-barrier.ts'

export interface EngineFiles {
  /** The guest API's scripts. */
  readonly guestFile: string
  /** Where the base images are. */
  readonly baseFolder: string
}

/** Name of the file with the base image that has the features BASE_FEATURES[index]. */
export const baseFileName = (variant: EngineVariant, index: number): string => `${variant}-${index}.image`

/** Name of the file with the engine that has a write barrier. */
export const barrierFileName = (variant: EngineVariant): string => `${variant}.barrier`

const BARRIER_MARK = 'RINGLET-BARRIER 1\n'

/** What {@link barrierFileName} has in it: the engine, bound to the one without. */
export function encodeBarrier(engine: Uint8Array): Uint8Array {
  return encodeFramed(BARRIER_MARK, { engine: hashOf(engine) }, withWriteBarrier(engine))
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** From the package; made again, in a quarter of a second, where that has none that fits. */
function readBarrier(folder: string, variant: EngineVariant, engine: Uint8Array): Uint8Array {
  const framed = decodeFramed(BARRIER_MARK, readOptional(join(folder, barrierFileName(variant))))
  const isOfEngine = (framed?.header as { engine?: unknown } | undefined)?.engine === hashOf(engine)
  return framed !== undefined && isOfEngine ? framed.payload : withWriteBarrier(engine)
}

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

/**
 * Undefined when there is no base image that fits: the engine must be probed, and one made. `needsBarrier`: with the engine that
 * has a write barrier.
 */
export async function openEngine(
  variant: EngineVariant,
  { guestFile, baseFolder }: EngineFiles,
  needsBarrier: boolean,
): Promise<OpenedEngine | undefined> {
  const bytes = readEngine(variant)
  const compile = (engine: Uint8Array) => WebAssembly.compile(engine as Uint8Array<ArrayBuffer>)
  const [wasm, barrier, guest] = await Promise.all([
    compile(bytes),
    needsBarrier ? compile(readBarrier(baseFolder, variant, bytes)) : null,
    readFile(guestFile),
  ])
  const source = sourceHash(variant, bytes, guest)
  const bases = new Bases(baseFolder, variant, source)
  const smallest = bases.get(0)
  if (smallest === undefined) return undefined
  return { kit: { variant, wasm, barrier, layout: smallest.layout, guest: share(guest) }, bases, source }
}

function readOptional(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch {
    return new Uint8Array(0)
  }
}
