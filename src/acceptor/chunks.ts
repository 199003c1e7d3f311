// Buffers that files are read into. All files that are being sent share a few of them, so that a thousand slow clients cost
// no more than one fast one needs.

/** Long enough that a read and a write per chunk are cheap; short enough that other sockets have their turn soon. */
export const CHUNK_BYTES = 256 << 10
const CHUNKS_MAX = 32
/** Of those, how many nobody may keep while it waits for its client: the others never wait long for one. */
const CHUNKS_CIRCULATING = 8

/** What all chunks together may come to. */
export const CHUNK_POOL_BYTES = CHUNKS_MAX * CHUNK_BYTES

export class ChunkPool {
  readonly #free: Buffer[] = []
  readonly #waiting: ((chunk: Buffer) => void)[] = []
  #made = 0
  #kept = 0

  /** A chunk, of the length {@link CHUNK_BYTES}; waits for one that circulates when all are in use. */
  take(): Promise<Buffer> | Buffer {
    const chunk = this.#free.pop()
    if (chunk !== undefined) return chunk
    if (this.#made < CHUNKS_MAX) {
      this.#made++
      return Buffer.allocUnsafeSlow(CHUNK_BYTES)
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  give(chunk: Buffer): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free.push(chunk)
    else next(chunk)
  }

  /** Whether a chunk may be kept while a client is waited for; then {@link endKeep} is to follow. */
  tryKeep(): boolean {
    if (this.#kept >= CHUNKS_MAX - CHUNKS_CIRCULATING) return false
    this.#kept++
    return true
  }

  endKeep(): void {
    this.#kept--
  }
}
