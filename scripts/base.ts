// A step of the build: the base images of the engines that the package can run functions on.

import { makeBases } from '../src/engine/images.ts'
import { doubtsOf } from '../src/engine/layout.ts'
import { ENGINE_VARIANTS } from '../src/engine/module.ts'
import { baseFileName } from '../src/engine/open.ts'

/** By the names of their files. `guest`: the guest API's scripts. */
export async function makeBaseFiles(guest: Uint8Array): Promise<Map<string, Uint8Array>> {
  const all = new Map<string, Uint8Array>()
  for (const variant of ENGINE_VARIANTS) {
    const { files, kit } = await makeBases(variant, guest)
    for (const [index, file] of files.entries()) all.set(baseFileName(variant, index), file)
    for (const { unknown, instead } of doubtsOf(kit.layout)) {
      console.warn(`${variant}: not recognised: ${unknown}; ${instead}`)
    }
  }
  return all
}
