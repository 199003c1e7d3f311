import * as promises from './timers/promises.ts'

const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis

/** There is no phase after I/O: as soon as a timer can be. */
const setImmediate = (callback: (...args: unknown[]) => void, ...args: unknown[]): unknown =>
  setTimeout(callback, 0, ...args)
const clearImmediate = clearTimeout

export { clearImmediate, clearInterval, clearTimeout, promises, setImmediate, setInterval, setTimeout }
export default {
  clearImmediate,
  clearInterval,
  clearTimeout,
  promises,
  setImmediate,
  setInterval,
  setTimeout,
}
