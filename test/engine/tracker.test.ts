// The tracker of rejected promises as a function of the engine's WebAssembly: where it stands, and what becomes of an engine that has none.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { ENGINE_VARIANTS, loadEngineCode, readEngine } from '../../src/engine/module.ts'
import { slotOf, withTracker } from '../../src/engine/tracker.ts'
import { probeTracker } from '../../src/engine/tracker-probe.ts'
import { preambleOf, sectionsOf, Writer } from '../../src/engine/wasm-binary.ts'
import { withWriteBarrier } from '../../src/engine/write-barrier.ts'

const compile = (wasm: Uint8Array) => new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>)
const require = createRequire(import.meta.url)

/** The module with other content in one section. */
function withSection(wasm: Uint8Array, id: number, content: readonly number[]): Uint8Array {
  const out = new Writer()
  out.bytes(preambleOf(wasm))
  for (const section of sectionsOf(wasm)) {
    out.push(section.id)
    out.sized(section.id === id ? Uint8Array.from(content) : wasm.subarray(section.from, section.to))
  }
  return out.content.slice()
}

describe.each(ENGINE_VARIANTS)('the tracker in %s', (variant) => {
  const packaged = readFileSync(require.resolve(`@jitl/${variant}-wasmfile-release-sync/wasm`))
  const codeOf = (wasm: Uint8Array) => loadEngineCode(variant, compile(wasm), null, new SharedArrayBuffer(0))

  test('stands in one slot, with a write barrier and without, and is found by what it does', async () => {
    const engine = readEngine(variant)
    const slot = slotOf(compile(engine))
    expect(slot).toBeGreaterThan(0)
    expect(slotOf(compile(withWriteBarrier(engine)))).toBe(slot)
    expect(await probeTracker(await codeOf(engine))).toEqual({ tracker: expect.any(Number), slot })
    expect(await probeTracker(await codeOf(withWriteBarrier(engine)))).toEqual(
      await probeTracker(await codeOf(engine)),
    )
  })

  test('changes nothing of what the engine imports and exports', () => {
    // Node's types leave them out.
    const { imports, exports } = WebAssembly.Module as unknown as Record<string, (wasm: object) => object[]>
    const [before, after] = [compile(packaged), compile(readEngine(variant))]
    expect(imports!(before).length).toBeGreaterThan(0)
    expect(imports!(after)).toEqual(imports!(before))
    expect(exports!(after)).toEqual(exports!(before))
  })

  test('is not found in an engine without it', async () => {
    expect(slotOf(compile(packaged))).toBe(null)
    expect(await probeTracker(await codeOf(packaged))).toBe(null)
  })

  test.each([
    ['two tables', [2, 0x70, 0, 1, 0x70, 0, 1]],
    ['a table of other things', [1, 0x6f, 0, 1]],
    ['a table shared or of 64 bits', [1, 0x70, 4, 1]],
  ])('is left out where there is %s', (_, table) => {
    const other = withSection(packaged, 4, table)
    expect(withTracker(other)).toBe(other)
  })
})
