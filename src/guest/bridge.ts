import { IO_BYTES, type OP } from './ops.ts'
import { charCodeAt, deleteProperty, fromCharCode, isWellFormed, stringIncludes } from './primordials.ts'

type HostCall = (op: (typeof OP)[keyof typeof OP], ...args: unknown[]) => unknown

/** The host's dispatcher: taken from the global object once, so that user code never sees it. */
export const host: HostCall = (globalThis as unknown as { __host: HostCall }).__host
deleteProperty(globalThis, '__host')

/** Shared with the host, which reads its memory directly. */
export const io = new ArrayBuffer(IO_BYTES)
export const words = new Int32Array(io)

let serving = false

/** From here on timers and randomness are allowed. */
export function startServing(): void {
  serving = true
}

/**
 * Top-level code runs once and its memory is copied for every runtime: a timer would belong to no request and
 * random bytes would repeat in each copy. So both are refused until the first invocation.
 */
export function refuseAtTopLevel(what: string): void {
  if (!serving) throw new Error(`${what} cannot be used in top-level code: use it while handling a request`)
}

/** `text` in the form that survives the border: see WIRE TEXT in ops.ts. */
export function toWire(text: string): string | ArrayBuffer {
  if (isWellFormed(text) && !stringIncludes(text, '\0')) return text
  const units = new Uint16Array(text.length)
  for (let i = 0; i < units.length; i++) units[i] = charCodeAt(text, i)
  return units.buffer
}

/** The text of a WIRE TEXT result. */
export function fromWire(value: unknown): string {
  if (typeof value === 'string') return value
  const units = new Uint16Array(value as ArrayBuffer)
  let text = ''
  for (let i = 0; i < units.length; i++) text += fromCharCode(units[i]!)
  return text
}
