// Evaluating source text in an instance: used while an image is built, never on the way of a request.

import type { EmModule, EngineFfi } from './module.ts'

/** Flag word 0 means "all intrinsics" to QTS_NewContext. */
export const ALL_INTRINSICS = 0
const EVAL_TYPE_GLOBAL = 0
const DETECT_MODULE_NO = 0

/** A guest's failure while it was loaded: what it threw, as the engine printed it. */
export class GuestError extends Error {
  override readonly name = 'GuestError'
  readonly guestName: string
  readonly guestStack: string
  constructor(guestName: string, message: string, guestStack: string) {
    super(message)
    this.guestName = guestName
    this.guestStack = guestStack
  }
}

/** Reads a NUL-terminated UTF-8 string; the guest's memory limit bounds it. */
export function readCString(em: EmModule, pointer: number): string {
  const bytes = Buffer.from(em.HEAPU8.buffer, em.HEAPU8.byteOffset, em.HEAPU8.byteLength)
  const end = bytes.indexOf(0, pointer)
  return bytes.toString('utf8', pointer, end < 0 ? pointer : end)
}

/** Copies text into the guest's memory, NUL-terminated; the caller frees it. Throws when the guest's memory is full. */
function writeCString(em: EmModule, text: string): { pointer: number; length: number } {
  const bytes = Buffer.from(text, 'utf8')
  const pointer = em._malloc(bytes.length + 1)
  if (pointer === 0) throw new GuestError('InternalError', 'out of memory', '')
  em.HEAPU8.set(bytes, pointer)
  em.HEAPU8[pointer + bytes.length] = 0
  em.cards?.mark(pointer, bytes.length + 1)
  return { pointer, length: bytes.length }
}

/** The text of a value, '' where the engine cannot make one. */
function valueToString(em: EmModule, ffi: EngineFfi, ctx: number, value: number): string {
  const pointer = ffi.QTS_GetString(ctx, value)
  if (pointer === 0) return ''
  const text = readCString(em, pointer)
  ffi.QTS_FreeCString(ctx, pointer)
  return text
}

/** A property's name as a value; owned. */
function newKey(em: EmModule, ffi: EngineFfi, ctx: number, name: string): number {
  const { pointer } = writeCString(em, name)
  const key = ffi.QTS_NewString(ctx, pointer)
  em._free(pointer)
  return key
}

/** A property by name; owned. */
export function getProperty(em: EmModule, ffi: EngineFfi, ctx: number, self: number, name: string): number {
  const key = newKey(em, ffi, ctx, name)
  const value = ffi.QTS_GetProp(ctx, self, key)
  ffi.QTS_FreeValuePointer(ctx, key)
  return value
}

/** Sets a property by name; the value stays the caller's. */
export function setProperty(
  em: EmModule,
  ffi: EngineFfi,
  ctx: number,
  self: number,
  name: string,
  value: number,
): void {
  const key = newKey(em, ffi, ctx, name)
  ffi.QTS_SetProp(ctx, self, key, value)
  ffi.QTS_FreeValuePointer(ctx, key)
}

/** Turns an exception value into a {@link GuestError}, and frees it; other values come back as they are. */
export function throwIfException(em: EmModule, ffi: EngineFfi, ctx: number, value: number): number {
  const error = ffi.QTS_ResolveException(ctx, value)
  if (error === 0) return value
  const part = (name: string) => {
    const property = getProperty(em, ffi, ctx, error, name)
    const text = valueToString(em, ffi, ctx, property)
    ffi.QTS_FreeValuePointer(ctx, property)
    return text === 'undefined' ? '' : text
  }
  const message = part('message') || valueToString(em, ffi, ctx, error)
  const failure = new GuestError(part('name') || 'Error', message, part('stack'))
  ffi.QTS_FreeValuePointer(ctx, error)
  throw failure
}

/** Evaluates a global script. The completion value is the caller's; throws {@link GuestError}. */
export function evaluate(
  em: EmModule,
  ffi: EngineFfi,
  ctx: number,
  source: string,
  filename: string,
): number {
  return throwIfException(em, ffi, ctx, evaluateRaw(em, ffi, ctx, source, filename))
}

/** As {@link evaluate}, but an exception comes back as a value. Throws {@link GuestError} only when there is no memory for the source. */
export function evaluateRaw(
  em: EmModule,
  ffi: EngineFfi,
  ctx: number,
  source: string,
  filename: string,
): number {
  const { pointer, length } = writeCString(em, source)
  const value = ffi.QTS_Eval(ctx, pointer, length, filename, DETECT_MODULE_NO, EVAL_TYPE_GLOBAL)
  em._free(pointer)
  return value
}
