/**
 * What AsyncLocalStorage (src/functions/node) makes of `frame` is its own affair: the guest only takes the one that is current where a
 * callback is handed over to where it runs. Each request begins without one.
 */
export const asyncContext = {
  frame: undefined as unknown,
  /** For bundles whose own async generators are none (src/functions/node-modules.ts). */
  async *emptyAsyncGenerator(): AsyncGenerator<never> {},
}
