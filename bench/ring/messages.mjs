// What every peer of this bench sends: messages of a kind, filled with a pattern, and what the far end adds up of them.

/** Kinds: to be counted; the last to be counted, which is answered with the tally; to be sent back as it is; the end. */
export const COUNT = 1
export const LAST = 2
export const ECHO = 3
export const STOP = 4

/** Bytes that a ring of either package holds. */
export const CAPACITY = 2 ** 20
export const LARGEST = 65_536

/** A message whose bytes depend on its size and their place; the first byte is the number of the message. */
export function messageOf(bytes) {
  return Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + bytes) & 255)
}

/** What the far end should have added up after `count` messages numbered from 0: both ends of each, so that it reads them. */
export function tallyOf(message, count) {
  const last = message[message.length - 1]
  let sum = 0
  for (let i = 0; i < count; i++) sum = (sum + (i & 255) + last) | 0
  return sum
}

/** Throws unless the answer is the message that was sent. */
export function checkEcho(sent, offset, bytes, length) {
  let same = length === sent.length
  for (let i = 0; same && i < length; i++) same = bytes[offset + i] === sent[i]
  if (!same)
    throw new Error(`an answer of ${length} bytes is not the message of ${sent.length} bytes that was sent`)
}

export function checkTally(expected, got) {
  if (expected !== got) throw new Error(`the far end read ${got}, but ${expected} was written`)
}
