// What the host asks about a guest's failures.

import { readCString } from './evaluate.ts'
import type { ImagePointers } from './image.ts'
import type { EmModule, EngineFfi } from './module.ts'

/** Of a stack that is kept for the log. */
const STACK_CHARS_MAX = 4096

/** The guest's stack at this moment, or ''. Runs no code of the user's. */
export function guestStack(em: EmModule, ffi: EngineFfi, pointers: ImagePointers): string {
  const { ctx, where, undefined: none, scratch } = pointers
  if (where === 0) return ''
  const value = ffi.QTS_Call(ctx, where, none, 0, scratch)
  const error = ffi.QTS_ResolveException(ctx, value)
  if (error !== 0) {
    ffi.QTS_FreeValuePointer(ctx, error)
    return ''
  }
  const text = ffi.QTS_GetString(ctx, value)
  ffi.QTS_FreeValuePointer(ctx, value)
  if (text === 0) return ''
  const stack = readCString(em, text).slice(0, STACK_CHARS_MAX)
  ffi.QTS_FreeCString(ctx, text)
  // The first line is the question itself.
  return stack.slice(stack.indexOf('\n') + 1)
}

/** Of the exceptions that reach the host all but this one mean that memory is out, when not even their text can be made. */
export function isStackOverflow(em: EmModule, ffi: EngineFfi, ctx: number, error: number): boolean {
  const text = ffi.QTS_GetString(ctx, error)
  if (text === 0) return false
  const isOverflow = /stack/i.test(readCString(em, text))
  ffi.QTS_FreeCString(ctx, text)
  return isOverflow
}
