import { asyncContext } from '../async-context.ts'
import { host, refuseAtTopLevel } from '../bridge.ts'
import { OP } from '../ops.ts'
import { reportException } from '../report.ts'

type Callback = (...args: unknown[]) => unknown
interface Timer {
  callback: Callback
  args: unknown[]
  repeat: boolean
  frame: unknown
}

/** HTML, "run steps after a timeout": a delay beyond a signed 32-bit integer counts as none. */
const DELAY_MS_MAX = 0x7fff_ffff

const timers = new Map<number, Timer>()
let lastId = 0

function set(what: string, callback: unknown, delay: unknown, args: unknown[], repeat: boolean): number {
  if (typeof callback !== 'function') throw new TypeError(`${what} needs a function`)
  refuseAtTopLevel(what)
  const delayMs = Number(delay)
  const id = ++lastId
  // The host may refuse it, and throws then.
  host(OP.TIMER_SET, id, delayMs > 0 && delayMs <= DELAY_MS_MAX ? delayMs : 0, repeat)
  timers.set(id, { callback: callback as Callback, args, repeat, frame: asyncContext.frame })
  return id
}

/** Forgets the timers of an earlier request: the host has cancelled them with its answer. */
export function forgetTimers(): void {
  if (timers.size > 0) timers.clear()
}

/** Whether a timer is pending: it has neither fired, if it does not repeat, nor been forgotten. */
export function isTimer(id: number): boolean {
  return timers.has(id)
}

function clear(id: unknown): void {
  const key = Number(id)
  if (timers.delete(key)) host(OP.TIMER_CLEAR, key)
}

export function setTimeout(callback: unknown, delay?: number, ...args: unknown[]): number {
  return set('setTimeout', callback, delay, args, false)
}

export function setInterval(callback: unknown, delay?: number, ...args: unknown[]): number {
  return set('setInterval', callback, delay, args, true)
}

export function clearTimeout(id?: number): void {
  clear(id)
}

export function clearInterval(id?: number): void {
  clear(id)
}

/** Runs the callback of a timer that is due. What it throws goes to the log. */
export function fire(id: number): void {
  const timer = timers.get(id)
  if (timer === undefined) return
  if (!timer.repeat) timers.delete(id)
  const { callback, args } = timer
  asyncContext.frame = timer.frame
  try {
    callback(...args)
  } catch (thrown) {
    reportException('timer', thrown)
  }
  asyncContext.frame = undefined
}

export function queueMicrotask(callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError('queueMicrotask needs a function')
  runSoon(callback as Callback)
}

async function runSoon(callback: Callback): Promise<void> {
  const { frame } = asyncContext
  await undefined
  asyncContext.frame = frame
  try {
    callback()
  } catch (thrown) {
    reportException('microtask', thrown)
  }
  asyncContext.frame = undefined
}
