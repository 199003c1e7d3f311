/** One byte per character (latin1), so that every byte can be written in a table. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return String.fromCharCode(...bytes.subarray(start, end))
}

/** Bytes that would complete, break or extend a message if a parser read them outside its input. */
export const CANARIES = ['\0', 'A', '\r\n', ': ', ' HTTP/1.1\r\n\r\n', '\n', '\xff', '0'] as const

/** `text` in shared memory (as in production) between canaries; `start` and `end` are its bounds. */
export function betweenCanaries(
  text: string,
  canary: string,
): { bytes: Uint8Array; start: number; end: number } {
  const margin = 64
  const fill = canary.repeat(margin)
  const before = fill.slice(-margin)
  const bytes = new Uint8Array(new SharedArrayBuffer(text.length + 2 * margin))
  bytes.set(bytesOf(before + text + fill.slice(0, margin)))
  return { bytes, start: margin, end: margin + text.length }
}
