import type { QuickJSWASMModule } from 'quickjs-emscripten-core'
import { beforeAll, describe } from 'vitest'
import { buildGuest, head, loadVariant, runInGuest, Sandbox, VARIANTS } from './sandbox.ts'

export interface Guests {
  /** A fresh guest with no function. */
  open(): Sandbox
  /** The value of an async handler's inside, run in a fresh guest. */
  run(body: string, requestHead?: string, content?: string | Uint8Array): unknown
  /** As `run`, for an expression. */
  value(expression: string): unknown
}

let guest: Promise<string> | undefined

/** Describes `title` once for each engine. */
export function describeGuests(title: string, define: (guests: Guests) => void): void {
  describe.each(VARIANTS)(`${title} on %s`, (variant) => {
    let module: QuickJSWASMModule
    let source: string
    beforeAll(async () => {
      source = await (guest ??= buildGuest())
      module = await loadVariant(variant)
    })
    const open = () => new Sandbox(module, source)
    const run: Guests['run'] = (body, requestHead = head(), content) =>
      runInGuest(open(), body, requestHead, content)
    define({ open, run, value: (expression) => run(`return ${expression}`) })
  })
}
