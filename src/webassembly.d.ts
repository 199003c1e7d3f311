// The part of the WebAssembly JavaScript interface that is used here (W3C, WebAssembly JavaScript Interface 2.0);
// Node's own types leave these classes out.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
    private readonly brand: 'WebAssembly.Module'
  }
  class CompileError extends Error {}
  class Instance {
    constructor(module: Module, imports: Imports)
    readonly exports: Exports
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  function compile(bytes: Uint8Array): Promise<Module>
  type Imports = Record<string, unknown>
  type Exports = Record<string, unknown>
}
