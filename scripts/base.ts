// A step of the build: the base image of the engine that the package is built with.

import { makeBase } from '../src/engine/images.ts'
import { DEFAULT_ENGINE } from '../src/engine/module.ts'

export async function makeBaseFile(guestSource: string): Promise<Uint8Array> {
  const { file } = await makeBase(DEFAULT_ENGINE, guestSource)
  return file
}
