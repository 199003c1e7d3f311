import { NameSet } from './names.ts'

/**
 * Word indexes of a parsed head. All offsets count from the start of the array that was parsed.
 * A WebAssembly twin of the parser writes the same words.
 */
export const HEAD = {
  methodStart: 0,
  methodEnd: 1,
  /** One of `METHOD`. */
  methodId: 2,
  targetStart: 3,
  targetEnd: 4,
  /** One of `TARGET_FORM`. */
  targetForm: 5,
  /** The authority inside an absolute-form or authority-form target; an empty range for the other forms. */
  authorityStart: 6,
  authorityEnd: 7,
  /** The path is [pathStart, queryStart): empty for `http://host`, which means `/`, and without a path in the form. */
  pathStart: 8,
  /** The query with its `?` is [queryStart, targetEnd): empty when there is none. */
  queryStart: 9,
  /** As received: 0 to 9. 2 and up are served as 1 (RFC 9110 2.5). */
  versionMinor: 10,
  fieldCount: 11,
  /** The first field's words; four words before it are spare. */
  fields: 16,
} as const

/** Words of one field, from `HEAD.fields + index * FIELD.words`. The value is without its outer whitespace. */
export const FIELD = { nameStart: 0, nameEnd: 1, valueStart: 2, valueEnd: 3, id: 4, words: 5 } as const

export const METHOD = {
  other: 0,
  GET: 1,
  HEAD: 2,
  POST: 3,
  PUT: 4,
  DELETE: 5,
  OPTIONS: 6,
  PATCH: 7,
  CONNECT: 8,
  TRACE: 9,
} as const

export const TARGET_FORM = { origin: 1, absolute: 2, authority: 3, asterisk: 4 } as const

/** Fields recognised while scanning; 0 is any other. */
export const FIELD_ID = {
  other: 0,
  host: 1,
  'content-length': 2,
  'transfer-encoding': 3,
  connection: 4,
  expect: 5,
  upgrade: 6,
  'content-type': 7,
  'accept-encoding': 8,
  range: 9,
  'if-match': 10,
  'if-none-match': 11,
  'if-modified-since': 12,
  'if-unmodified-since': 13,
  'if-range': 14,
  date: 15,
  server: 16,
  'keep-alive': 17,
  te: 18,
  trailer: 19,
  'proxy-connection': 20,
} as const

/** Names of a table of ids in the order of their numbers, without the 0. */
function namesOf(ids: Readonly<Record<string, number>>): string[] {
  return Object.entries(ids)
    .filter(([, id]) => id !== 0)
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => name)
}

/** Methods are case-sensitive (RFC 9110 9.1), field names are not (RFC 9110 5.1). */
export const METHOD_NAMES = new NameSet(namesOf(METHOD), false)
export const FIELD_NAMES = new NameSet(namesOf(FIELD_ID), true)

/** The parsed head: offsets in words the caller provides (shared memory for a WebAssembly parser). */
export class HeadTable {
  readonly words: Int32Array
  /** Fields it has room for. */
  readonly capacity: number

  /** `words`, if given, must hold `HeadTable.wordsFor(capacity)` or more. */
  constructor(capacity: number, words: Int32Array = new Int32Array(HeadTable.wordsFor(capacity))) {
    if (words.length < HeadTable.wordsFor(capacity)) throw new RangeError('too few words for the head table')
    this.words = words
    this.capacity = capacity
  }

  static wordsFor(capacity: number): number {
    return HEAD.fields + capacity * FIELD.words
  }

  get fieldCount(): number {
    return this.words[HEAD.fieldCount]!
  }

  /** The first field from `from` on that has this id (one of `FIELD_ID`), or -1. */
  find(id: number, from = 0): number {
    const words = this.words
    const count = words[HEAD.fieldCount]!
    for (let i = from; i < count; i++) {
      if (words[HEAD.fields + i * FIELD.words + FIELD.id] === id) return i
    }
    return -1
  }

  nameStart(field: number): number {
    return this.words[HEAD.fields + field * FIELD.words + FIELD.nameStart]!
  }

  nameEnd(field: number): number {
    return this.words[HEAD.fields + field * FIELD.words + FIELD.nameEnd]!
  }

  valueStart(field: number): number {
    return this.words[HEAD.fields + field * FIELD.words + FIELD.valueStart]!
  }

  valueEnd(field: number): number {
    return this.words[HEAD.fields + field * FIELD.words + FIELD.valueEnd]!
  }

  /** One of `FIELD_ID`. */
  fieldId(field: number): number {
    return this.words[HEAD.fields + field * FIELD.words + FIELD.id]!
  }
}
