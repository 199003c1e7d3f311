// Ours against llhttp (in node:http) and http-parser-js, on the same bytes. Whatever both take, both must understand alike,
// and each difference must be known.

import { describe, expect, it } from 'vitest'
import { type Difference, Trial } from './support/compare.ts'
import { explained, OTHER_PARSERS, type OtherParser, reasonFor } from './support/differences.ts'
import { input, validInput } from './support/generator.ts'
import type { Random } from './support/random.ts'
import { escaped, FUZZ_TIMEOUT_MS, startRun } from './support/run.ts'

/** Inputs tried between two turns of the event loop. */
const BATCH = 64

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Feeds all inputs, each to a connection of its own; what was found is given to `check`. */
async function tryAll(
  parser: OtherParser,
  inputs: readonly string[],
  isWhole: (index: number) => boolean,
  check: (trial: Trial, found: Difference | undefined) => void,
): Promise<void> {
  const trials = inputs.map((text) => ({ text, reader: parser.open() }))
  try {
    await turn()
    const fed = trials.map(({ text, reader }, index) => {
      const trial = new Trial(text, reader)
      trial.feed(isWhole(index))
      return trial
    })
    await turn()
    for (const trial of fed) check(trial, trial.outcome())
  } finally {
    for (const { reader } of trials) reader.close()
  }
}

async function differenceOf(parser: OtherParser, text: string): Promise<Difference | undefined> {
  let difference: Difference | undefined
  await tryAll(
    parser,
    [text],
    () => false,
    (_, found) => (difference = found),
  )
  return difference
}

const batch = (random: Random, make: (random: Random) => string) =>
  Array.from({ length: BATCH }, () => make(random))

function shown({ kind, what, text, ours, other }: Difference): string {
  return `${kind}: ${what}, from ${escaped(text)} on\nours ${JSON.stringify(ours)}\nother ${JSON.stringify(other)}`
}

describe.each(OTHER_PARSERS)('against $name', (parser) => {
  it('every difference is a known one', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const { random, goesOn, report, label } = startRun(`differences to ${parser.name}`)
    const seen = { same: 0, explained: 0 }
    while (goesOn()) {
      await tryAll(
        parser,
        batch(random, input),
        () => random.chance(50),
        ({ text }, found) => {
          if (found === undefined) seen.same++
          else if (reasonFor(parser, found) !== undefined) seen.explained++
          else throw new Error(`${label}: ${escaped(text)}\n${shown(found)}`)
        },
      )
    }
    report(JSON.stringify(seen))
    expect(Math.min(seen.same, seen.explained)).toBeGreaterThan(BATCH)
  })

  it('what both take, both understand alike, and it ends at the same byte', {
    timeout: FUZZ_TIMEOUT_MS,
  }, async () => {
    const { random, goesOn, report, label } = startRun(`understanding of ${parser.name}`)
    const seen = { inputs: 0, requests: 0, known: 0 }
    while (goesOn()) {
      await tryAll(
        parser,
        batch(random, validInput),
        () => false,
        ({ text, ours }, found) => {
          seen.inputs++
          if (found === undefined) seen.requests += ours.starts.length - 1
          if (found === undefined || found.kind === 'ours refuses') return
          if (explained(parser.refusals, found) !== undefined) return
          if (explained(parser.misreadings, found) === undefined)
            throw new Error(`${label}: ${escaped(text)}\n${shown(found)}`)
          seen.known++
        },
      )
    }
    report(JSON.stringify(seen))
    expect(seen.requests).toBeGreaterThan(seen.inputs / 2)
  })

  it.each([...parser.refusals, ...parser.misreadings])('known: $why', async (row) => {
    const found = await differenceOf(parser, row.example)
    // A later version may be mended; with the one that it was written for, a row that shows nothing is to go.
    if (found === undefined) expect(parser.version).not.toBe(parser.knownVersion)
    else expect(reasonFor(parser, found)).toBe(row.why)
  })
})
