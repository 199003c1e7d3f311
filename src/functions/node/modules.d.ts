/** The guest's own module (src/guest/async-context.ts): the frame that is current, whatever AsyncLocalStorage makes of it. */
declare module 'ringlet:async-context' {
  const context: { frame: ReadonlyMap<object, unknown> | undefined }
  export default context
}

/** Passed on as they are; the package has no declarations of its own. */
declare module 'unenv/node/*'
