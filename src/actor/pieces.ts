// A body that comes while its request runs, on its way to whoever reads it. Each piece is a call into the guest, so a client that
// sends byte by byte must not use up its function's processor time: what is small may have to wait, for a short time, for more.

import { ByteStore } from './bytes.ts'
import type { BodyReader, RequestSink } from './request.ts'
import type { TimerEntry } from './timers.ts'

/** A piece of so many bytes is handed on when it comes. */
const PIECE_BYTES_MIN = 16_384
/** Of smaller ones so many are, and then one each time, with all that has come meanwhile. */
export const SMALL_PIECES_MAX = 16
/** That time, while the answer is on its way: the client may wait for what its bytes bring, and the guest has its processor time anew each second. */
export const SMALL_PIECE_MS = 50
/** And while there is none: the request has one budget of processor time until then, of which a piece takes some 100 µs. */
export const UNANSWERED_PIECE_MS = 250

export class BodyPieces {
  readonly #sink: RequestSink
  readonly #gathered: ByteStore
  /** Small pieces that may go at once, and since when the next further one is earned. */
  #left = SMALL_PIECES_MAX
  #earningMs = 0
  /** Set while small pieces wait. */
  #timer: TimerEntry | undefined

  constructor(sink: RequestSink) {
    this.#sink = sink
    this.#gathered = new ByteStore(sink.buffers)
  }

  /** The next body begins. */
  begin(): void {
    this.clear()
    this.#left = SMALL_PIECES_MAX
  }

  /** What has not been handed on is dropped. */
  clear(): void {
    this.#gathered.clear()
    this.#stopTimer()
  }

  /** The next bytes for this reader, now or later; false when there is no room to gather them. */
  take(reader: BodyReader, bytes: Uint8Array, from: number, to: number, isLast: boolean): boolean {
    const gathered = this.#gathered
    const isDue = isLast || gathered.length + (to - from) >= PIECE_BYTES_MIN || this.#mayGo(reader)
    if (gathered.length === 0 && isDue) {
      reader.piece(bytes, from, to, isLast)
      return true
    }
    if (!gathered.append(bytes, from, to)) return false
    if (!isDue) return true
    const { bytes: all, start, end } = gathered
    this.clear()
    reader.piece(all, start, end, isLast)
    return true
  }

  /** Whether a small piece may go at once; if not, there is a timer afterwards. */
  #mayGo(reader: BodyReader): boolean {
    if (this.#timer !== undefined) return false
    const { nowMs, timers } = this.#sink
    const eachMs = reader.isAnswering ? SMALL_PIECE_MS : UNANSWERED_PIECE_MS
    if (this.#left < SMALL_PIECES_MAX) {
      const earned = Math.max(0, Math.floor((nowMs - this.#earningMs) / eachMs))
      this.#left = Math.min(SMALL_PIECES_MAX, this.#left + earned)
      this.#earningMs += earned * eachMs
    }
    if (this.#left === SMALL_PIECES_MAX) this.#earningMs = nowMs
    if (this.#left > 0) {
      this.#left--
      return true
    }
    this.#timer = timers.add(this.#earningMs + eachMs, () => this.#handOn(reader))
    return false
  }

  /** Small pieces have waited for as long as they may: what has been earned meanwhile is spent. */
  #handOn(reader: BodyReader): void {
    const { bytes, start, end } = this.#gathered
    this.#earningMs = this.#timer!.atMs
    this.clear()
    reader.latePiece(bytes, start, end)
  }

  #stopTimer(): void {
    if (this.#timer === undefined) return
    this.#sink.timers.cancel(this.#timer)
    this.#timer = undefined
  }
}
