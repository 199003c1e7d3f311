// ringbuf.js: a wait-free ring of bytes without a way to sleep, so both sides spin. A message is a word (kind and length)
// and its bytes, pushed as one; the reader pops all there is and takes the messages out of its own buffer.
import { RingBuffer } from 'ringbuf.js'
import { CAPACITY, COUNT, checkEcho, checkTally, ECHO, LARGEST, LAST, STOP, tallyOf } from './messages.mjs'

const WORD = 4

class End {
  constructor(outgoing, incoming) {
    this.outgoing = new RingBuffer(outgoing, Uint8Array)
    this.incoming = new RingBuffer(incoming, Uint8Array)
    this.frame = new Uint8Array(WORD + LARGEST)
    this.frameWord = new Uint32Array(this.frame.buffer, 0, 1)
    this.inbox = new Uint8Array(4 * LARGEST)
    this.inboxView = new DataView(this.inbox.buffer)
    this.head = 0
    this.tail = 0
    this.kind = 0
    this.length = 0
    this.offset = 0
  }

  /** Lays the message into the frame; the one-way loop changes its first byte only. */
  fill(message) {
    this.frame.set(message, WORD)
    this.size = WORD + message.length
  }

  write(kind) {
    this.frameWord[0] = (kind << 24) | (this.size - WORD)
    while (this.outgoing.availableWrite() < this.size);
    this.outgoing.push(this.frame, this.size)
  }

  /** Spins until a whole message is in the inbox, and moves on to it. */
  read() {
    while (!this.#take()) this.#pop()
  }

  #take() {
    if (this.tail - this.head < WORD) return false
    const word = this.inboxView.getUint32(this.head, true)
    const length = word & 0xffffff
    if (this.tail - this.head < WORD + length) return false
    this.kind = word >>> 24
    this.length = length
    this.offset = this.head + WORD
    this.head += WORD + length
    return true
  }

  #pop() {
    this.inbox.copyWithin(0, this.head, this.tail)
    this.tail -= this.head
    this.head = 0
    this.tail += this.incoming.pop(this.inbox, this.inbox.length - this.tail, this.tail)
  }
}

export function near() {
  const rings = [0, 1].map(() => RingBuffer.getStorageForCapacity(CAPACITY, Uint8Array))
  const end = new End(rings[0], rings[1])
  return {
    workerData: { peer: 'ringbuf.js', rings },
    async verify(message) {
      end.fill(message)
      end.write(ECHO)
      end.read()
      checkEcho(message, end.offset, end.inbox, end.length)
    },
    async oneWay(message, count) {
      const expected = tallyOf(message, count)
      const start = performance.now()
      end.fill(message)
      for (let i = 0; i < count; i++) {
        end.frame[WORD] = i
        end.write(i === count - 1 ? LAST : COUNT)
      }
      end.read()
      const seconds = (performance.now() - start) / 1000
      checkTally(expected, end.inboxView.getInt32(end.offset, true))
      return seconds
    },
    async roundTrips(message, micros) {
      for (let i = 0; i < micros.length; i++) {
        const start = performance.now()
        end.fill(message)
        end.write(ECHO)
        end.read()
        micros[i] = (performance.now() - start) * 1000
      }
    },
    stop() {
      end.fill(new Uint8Array(0))
      end.write(STOP)
    },
  }
}

export function far({ rings }) {
  const end = new End(rings[1], rings[0])
  const tallyBytes = new Uint8Array(4)
  const tally = new Int32Array(tallyBytes.buffer)
  for (;;) {
    end.read()
    const { kind, offset, length, inbox } = end
    if (kind === STOP) return
    if (kind === ECHO) {
      end.fill(inbox.subarray(offset, offset + length))
      end.write(ECHO)
      continue
    }
    tally[0] += inbox[offset] + inbox[offset + length - 1]
    if (kind !== LAST) continue
    end.fill(tallyBytes)
    end.write(LAST)
    tally[0] = 0
  }
}
