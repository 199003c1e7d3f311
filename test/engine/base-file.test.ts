import { expect, test } from 'vitest'
import { decodeBase, encodeBase, sourceHash } from '../../src/engine/base-file.ts'
import { readEngine } from '../../src/engine/module.ts'
import { ask, describeEngines } from './engines.ts'

describeEngines('the file of the base image', (engine) => {
  const guest = () => Buffer.from(engine.guestSource)
  const source = () => sourceHash(engine.variant, readEngine(engine.variant), guest())

  test('holds all that a start needs', async () => {
    const { file, base, kit } = engine.built
    const decoded = decodeBase(file, source())!
    expect(decoded.layout).toEqual(kit.layout)
    expect(Buffer.from(decoded.base.image.bytes).equals(Buffer.from(base.image.bytes))).toBe(true)
    const { bytes: _, ...plain } = base.image
    expect(decoded.base).toMatchObject({ ...base, image: plain })
    const image = await engine.image(`exports.default = () => new Response('from a file')`, {
      base: decoded.base,
    })
    expect(ask(await engine.instance(image)).body).toBe('from a file')
  })

  test('decodes wherever it lies in a buffer', () => {
    const { file } = engine.built
    const larger = Buffer.concat([Buffer.alloc(3), file, Buffer.alloc(3)])
    expect(decodeBase(larger.subarray(3, 3 + file.length), source())).toBeDefined()
  })

  test('is refused when it was made from something else', () => {
    const { file } = engine.built
    const wasm = readEngine(engine.variant)
    expect(decodeBase(file, sourceHash('other', wasm, guest()))).toBe(undefined)
    expect(decodeBase(file, sourceHash(engine.variant, wasm.subarray(1), guest()))).toBe(undefined)
    expect(decodeBase(file, sourceHash(engine.variant, wasm, Buffer.from(`${engine.guestSource} `)))).toBe(
      undefined,
    )
  })

  test('is refused when it was cut, at every length', () => {
    const { file } = engine.built
    const payloadAt = file.length - engine.built.base.image.bytes.byteLength
    for (let length = 0; length <= payloadAt; length++) {
      if (decodeBase(file.subarray(0, length), source()) !== undefined) expect(length).toBe('refused')
    }
    for (const length of [payloadAt + 1, file.length - 4096, file.length - 1]) {
      expect(decodeBase(file.subarray(0, length), source())).toBe(undefined)
    }
    expect(decodeBase(Buffer.concat([file, Buffer.alloc(1)]), source())).toBe(undefined)
  })

  test('is refused when a byte of it is wrong: every one before the image, some in it', () => {
    const file = Buffer.from(engine.built.file)
    const payloadAt = file.length - engine.built.base.image.bytes.byteLength
    const accepted: number[] = []
    const flip = (at: number, mask: number) => {
      file[at]! ^= mask
      if (decodeBase(file, source()) !== undefined) accepted.push(at)
      file[at]! ^= mask
    }
    // Above a few hundred bytes each try costs a hash of the whole image: what stays JSON is tried by steps.
    for (let at = 0; at < payloadAt; at += at < 64 ? 1 : 7) flip(at, 1)
    for (const at of [payloadAt, payloadAt + 1000, file.length - 1]) flip(at, 0x80)
    expect(accepted).toEqual([])
    expect(decodeBase(file, source())).toBeDefined()
  })

  test('encoding is the same for the same base', () => {
    const { base, kit, file } = engine.built
    expect(encodeBase(source(), kit.layout, base).equals(Buffer.from(file))).toBe(true)
  })
})
