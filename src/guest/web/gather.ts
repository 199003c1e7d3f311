import { bufferLengthOf, setBytes } from '../primordials.ts'

/** Gives the next piece, undefined at the end; called again only when that has come. */
export type Pull = () => Promise<ArrayBuffer | undefined>

/** Everything that `pull` gives, in one buffer. */
export async function gather(pull: Pull): Promise<ArrayBuffer> {
  const pieces = { __proto__: null } as unknown as Record<number, ArrayBuffer>
  let count = 0
  let length = 0
  for (let piece = await pull(); piece !== undefined; piece = await pull()) {
    pieces[count++] = piece
    length += bufferLengthOf(piece)
  }
  if (count === 1) return pieces[0]!
  const whole = new ArrayBuffer(length)
  const bytes = new Uint8Array(whole)
  let at = 0
  for (let i = 0; i < count; i++) {
    const piece = pieces[i]!
    setBytes(bytes, new Uint8Array(piece), at)
    at += bufferLengthOf(piece)
  }
  return whole
}
