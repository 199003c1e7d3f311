import type { EmModule } from './module.ts'

/**
 * The guest's memory as a Buffer, which searches and writes text in native code. Growth makes it another: get it anew after each
 * call into the guest.
 */
export class MemoryBuffer {
  readonly #em: EmModule
  #buffer: Buffer = Buffer.alloc(0)

  constructor(em: EmModule) {
    this.#em = em
  }

  get(): Buffer {
    const { HEAPU8: heap } = this.#em
    if (heap.buffer !== this.#buffer.buffer || heap.length !== this.#buffer.length)
      this.#buffer = Buffer.from(heap.buffer, heap.byteOffset, heap.length)
    return this.#buffer
  }

  /** Where a C string of the engine's ends; `pointer` if it does not. */
  stringEnd(pointer: number): number {
    return Math.max(pointer, this.get().indexOf(0, pointer))
  }
}
