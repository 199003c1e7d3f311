type Fetch = (request: unknown, env: unknown, context: unknown) => unknown

/** Exactly one of the two: a `fetch` to call as a method of its owner, or a plain function. */
export interface Handler {
  owner: { fetch: Fetch } | undefined
  call: Fetch | undefined
}

/**
 * What a bundle exports as `default`, `fetch` or `handler`; a CommonJS module may also be the function or object itself.
 * @throws NoHandlerError (by its name) if there is none.
 */
export function resolveHandler(exports: unknown): Handler {
  const named = member(exports, 'default')
  for (const value of [named, exports]) {
    if (typeof member(value, 'fetch') === 'function')
      return { owner: value as { fetch: Fetch }, call: undefined }
    if (typeof value === 'function') return { owner: undefined, call: value as Fetch }
  }
  const handler = member(exports, 'handler')
  if (typeof handler === 'function') return { owner: undefined, call: handler as Fetch }
  const error = new Error(
    'the module exports no handler: expected `export default { fetch(request, env, ctx) }`, `export default function`, ' +
      '`export function fetch` or `export function handler`',
  )
  error.name = 'NoHandlerError'
  throw error
}

function member(value: unknown, key: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  return (value as Record<string, unknown>)[key]
}
