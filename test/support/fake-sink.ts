import type {
  RequestBody,
  RequestHead,
  RequestSink,
  Session,
  SessionLimits,
} from '../../src/actor/session.ts'

export const HEAD_LIMITS = { headBytes: 2048, targetBytes: 512, fields: 20, leadingEmptyLines: 2 }

export const SESSION_LIMITS: SessionLimits = {
  chunked: {
    bodyBytes: 4096,
    extensionBytes: 256,
    overheadBytes: 1024,
    trailerBytes: 256,
    trailerFields: 10,
  },
  bodyBytes: 4096,
  sendWindowBytes: 65536,
  headMs: 1000,
  bodyMs: 2000,
  idleMs: 3000,
}

/** A sink that answers at once, later, or by closing. */
export class FakeSink implements RequestSink {
  readonly requests: { method: string; target: string; body: string | null }[] = []
  readonly errors: number[] = []
  continues = 0
  nowMs: number = performance.now()
  mode: 'answer' | 'hold' | 'close' = 'answer'

  route(): number {
    return 0
  }

  request(session: Session, head: RequestHead, body: RequestBody): void {
    const text = (bytes: Uint8Array, from: number, to: number) =>
      Buffer.from(bytes.subarray(from, to)).toString('latin1')
    this.requests.push({
      method: text(head.bytes, head.start, head.methodEnd),
      target: text(head.bytes, head.targetStart, head.targetEnd),
      body: body.bytes === null ? null : text(body.bytes, body.start, body.end),
    })
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
