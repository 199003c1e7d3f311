// The engine's WebAssembly module and its instances: the only room that knows quickjs-emscripten's names.
//
// One compiled module serves the whole process (it is handed to the threads as a value); every instance owns one
// linear memory, and all of a QuickJS runtime lives in that memory. That is what makes an image of it possible.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { EmscriptenModuleLoaderOptions, QuickJSSyncVariant } from 'quickjs-emscripten-core'
import { CARDED_BYTES_MAX, CARDS_AT, CardTable } from './cards.ts'
import { GuestScripts } from './scripts.ts'
import { withTracker } from './tracker.ts'

/** The builds of quickjs-emscripten that the engine can run on. */
export const ENGINE_VARIANTS = ['quickjs', 'quickjs-ng'] as const

export type EngineVariant = (typeof ENGINE_VARIANTS)[number]

/** Passes every hostile test, as the other does, and is the faster of the two (design/engine.md, "Which build"). */
export const DEFAULT_ENGINE: EngineVariant = 'quickjs'

/** The smallest linear memory of the engine, as its WebAssembly import declares it: 256 pages, 16 MiB. */
export const INITIAL_PAGES = 256
export const PAGE_BYTES = 65536
/** The engine's static data ends below this address; its C stack and then its heap follow. */
export const STATIC_DATA_BYTES = CARDS_AT
/** The C stack, as both builds are linked: it grows down from where the heap begins. */
export const C_STACK_BYTES = 5 << 20

const PACKAGES: Record<EngineVariant, string> = {
  quickjs: '@jitl/quickjs-wasmfile-release-sync',
  'quickjs-ng': '@jitl/quickjs-ng-wasmfile-release-sync',
}

/** Names that a bundler can read, so that what they stand for is compiled in. */
const VARIANTS: Record<EngineVariant, () => Promise<unknown>> = {
  quickjs: () => import('@jitl/quickjs-wasmfile-release-sync'),
  'quickjs-ng': () => import('@jitl/quickjs-ng-wasmfile-release-sync'),
}

/** The engine's WASM as the package carries it, with our tracker of rejected promises. Compiled in 3 to 5 ms; the module can be cloned to worker threads. */
export function readEngine(variant: EngineVariant): Uint8Array {
  const require = createRequire(import.meta.url)
  return withTracker(readFileSync(require.resolve(`${PACKAGES[variant]}/wasm`)))
}

interface EmscriptenCallbacks {
  callFunction(
    asyncify: undefined,
    ctx: number,
    self: number,
    argc: number,
    argv: number,
    ref: number,
  ): number
  shouldInterrupt(asyncify: undefined, rt: number): 0 | 1
  freeHostRef(asyncify: undefined, rt: number, ref: number): void
  loadModuleSource(): number
  normalizeModule(): number
}

/** What we use of the emscripten module. Pointers are plain numbers: byte offsets into the linear memory. */
export interface EmModule {
  readonly HEAPU8: Uint8Array
  /** What has been written to, where the engine has a write barrier: whoever writes from outside of it says so here. */
  readonly cards: CardTable | undefined
  callbacks: EmscriptenCallbacks
  _malloc(bytes: number): number
  _free(pointer: number): void
}

/**
 * What we use of the variant's C interface. `value` is a JSValue*: a heap cell that the caller owns and frees by
 * QTS_FreeValuePointer, unless it says borrowed. A null pointer is 0.
 */
export interface EngineFfi {
  QTS_NewRuntime(): number
  QTS_NewContext(rt: number, intrinsics: number): number
  QTS_RuntimeSetMaxStackSize(rt: number, bytes: number): void
  QTS_RuntimeEnableInterruptHandler(rt: number): void
  QTS_Eval(
    ctx: number,
    code: number,
    length: number,
    filename: string,
    detectModule: number,
    flags: number,
  ): number
  QTS_Call(ctx: number, fn: number, self: number, argc: number, argv: number): number
  /** Takes an exception's place: an owned error value, or 0 when `value` is no exception. */
  QTS_ResolveException(ctx: number, value: number): number
  QTS_ExecutePendingJob(rt: number, maxJobs: number, lastContext: number): number
  QTS_IsJobPending(rt: number): number
  /** -1: no promise, 0: pending, 1: fulfilled, 2: rejected. */
  QTS_PromiseState(ctx: number, value: number): number
  /** What it is fulfilled or rejected with. */
  QTS_PromiseResult(ctx: number, promise: number): number
  QTS_NewString(ctx: number, utf8: number): number
  /** A NUL-terminated UTF-8 copy, to be freed by QTS_FreeCString; 0 when out of memory or thrown. */
  QTS_GetString(ctx: number, value: number): number
  QTS_FreeCString(ctx: number, utf8: number): void
  /** Takes the malloc'ed bytes over. */
  QTS_NewArrayBuffer(ctx: number, bytes: number, length: number): number
  /** A malloc'ed copy of the bytes, to be freed; 0 when `value` is no ArrayBuffer. */
  QTS_GetArrayBuffer(ctx: number, value: number): number
  QTS_GetArrayBufferLength(ctx: number, value: number): number
  QTS_NewFloat64(ctx: number, value: number): number
  QTS_GetFloat64(ctx: number, value: number): number
  QTS_NewObject(ctx: number): number
  QTS_NewFunction(ctx: number, name: string, argc: number, isConstructor: boolean, ref: number): number
  QTS_GetGlobalObject(ctx: number): number
  QTS_GetProp(ctx: number, self: number, name: number): number
  QTS_SetProp(ctx: number, self: number, name: number, value: number): void
  QTS_GetUndefined(): number
  QTS_Throw(ctx: number, error: number): number
  QTS_NewError(ctx: number): number
  QTS_Typeof(ctx: number, value: number): number
  /** Borrowed. */
  QTS_ArgvGetJSValueConstPointer(argv: number, index: number): number
  QTS_FreeValuePointer(ctx: number, value: number): void
  QTS_DupValuePointer(ctx: number, value: number): number
}

