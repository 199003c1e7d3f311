import { syntaxError } from './host.ts'
import type { Usage } from './key.ts'

/** @throws SyntaxError for a usage that the key cannot have. */
export function checkUsages(wanted: readonly Usage[], allowed: readonly Usage[]): void {
  for (const usage of wanted) {
    if (!allowed.includes(usage)) throw syntaxError(`a key of this kind cannot ${usage}`)
  }
}
