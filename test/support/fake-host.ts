import type { HostCalls } from '../../src/engine/border.ts'

/** The host's side of one request: keeps what the guest asks for. */
export class FakeHost implements HostCalls {
  readonly lines: string[] = []
  readonly timers = new Map<number, number>()
  timersMax = 100
  environment = '{}'

  log(level: number, text: string): void {
    this.lines.push(`${level} ${text}`)
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
  /** Pieces of the body asked for. */
  pulls = 0

  bodyPull(): void {
    this.pulls++
  }

  env(): string {
    return this.environment
  }
}
