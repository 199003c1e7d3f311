import { TOKEN } from './chars.ts'
import { HTTP_ERRORS } from './errors.ts'
import { METHOD_BYTES_MAX } from './head-limits.ts'
import { FIELD, HEAD, TARGET_FORM } from './table.ts'

/** What the parser in WebAssembly is compiled with, so that both parsers have one set of numbers. */
export const PARSER_NUMBERS = {
  errors: HTTP_ERRORS,
  head: HEAD,
  field: FIELD,
  form: TARGET_FORM,
  methodBytesMax: METHOD_BYTES_MAX,
  token: TOKEN,
} as const
