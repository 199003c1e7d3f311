import { toWellFormed } from '../primordials.ts'
import { Blob, type File, fileOf, isBlob, isFile } from './blob.ts'
import { defineIterator, finishInterface, needs } from './webidl.ts'

type Value = string | File
type Entry = readonly [name: string, value: Value]

const BOUNDARY_DIGITS = 16

let entriesOf: (form: FormData) => readonly Entry[]
let isFormData: (value: unknown) => value is FormData
let boundaryOf: (form: FormData) => string
let formOf: (entries: Entry[]) => FormData

/** XMLHttpRequest, section 5 (FormData): "create an entry". */
function toValue(value: unknown, filename: unknown, count: number): Value {
  if (!isBlob(value)) {
    if (count > 2) throw new TypeError('a name of a file needs a Blob')
    return toWellFormed(`${value}`)
  }
  if (filename !== undefined) return fileOf(value, toWellFormed(`${filename}`))
  return isFile(value) ? value : fileOf(value, 'blob')
}

export class FormData {
  #entries: Entry[] = []
  #boundary = ''

  constructor(form?: unknown) {
    if (form !== undefined) throw new TypeError('there are no form elements here')
  }

  append(name: unknown, value: unknown, ...rest: [filename?: unknown]): void {
    needs(arguments.length, 2, 'append')
    this.#entries.push([toWellFormed(`${name}`), toValue(value, rest[0], 2 + rest.length)])
  }

  delete(name: unknown): void {
    const key = keyOf(arguments, 'delete', name)
    this.#entries = this.#entries.filter(([own]) => own !== key)
  }

  get(name: unknown): Value | null {
    const key = keyOf(arguments, 'get', name)
    return this.#entries.find(([own]) => own === key)?.[1] ?? null
  }

  getAll(name: unknown): Value[] {
    const key = keyOf(arguments, 'getAll', name)
    return this.#entries.filter(([own]) => own === key).map(([, value]) => value)
  }

  has(name: unknown): boolean {
    const key = keyOf(arguments, 'has', name)
    return this.#entries.some(([own]) => own === key)
  }

  /** The first entry of the name takes the value, the others go. */
  set(name: unknown, value: unknown, ...rest: [filename?: unknown]): void {
    const key = keyOf(arguments, 'set', name, 2)
    const entry: Entry = [key, toValue(value, rest[0], 2 + rest.length)]
    const at = this.#entries.findIndex(([own]) => own === key)
    if (at < 0) this.#entries.push(entry)
    else this.#entries = this.#entries.filter(([own], i) => own !== key || i === at).with(at, entry)
  }

  entries(): IterableIterator<[string, Value]> {
    return iterate(this)
  }

  keys(): IterableIterator<string> {
    return iterate(this, 0)
  }

  values(): IterableIterator<Value> {
    return iterate(this, 1)
  }

  forEach(callback: (value: Value, name: string, form: FormData) => void, thisArg?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('forEach needs a function')
    for (let i = 0; i < this.#entries.length; i++) {
      const [name, value] = this.#entries[i]!
      callback.call(thisArg, value, name, this)
    }
  }

  declare [Symbol.iterator]: FormData['entries']

  static {
    entriesOf = (form) => form.#entries
    isFormData = (value): value is FormData =>
      typeof value === 'object' && value !== null && #entries in value
    boundaryOf = (form) => (form.#boundary ||= newBoundary())
    formOf = (entries) => {
      const form = new FormData()
      form.#entries = entries
      return form
    }
  }
}
Object.defineProperty(FormData.prototype, Symbol.iterator, {
  value: FormData.prototype.entries,
  writable: true,
  configurable: true,
})
finishInterface(FormData, 'FormData')
const iterate = defineIterator('FormData Iterator', entriesOf)

export { boundaryOf, entriesOf, formOf, isFormData }

function keyOf(given: IArguments, what: string, name: unknown, wanted = 1): string {
  needs(given.length, wanted, what)
  return toWellFormed(`${name}`)
}

/** Not found in what it divides, but for a chance in 10^16: a form has one, for its type and its bytes. */
function newBoundary(): string {
  let digits = ''
  while (digits.length < BOUNDARY_DIGITS) digits += Math.floor(Math.random() * 10)
  return `----formdata-ringlet-${digits}`
}

/** A File for bytes that came with a name. */
export function receivedFile(bytes: ArrayBuffer, name: string, type: string): File {
  return fileOf(new Blob([bytes], { type }), name)
}
