/** What is wrong with a configuration: lines of text, gathered, then thrown together. */
import { RingletError } from '../errors.ts'
import { printable } from './values.ts'

const SHOWN_MAX = 10

/** Everything that is wrong, one line a problem. `exitCode` is 2. */
export class ConfigError extends RingletError<'RINGLET_CONFIG'> {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    const lines = problems.map(printable)
    super('RINGLET_CONFIG', { problems: lines.join('\n') })
    this.problems = lines
  }
}

export class Problems {
  readonly #lines: string[] = []
  readonly #paths: string[] = []

  add(line: string): void {
    this.#lines.push(line)
  }

  /** At most one line a key: what follows from a wrong section or list is not said again for its parts. */
  addFor(path: string, line: string): void {
    if (this.#covers(path)) return
    this.#paths.push(path)
    this.add(line)
  }

  #covers(path: string): boolean {
    return this.#paths.some(
      (reported) => path === reported || path.startsWith(`${reported}.`) || path.startsWith(`${reported}[`),
    )
  }

  throwIfAny(): void {
    const lines = this.#lines
    if (lines.length === 0) return
    const rest = lines.length - SHOWN_MAX
    throw new ConfigError(rest > 0 ? [...lines.slice(0, SHOWN_MAX), `and ${rest} more`] : lines)
  }
}
