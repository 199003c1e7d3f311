// A step of the build: the base images of the engine that the package is built with.

import { makeBases } from '../src/engine/images.ts'
import { DEFAULT_ENGINE } from '../src/engine/module.ts'
import { baseFileName } from '../src/engine/open.ts'

/** By the names of their files. `guest`: the guest API's scripts. */
export async function makeBaseFiles(guest: Uint8Array): Promise<Map<string, Uint8Array>> {
  const { files } = await makeBases(DEFAULT_ENGINE, guest)
  return new Map(files.map((file, index) => [baseFileName(index), file]))
}
