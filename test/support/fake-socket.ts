import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

/** A socket without a descriptor: records what is asked of it, and flushes and closes when the test says so. */
export class FakeSocket extends EventEmitter {
  destroyed = false
  ended = false
  paused = false
  /** Calls of `write` and `end` after the socket was destroyed. */
  misuses = 0
  readonly #written: Buffer[] = []
  /** Of those, how many the kernel has. */
  #taken = 0
  readonly #flushes: (() => void)[] = []
  #onEnd: (() => void) | undefined

  get asSocket(): Socket {
    return this as unknown as Socket
  }

  /** All that was written, flushed or not. */
  get text(): string {
    return Buffer.concat(this.#written).toString('latin1')
  }

  write(bytes: Buffer, flushed: () => void): boolean {
    if (this.destroyed) this.misuses++
    this.#written.push(bytes)
    this.#flushes.push(flushed)
    return false
  }

  end(ended: () => void): void {
    if (this.destroyed) this.misuses++
    this.ended = true
    this.#onEnd = ended
  }

  destroy(): void {
    this.destroyed = true
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  /** The kernel takes what was written. */
  flush(): void {
    // From here on the writer may use its memory again.
    for (; this.#taken < this.#written.length; this.#taken++) {
      this.#written[this.#taken] = Buffer.from(this.#written[this.#taken]!)
    }
    for (const flushed of this.#flushes.splice(0)) flushed()
    if (this.#flushes.length === 0 && this.#onEnd !== undefined) {
      const ended = this.#onEnd
      this.#onEnd = undefined
      ended()
    }
  }

  /** What comes after `destroy`, or after both ends: the 'close' event. */
  closed(): void {
    this.destroyed = true
    this.emit('close')
  }
}
