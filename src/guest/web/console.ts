import { host } from '../bridge.ts'
import { feature } from '../feature.ts'
import { log } from '../log.ts'
import { LOG_LEVEL, OP } from '../ops.ts'
import { inspect } from './inspect.ts'

const LABELS_MAX = 100
const INDENT_MAX = 20

const counts = new Map<string, number>()
const timers = new Map<string, number>()
let indent = 0

/** Console, section 2.3 (format specifiers) and 2.2 (printer). Objects are shown by `inspect`. */
function format(args: unknown[]): string {
  let text = ''
  let next = 0
  const first = args[0]
  if (typeof first === 'string') {
    next = 1
    text = first.replace(/%[sdifoOjc%]/g, (specifier) => {
      if (specifier === '%%') return '%'
      if (next >= args.length) return specifier
      return convert(specifier, args[next++])
    })
  }
  for (let i = next; i < args.length; i++) {
    const arg = args[i]
    text += `${i === 0 ? '' : ' '}${typeof arg === 'string' ? arg : inspect(arg)}`
  }
  return text
}

function convert(specifier: string, value: unknown): string {
  switch (specifier) {
    case '%s':
      return typeof value === 'string' ? value : inspect(value)
    case '%d':
    case '%f':
      return typeof value === 'object' || typeof value === 'symbol' ? 'NaN' : String(Number(value))
    case '%i':
      return typeof value === 'object' || typeof value === 'symbol'
        ? 'NaN'
        : String(Math.trunc(Number(value)))
    case '%c':
      return ''
    default:
      return inspect(value)
  }
}

function print(level: (typeof LOG_LEVEL)[keyof typeof LOG_LEVEL], args: unknown[]): void {
  const text = format(args)
  log(level, indent === 0 ? text : '  '.repeat(indent) + text)
}

/** Keeps a label's value; what a function never ends must not grow without a bound. */
function keep(map: Map<string, number>, label: string, value: number): void {
  if (map.size >= LABELS_MAX && !map.has(label)) map.clear()
  map.set(label, value)
}

function elapsed(label: string): string | undefined {
  const start = timers.get(label)
  return start === undefined ? undefined : `${label}: ${((host(OP.NOW) as number) - start).toFixed(3)} ms`
}

const group = (args: unknown[]): void => {
  if (args.length > 0) print(LOG_LEVEL.INFO, args)
  if (indent < INDENT_MAX) indent++
}

const methods = {
  assert(condition: unknown = false, ...args: unknown[]): void {
    if (condition) return
    const detail =
      args.length === 0 ? '' : typeof args[0] === 'string' ? `: ${format(args)}` : ` ${format(args)}`
    print(LOG_LEVEL.ERROR, [`%s`, `Assertion failed${detail}`])
  },
  clear(): void {
    indent = 0
  },
  count(label: unknown = 'default'): void {
    const key = `${label}`
    keep(counts, key, (counts.get(key) ?? 0) + 1)
    print(LOG_LEVEL.INFO, ['%s', `${key}: ${counts.get(key)}`])
  },
  countReset(label: unknown = 'default'): void {
    counts.delete(`${label}`)
  },
  debug(...args: unknown[]): void {
    print(LOG_LEVEL.DEBUG, args)
  },
  dir(value: unknown = undefined): void {
    print(LOG_LEVEL.INFO, [inspect(value)])
  },
  dirxml(...args: unknown[]): void {
    print(LOG_LEVEL.INFO, args)
  },
  error(...args: unknown[]): void {
    print(LOG_LEVEL.ERROR, args)
  },
  group(...args: unknown[]): void {
    group(args)
  },
  groupCollapsed(...args: unknown[]): void {
    group(args)
  },
  groupEnd(): void {
    if (indent > 0) indent--
  },
  info(...args: unknown[]): void {
    print(LOG_LEVEL.INFO, args)
  },
  log(...args: unknown[]): void {
    print(LOG_LEVEL.INFO, args)
  },
  table(data: unknown = undefined, columns: unknown = undefined): void {
    const text = feature('table').table(data, columns)
    if (text === undefined) print(LOG_LEVEL.INFO, [data])
    else for (const line of text.split('\n')) print(LOG_LEVEL.INFO, ['%s', line])
  },
  time(label: unknown = 'default'): void {
    keep(timers, `${label}`, host(OP.NOW) as number)
  },
  timeEnd(label: unknown = 'default'): void {
    const key = `${label}`
    const text = elapsed(key)
    timers.delete(key)
    if (text !== undefined) print(LOG_LEVEL.INFO, ['%s', text])
  },
  timeLog(label: unknown = 'default', ...args: unknown[]): void {
    const text = elapsed(`${label}`)
    if (text !== undefined) print(LOG_LEVEL.INFO, ['%s', text, ...args])
  },
  trace(...args: unknown[]): void {
    const stack = new Error('trace').stack ?? ''
    print(LOG_LEVEL.DEBUG, ['%s', `Trace${args.length > 0 ? `: ${format(args)}` : ''}\n${stack.trimEnd()}`])
  },
  warn(...args: unknown[]): void {
    print(LOG_LEVEL.WARN, args)
  },
}

/** Console, "namespace console": its prototype is an empty object. */
export const console = Object.assign(Object.create({}), methods) as typeof methods
Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true })
