import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage } from '../../src/engine/build.ts'
import { Instance } from '../../src/engine/instance.ts'
import { ENGINE_VARIANTS, loadEngineCode } from '../../src/engine/module.ts'
import { barrierFileName, baseFileName, openEngine } from '../../src/engine/open.ts'
import { FakeHost } from '../support/fake-host.ts'
import { ask } from './engines.ts'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const guestFile = join(dist, 'guest.json')
const PAGES = 512
const LIMITS = { cpuMs: 5000, hostCalls: 100, gcHardBytes: 1e9 }

describe.each(ENGINE_VARIANTS)('the files of the package, of %s', (variant) => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringlet-open-'))
    const name = baseFileName(variant, 0)
    await copyFile(join(dist, name), join(folder, name))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const open = (needsBarrier: boolean) => openEngine(variant, { guestFile, baseFolder: folder }, needsBarrier)

  test('without need of a write barrier its engine is not compiled', async () => {
    expect((await open(false))!.kit.barrier).toBe(null)
  })

  test('an engine with write barrier that is missing, cut, damaged or of another engine is made again', async () => {
    const name = barrierFileName(variant)
    const whole = await readFile(join(dist, name))
    const damaged = Buffer.from(whole)
    damaged[damaged.length - 100]! ^= 1
    const other = ENGINE_VARIANTS.find((each) => each !== variant)!
    const foreign = await readFile(join(dist, barrierFileName(other)))
    for (const file of [undefined, whole, whole.subarray(0, 1000), damaged, foreign, Buffer.alloc(0)]) {
      await rm(join(folder, name), { force: true })
      if (file !== undefined) await writeFile(join(folder, name), file)
      const { kit, bases } = (await open(true))!
      const code = await loadEngineCode(variant, kit.wasm, kit.barrier, kit.guest)
      const source = {
        filename: 'f.js',
        code: `(exports) => { exports.default = () => new Response('here') }`,
      }
      const base = bases.get(0)!.base
      const image = await buildImage(kit, code, base, source, 96 << 10, PAGES, 5000, new FakeHost())
      const instance = await Instance.open(code, kit.layout, PAGES, image.pages, true)
      expect(instance.memory.hasBarrier).toBe(true)
      for (let i = 0; i < 3; i++) {
        instance.load(image, LIMITS)
        expect(ask(instance).body).toBe('here')
      }
    }
  })
})
