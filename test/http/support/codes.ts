import { HTTP_ERRORS, httpError } from '../../../src/http/errors.ts'

export type ErrorKey = keyof typeof HTTP_ERRORS

/** What a parser returned, readable in a failure: the error's name, or the number. */
export function outcome(result: number): string | number {
  return result < 0 ? httpError(result).name : result
}

export function nameOf(key: ErrorKey): string {
  return httpError(HTTP_ERRORS[key]).name
}
