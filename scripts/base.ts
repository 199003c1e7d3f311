// A step of the build: the base images of the engines that the package can run functions on, and these engines with a write barrier.

import { makeBases } from '../src/engine/images.ts'
import { doubtsOf } from '../src/engine/layout.ts'
import { ENGINE_VARIANTS, readEngine } from '../src/engine/module.ts'
import { barrierFileName, baseFileName, encodeBarrier } from '../src/engine/open.ts'

/** By the names of their files. `guest`: the guest API's scripts. */
export async function makeBaseFiles(guest: Uint8Array): Promise<Map<string, Uint8Array>> {
  const all = new Map<string, Uint8Array>()
  for (const variant of ENGINE_VARIANTS) {
    all.set(barrierFileName(variant), encodeBarrier(readEngine(variant)))
    const { files, kit } = await makeBases(variant, guest)
    for (const [index, file] of files.entries()) all.set(baseFileName(variant, index), file)
    for (const { unknown, instead } of doubtsOf(kit.layout)) {
      console.warn(`${variant}: not recognised: ${unknown}; ${instead}`)
    }
  }
  return all
}
