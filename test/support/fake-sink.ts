import { BufferBudget } from '../../src/actor/bytes.ts'
import type {
  BodyReader,
  RequestBody,
  RequestHead,
  RequestSink,
  SessionLimits,
} from '../../src/actor/request.ts'
import type { Session } from '../../src/actor/session.ts'
import { TimerQueue } from '../../src/actor/timers.ts'

export const HEAD_LIMITS = { headBytes: 2048, targetBytes: 512, fields: 20, leadingEmptyLines: 2 }

export const CHUNKED_LIMITS = {
  bodyBytes: 4096,
  extensionBytes: 256,
  overheadBytes: 1024,
  trailerBytes: 256,
  trailerFields: 10,
}

export const SESSION_LIMITS: SessionLimits = {
  bodyBytes: 4096,
  inlineBodyBytes: 4096,
  sendWindowBytes: 65536,
  headMs: 1000,
  bodyMs: 2000,
  idleMs: 3000,
}

interface FakeReader extends BodyReader {
  wantsBody: boolean
}

/** A sink that answers at once, later, or by closing. */
export class FakeSink implements RequestSink {
  readonly requests: { method: string; target: string; body: string | null }[] = []
  readonly errors: number[] = []
  continues = 0
  /** Streamed requests are answered before their body has come. */
  answersEarly = false
  /** A turn of this test's own time: its share is not over before the test is, however long the thread is off its processor. */
  nowMs: number = performance.now() + 3_600_000
  /** As much as any test keeps; one that is about the bound gives its own. */
  buffers = new BufferBudget(1 << 30)
  readonly timers = new TimerQueue()
  /** The pieces of streamed bodies after what came with their heads. */
  readonly pieces: string[] = []
  mode: 'answer' | 'hold' | 'close' = 'answer'
  /** Whether the readers of streamed bodies ask for the next piece at once. */
  pulls = true
  /** Streamed bodies that are still arriving. */
  readonly readers = new Set<FakeReader>()

  route(): number {
    return 0
  }

  /** What the next request is told; -1: it stays. */
  lane = -1

  laneFor(): number {
    return this.lane
  }

  request(session: Session, head: RequestHead, body: RequestBody): void {
    const text = (bytes: Uint8Array, from: number, to: number) =>
      Buffer.from(bytes.subarray(from, to)).toString('latin1')
    const entry = {
      method: text(head.bytes, head.start, head.methodEnd),
      target: text(head.bytes, head.targetStart, head.targetEnd),
      body: body.bytes === null ? null : text(body.bytes, body.start, body.end),
    }
    this.requests.push(entry)
    if (body.streams && this.mode !== 'close' && !(this.answersEarly && this.mode === 'answer')) {
      const reader: FakeReader = {
        wantsBody: this.pulls,
        isAnswering: false,
        latePiece: (bytes, from, to) => {
          reader.piece(bytes, from, to, false)
          session.resume()
        },
        piece: (bytes, from, to, isLast) => {
          reader.wantsBody = this.pulls
          const piece = text(bytes, from, to)
          this.pieces.push(piece)
          entry.body = (entry.body ?? '') + piece
          bytes.fill(0x3f, from, to)
          if (!isLast) return
          this.readers.delete(reader)
          if (this.mode === 'answer') session.answered()
        },
      }
      this.readers.add(reader)
      session.reader = reader
      return
    }
    if (this.mode === 'answer') session.answered()
    else if (this.mode === 'close') session.close()
  }

  refuse(session: Session, error: number): void {
    this.errors.push(error)
    session.close()
  }

  sendContinue(): void {
    this.continues++
  }
}
