import { DOMException } from './dom-exception.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUES = new Int8Array(128).fill(-1)
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i

/** HTML, section 8.3 (Base64 utility methods). */
export function btoa(data: unknown): string {
  const text = `${data}`
  let result = ''
  for (let i = 0; i < text.length; i += 3) {
    const a = text.charCodeAt(i)
    const b = text.charCodeAt(i + 1)
    const c = text.charCodeAt(i + 2)
    if (a > 0xff || b > 0xff || c > 0xff) {
      throw new DOMException('btoa takes characters up to U+00FF only', 'InvalidCharacterError')
    }
    const bits = (a << 16) | (b << 8) | c // NaN, past the end, counts as 0
    result += ALPHABET[bits >> 18]! + ALPHABET[(bits >> 12) & 63]!
    result += i + 1 < text.length ? ALPHABET[(bits >> 6) & 63]! : '='
    result += i + 2 < text.length ? ALPHABET[bits & 63]! : '='
  }
  return result
}

/** Infra, "forgiving-base64 decode". */
export function atob(data: unknown): string {
  let text = `${data}`.replace(/[\t\n\f\r ]+/g, '')
  if (text.length % 4 === 0) text = text.replace(/==?$/, '')
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) {
    throw new DOMException('the text is not base64', 'InvalidCharacterError')
  }
  let result = ''
  let bits = 0
  let held = 0
  for (let i = 0; i < text.length; i++) {
    bits = ((bits << 6) | VALUES[text.charCodeAt(i)]!) & 0xffff
    held += 6
    if (held < 8) continue
    held -= 8
    result += String.fromCharCode((bits >> held) & 0xff)
  }
  return result
}