type ModuleLoader = (options: EmscriptenModuleLoaderOptions) => Promise<Omit<EmModule, 'cards'>>
type FfiConstructor = new (module: EmModule) => EngineFfi

/** What opening an instance needs: the loader's two JavaScript halves and the compiled module. */
export interface EngineCode {
  readonly variant: EngineVariant
  readonly wasm: WebAssembly.Module
  /** The same with a write barrier; null when nobody needs it. */
  readonly barrier: WebAssembly.Module | null
  readonly loadModule: ModuleLoader
  readonly Ffi: FfiConstructor
  readonly scripts: GuestScripts
}

/** Bundlers differ in how many `default`s they wrap a CommonJS export in. */
function unwrapDefault(exported: unknown): unknown {
  let value = exported
  for (let depth = 0; depth < 2; depth++) {
    const inner = (value as { default?: unknown } | undefined)?.default
    if (inner === undefined) break
    value = inner
  }
  return value
}

/** Loads the variant's JavaScript into this thread. */
export async function loadEngineModules(variant: EngineVariant): Promise<[unknown, unknown]> {
  const sync = unwrapDefault(await VARIANTS[variant]()) as QuickJSSyncVariant
  return Promise.all([sync.importModuleLoader(), sync.importFFI()])
}

/** `guest`: the guest API's scripts, JSON as UTF-8. */
export async function loadEngineCode(
  variant: EngineVariant,
  wasm: WebAssembly.Module,
  barrier: WebAssembly.Module | null,
  guest: SharedArrayBuffer,
): Promise<EngineCode> {
  const [loader, ffi] = await loadEngineModules(variant)
  return {
    variant,
    wasm,
    barrier,
    loadModule: unwrapDefault(loader) as ModuleLoader,
    Ffi: unwrapDefault(ffi) as FfiConstructor,
    scripts: new GuestScripts(guest),
  }
}

export interface OpenedModule {
  readonly em: EmModule
  readonly ffi: EngineFfi
  readonly memory: WebAssembly.Memory
}

/** What the engine prints by itself (assertions, aborts): kept for the error that follows, never printed. */
export type EngineOutput = (line: string) => void

/** Says whether a linear memory may grow to so many bytes. */
export type GrowthGate = (bytes: number) => boolean

/**
 * Makes a blank instance over a memory of its own. `maximumPages` is the hard memory limit of whatever runs in it:
 * QuickJS's own memory limit does not hold (quickjs-emscripten issues 255 and 271), a WebAssembly maximum does. Below that
 * the gate decides: the engine's allocator grows its memory by `grow` of the object it is given, and by nothing else.
 * `hasBarrier`: of the build with the write barrier, if there is one.
 */
export async function openModule(
  code: EngineCode,
  initialPages: number,
  maximumPages: number,
  output: EngineOutput,
  gate: GrowthGate = () => true,
  hasBarrier = false,
): Promise<OpenedModule> {
  const memory = new WebAssembly.Memory({ initial: initialPages, maximum: maximumPages })
  const grow = memory.grow.bind(memory)
  memory.grow = (pages) => {
    if (!gate(memory.buffer.byteLength + pages * PAGE_BYTES)) throw new RangeError('no room to grow')
    return grow(pages)
  }
  const isCarded = hasBarrier && code.barrier !== null && maximumPages * PAGE_BYTES <= CARDED_BYTES_MAX
  const cards = isCarded ? new CardTable(memory) : undefined
  const wasm = cards === undefined ? code.wasm : code.barrier!
  const options: EmscriptenModuleLoaderOptions & {
    print: EngineOutput
    printErr: EngineOutput
    thisProgram: string
  } = {
    wasmMemory: memory,
    instantiateWasm(imports, onSuccess) {
      if (cards !== undefined) markForeignWrites(imports, cards)
      const instance = new WebAssembly.Instance(wasm, imports)
      onSuccess(instance)
      return instance.exports
    },
    print: output,
    printErr: output,
    // It would put the host's own path into the guest's memory, and so into every image.
    thisProgram: 'ringlet',
  }
  const em: EmModule = Object.assign(await code.loadModule(options), { cards })
  return { em, ffi: new code.Ffi(em), memory }
}

/**
 * What the engine imports writes without the barrier: a time zone into static data, a file's result onto the stack. A call of one
 * marks all static data. Left alone are those without a parameter, which are given no address, and those that lead to our
 * callbacks, which mark what they write.
 */
function markForeignWrites(imports: WebAssembly.Imports, cards: CardTable): void {
  for (const functions of Object.values(imports as Record<string, Record<string, unknown>>)) {
    for (const [name, imported] of Object.entries(functions)) {
      if (typeof imported !== 'function' || imported.length === 0 || /\.callbacks\./.test(String(imported)))
        continue
      functions[name] = (...values: unknown[]) => {
        cards.mark(0, STATIC_DATA_BYTES)
        return (imported as (...values: unknown[]) => unknown)(...values)
      }
    }
  }
}
