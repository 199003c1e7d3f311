/** Limits of one shown value: a log line is for reading, and a guest's value can be endless. */
const DEPTH_MAX = 4
const ITEMS_MAX = 100
const STRING_CHARS_MAX = 2000
const TOTAL_CHARS_MAX = 8192

interface Budget {
  chars: number
  seen: unknown[]
}

/** A value as text for the log: compact, bounded, without running getters. Never throws. */
export function inspect(value: unknown): string {
  return show(value, 0, { chars: TOTAL_CHARS_MAX, seen: [] })
}

function show(value: unknown, depth: number, budget: Budget): string {
  let text: string
  try {
    text = budget.chars <= 0 ? '…' : describe(value, depth, budget)
  } catch {
    text = '[unreadable]'
  }
  budget.chars -= text.length
  return text
}

function describe(value: unknown, depth: number, budget: Budget): string {
  if (typeof value === 'string') {
    return value.length > STRING_CHARS_MAX
      ? `${JSON.stringify(value.slice(0, STRING_CHARS_MAX))}… ${value.length} characters`
      : JSON.stringify(value)
  }
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return String(value)
  if (budget.seen.includes(value)) return '[Circular]'
  budget.seen.push(value)
  try {
    return describeObject(value, depth, budget)
  } finally {
    budget.seen.pop()
  }
}

function describeObject(value: object, depth: number, budget: Budget): string {
  if (typeof value === 'function') return `[Function ${dataOf(value, 'name') || '(anonymous)'}]`
  if (value instanceof Error) return showError(value, depth, budget)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return RegExp.prototype.toString.call(value)
  const name = constructorName(value)
  if (value instanceof Promise) return 'Promise {}'
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength})`
  if (depth >= DEPTH_MAX) return Array.isArray(value) ? '[Array]' : `[${name || 'Object'}]`
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const view = value as Uint8Array
    return `${name}(${view.length}) ${list('[', Array.prototype.slice.call(view, 0, ITEMS_MAX).map(String), ']', view.length)}`
  }
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_MAX).map((item) => show(item, depth + 1, budget))
    return list('[', items, ']', value.length)
  }
  if (value instanceof Map) {
    const items: string[] = []
    for (const [key, item] of value) {
      if (items.length === ITEMS_MAX) break
      items.push(`${show(key, depth + 1, budget)} => ${show(item, depth + 1, budget)}`)
    }
    return `Map(${value.size}) ${list('{', items, '}', value.size)}`
  }
  if (value instanceof Set) {
    const items: string[] = []
    for (const item of value) {
      if (items.length === ITEMS_MAX) break
      items.push(show(item, depth + 1, budget))
    }
    return `Set(${value.size}) ${list('{', items, '}', value.size)}`
  }
  const prefix = name === 'Object' ? '' : name === '' ? '[no prototype] ' : `${name} `
  return prefix + showProperties(value, depth, budget)
}

function showProperties(value: object, depth: number, budget: Budget): string {
  const keys = Reflect.ownKeys(value)
  const items: string[] = []
  for (let i = 0; i < keys.length && i < ITEMS_MAX; i++) {
    const property = Object.getOwnPropertyDescriptor(value, keys[i]!)
    if (!property?.enumerable) continue
    const key = keys[i]!
    const label =
      typeof key === 'symbol' ? `[${String(key)}]` : /^[\w$]+$/.test(key) ? key : JSON.stringify(key)
    items.push(`${label}: ${'value' in property ? show(property.value, depth + 1, budget) : '[Getter]'}`)
  }
  return list('{', items, '}', items.length + Math.max(0, keys.length - ITEMS_MAX))
}

function showError(error: Error, depth: number, budget: Budget): string {
  const stack = dataOf(error, 'stack')
  const head = `${error.name}: ${error.message}`
  const cause = Object.getOwnPropertyDescriptor(error, 'cause')
  const tail =
    cause !== undefined && depth < DEPTH_MAX ? `\n[cause]: ${show(cause.value, depth + 1, budget)}` : ''
  return `${head}${typeof stack === 'string' && stack !== '' ? `\n${stack.trimEnd()}` : ''}${tail}`
}

function list(open: string, items: string[], close: string, count: number): string {
  if (count > items.length) items.push(`… ${count - items.length} more`)
  if (items.length === 0) return open + close
  return open === '[' ? `[${items.join(', ')}]` : `{ ${items.join(', ')} }`
}

/** An own property's value, without running a getter. */
function dataOf(value: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(value, key)?.value
}

function constructorName(value: object): string {
  const prototype = Object.getPrototypeOf(value)
  if (prototype === null) return ''
  const maker = dataOf(prototype, 'constructor')
  const name = typeof maker === 'function' ? dataOf(maker, 'name') : undefined
  return typeof name === 'string' && name !== '' ? name : 'Object'
}
