/** The printing code copies the methods of Atomics, which the engine does not have, while it is loaded: util.ts removes this again. */
export const added = !Reflect.has(globalThis, 'Atomics')
if (added) Reflect.set(globalThis, 'Atomics', {})
