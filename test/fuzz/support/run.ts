import { Random } from './random.ts'

/** Longest time a fuzzing test takes in `npm test`; FUZZ_SECONDS overrides it (`npm run fuzz` does). */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 1)
/** FUZZ_SEED repeats a run. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)

if (!(SECONDS > 0) || !Number.isSafeInteger(SEED))
  throw new RangeError('FUZZ_SECONDS or FUZZ_SEED is no number')

/** Room for what a time-boxed test does before and after. */
export const FUZZ_TIMEOUT_MS = SECONDS * 1000 + 30_000

/** What a run needs: numbers from the seed, and whether there is another input to be made. */
export interface FuzzRun {
  readonly random: Random
  readonly goesOn: () => boolean
  /** Says what was run, for the log. */
  readonly report: (what: string) => void
  /** In front of every failure, so that it can be repeated. */
  readonly label: string
}

/** `inputsMin`: made however little a busy machine does in that time, where each kind of outcome has to turn up. */
export function startRun(name: string, inputsMin = 0): FuzzRun {
  const endMs = performance.now() + SECONDS * 1000
  let inputs = 0
  const label = `${name}, FUZZ_SEED=${SEED} FUZZ_SECONDS=${SECONDS}`
  return {
    random: new Random(SEED),
    goesOn: () => inputs++ < inputsMin || performance.now() < endMs,
    report: (what) => console.log(`${label}: ${what}`),
    label,
  }
}

/** Input as a string literal that gives the same bytes. */
export function escaped(text: string): string {
  const body = [...text].map((character) => {
    const code = character.charCodeAt(0)
    if (character === '\r') return '\\r'
    if (character === '\n') return '\\n'
    if (character === '\\' || character === "'") return `\\${character}`
    return code >= 0x20 && code <= 0x7e ? character : `\\x${code.toString(16).padStart(2, '0')}`
  })
  return `'${body.join('')}'`
}
