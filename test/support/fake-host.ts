import type { HostCalls } from '../../src/engine/host-ops.ts'
import type { HostValue } from '../../src/guest/host.ts'

/** The host's side of one request: keeps what the guest asks for. */
export class FakeHost implements HostCalls {
  readonly lines: string[] = []
  readonly timers = new Map<number, number>()
  timersMax = 100
  environment = '{}'

  log(level: number, text: string): void {
    this.lines.push(`${level} ${text}`)
  }

  /** Rejections that nobody has handled: what they are of, or how many more. */
  readonly unhandledOnes: (string | number)[] = []

  unhandled(failure: string, more: number): void {
    this.unhandledOnes.push(failure === '' ? more : failure)
  }

  timerSet(id: number, delayMs: number): boolean {
    if (this.timers.size >= this.timersMax) return false
    this.timers.set(id, delayMs)
    return true
  }

  timerClear(id: number): void {
    this.timers.delete(id)
  }

  isCancelled = false
  isOverSubrequests = false
  /** Pieces of the body asked for. */
  pulls = 0

  bodyPull(): void {
    this.pulls++
  }

  /** Whether the rest of the body is wanted no more. */
  isDropped = false

  bodyDrop(): void {
    this.isDropped = true
  }

  env(): string {
    return this.environment
  }

  /** Calls under way by their ids: what is to be done, and its arguments. */
  readonly calls = new Map<number, readonly [what: number, ...values: HostValue[]]>()
  callsMax = 100

  call(id: number, what: number, values: readonly HostValue[]): string | undefined {
    if (this.calls.size >= this.callsMax) return 'too many calls'
    this.calls.set(id, [what, ...values])
    return undefined
  }

  /** Pieces of a streamed answer, how long the next may be, and its end: '' or a failure. */
  readonly sent: Buffer[] = []
  sendBytes = 65_536
  sentEnd: string | undefined

  send(bytes: Uint8Array, from: number, to: number): number {
    this.sent.push(Buffer.from(bytes.slice(from, to)))
    return this.sendBytes
  }

  sendEnd(failure: string): void {
    this.sentEnd = failure
  }

  callCancel(id: number): void {
    this.calls.delete(id)
  }
}
