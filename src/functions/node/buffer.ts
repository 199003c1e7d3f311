/** The well-known Buffer for browsers, and what Node's has beside: base64url, isAscii, isUtf8. */
import {
  INSPECT_MAX_BYTES,
  kMaxLength,
  Buffer as PlainBuffer,
  SlowBuffer,
} from 'unenv/node/internal/buffer/buffer'

type Method = (...args: unknown[]) => unknown

const isBase64Url = (encoding: unknown): boolean => /^base64url$/i.test(`${encoding}`)
/** The decoder of base64 takes both alphabets, and no padding. */
const withoutUrl = (encoding: unknown): unknown => (isBase64Url(encoding) ? 'base64' : encoding)

/** Returns what it changes, so that whoever uses Buffer uses this: the file is one without side effects. */
function withBase64Url(type: typeof PlainBuffer): typeof PlainBuffer {
  const { from, isEncoding, byteLength } = type as Record<string, Method>
  const { toString: toText, write } = type.prototype as Record<string, Method>
  const replace = (owner: object, name: string, value: Method): void => {
    Object.defineProperty(owner, name, { value, writable: true, enumerable: false, configurable: true })
  }
  replace(type, 'from', (value, encoding, length) => from!(value, withoutUrl(encoding), length))
  replace(type, 'isEncoding', (encoding) => isBase64Url(encoding) || isEncoding!(encoding))
  replace(type, 'byteLength', (value, encoding) =>
    typeof value === 'string' && isBase64Url(encoding)
      ? type.from(value, 'base64').length
      : byteLength!(value, encoding),
  )
  replace(type.prototype, 'toString', function (this: unknown, encoding, start, end) {
    const text = Reflect.apply(toText!, this, [withoutUrl(encoding), start, end]) as string
    if (!isBase64Url(encoding)) return text
    return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  })
  replace(type.prototype, 'write', function (this: unknown, text, ...rest) {
    return Reflect.apply(write!, this, [text, ...rest.map(withoutUrl)])
  })
  return type
}

export const Buffer = withBase64Url(PlainBuffer)

export function isUtf8(bytes: ArrayBuffer | ArrayBufferView): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes as Uint8Array)
    return true
  } catch {
    return false
  }
}

export function isAscii(bytes: ArrayBuffer | ArrayBufferView): boolean {
  return Buffer.from(bytes).every((byte: number) => byte < 0x80)
}

export const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: 2 ** 30 - 1 }
export const { atob, Blob, btoa, File } = globalThis
export { INSPECT_MAX_BYTES, kMaxLength, SlowBuffer }
export default {
  atob,
  Blob,
  btoa,
  Buffer,
  constants,
  File,
  INSPECT_MAX_BYTES,
  isAscii,
  isUtf8,
  kMaxLength,
  SlowBuffer,
}
