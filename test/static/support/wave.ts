const RATE = 44_100
const HEAD_BYTES = 44

/** Silence as a WAV file (RIFF, PCM, mono, 16 bits): a medium that every browser plays, and that is long. */
export function wave(seconds: number): Buffer {
  const dataBytes = seconds * RATE * 2
  const bytes = Buffer.alloc(HEAD_BYTES + dataBytes)
  bytes.write('RIFF', 0)
  bytes.writeUInt32LE(HEAD_BYTES - 8 + dataBytes, 4)
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(RATE, 24)
  bytes.writeUInt32LE(RATE * 2, 28)
  bytes.writeUInt16LE(2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36)
  bytes.writeUInt32LE(dataBytes, 40)
  return bytes
}
