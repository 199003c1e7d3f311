interface Options {
  readonly signal?: AbortSignal
}

/** Resolves with `value` after `delayMs`; rejects with the signal's reason if that comes first. */
export function setTimeout<Value>(delayMs?: number, value?: Value, { signal }: Options = {}): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const abort = (): void => {
      globalThis.clearTimeout(id)
      reject(signal!.reason)
    }
    const id = globalThis.setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve(value as Value)
    }, delayMs)
    signal?.addEventListener('abort', abort, { once: true })
  })
}

export function setImmediate<Value>(value?: Value, options?: Options): Promise<Value> {
  return setTimeout(0, value, options)
}

/** Yields `value` every `delayMs`; counted from the end of each step. */
export async function* setInterval<Value>(
  delayMs?: number,
  value?: Value,
  options?: Options,
): AsyncGenerator<Value> {
  for (;;) yield await setTimeout(delayMs, value, options)
}

export const scheduler = {
  wait: (delayMs: number, options?: Options): Promise<void> => setTimeout(delayMs, undefined, options),
  yield: (): Promise<void> => setTimeout(0),
}

export default { scheduler, setImmediate, setInterval, setTimeout }
