// Heads lie anywhere in a ring. So each peer parses copies of a head in turns, which begin at different places relative to a
// word of sixteen bytes: no parser is measured with one lucky address.

const COPIES = 4
export const COPY_MASK = COPIES - 1
const WORD_BYTES = 16
const SHIFT_BYTES = 5

/** The copies as one array: copy i is the `length` bytes at i * `stride`. */
export function copiesOf(text) {
  const { length } = text
  const stride = Math.ceil(length / WORD_BYTES) * WORD_BYTES + SHIFT_BYTES
  const bytes = new Uint8Array(stride * COPIES)
  for (let i = 0; i < COPIES; i++) bytes.set(Buffer.from(text, 'latin1'), i * stride)
  return { bytes, length, stride }
}

/** Throws unless `find(start)` finds in every copy what the head was made of. */
export function checkCopies(peer, name, { method, target, fields }, { stride }, find) {
  const expected = JSON.stringify({ method, target, fields })
  for (let i = 0; i < COPIES; i++) {
    const found = JSON.stringify(find(i * stride))
    if (found !== expected)
      throw new Error(`${peer} finds in ${name}: ${found.slice(0, 300)}, not ${expected.slice(0, 300)}`)
  }
}
