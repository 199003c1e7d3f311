// Our own parts against each other and against the grammar: scalar and SIMD, whole and in pieces, in place and elsewhere.

import { expect, it } from 'vitest'
import { HTTP_ERRORS, httpError } from '../../src/http/errors.ts'
import { type Check, checkChunked, checkCopyFields, checkHead, checkRules } from './support/checks.ts'
import { bodyInput, fieldsInput, input } from './support/generator.ts'
import { readOurs } from './support/ours.ts'
import type { Random } from './support/random.ts'
import { RULES } from './support/rules.ts'
import { escaped, FUZZ_TIMEOUT_MS, startRun } from './support/run.ts'

interface Case {
  readonly what: string
  readonly check: Check
  readonly make: (random: Random) => string
  /** What may become of an input. */
  readonly outcomes: readonly string[]
}

const CASES: readonly Case[] = [
  {
    what: 'scalar and SIMD parser agree on every head, between any bytes, whole and in pieces',
    check: checkHead,
    make: input,
    outcomes: ['heads', 'partial', 'refused'],
  },
  {
    what: 'a request is refused for the rule it breaks, and taken when it breaks none',
    check: checkRules,
    make: input,
    outcomes: ['partial', 'refused', 'taken'],
  },
  {
    what: 'a chunked body gives the same whole, in pieces and in place',
    check: checkChunked,
    make: bodyInput,
    outcomes: ['done', 'partial', 'refused'],
  },
  {
    what: "a guest's fields are copied line by line or not at all",
    check: checkCopyFields,
    make: fieldsInput,
    outcomes: ['copied', 'refused'],
  },
]

/** Enough for the rarest outcome to turn up more often than is asked for. */
const INPUTS_MIN = 2000

it.each(CASES)('$what', { timeout: FUZZ_TIMEOUT_MS }, ({ what, check, make, outcomes }) => {
  const { random, goesOn, report, label } = startRun(what, INPUTS_MIN)
  const counts = Object.fromEntries(outcomes.map((outcome) => [outcome, 0]))
  while (goesOn()) {
    const text = make(random)
    try {
      counts[check(Buffer.from(text, 'latin1'), random)]!++
    } catch (error) {
      throw new Error(`${label}, ${escaped(text)}: ${(error as Error).message}`, { cause: error })
    }
  }
  report(JSON.stringify(counts))
  expect(Object.keys(counts)).toEqual(outcomes)
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(10)
})

it.each(RULES)('$name: $why', ({ name, isBroken, example }) => {
  const bytes = Buffer.from(example, 'latin1')
  expect(isBroken(example)).toBe(true)
  expect(readOurs(bytes, 0, bytes.length).refusal).toBe(name)
})

it('has a rule for every refusal that an input can meet with', () => {
  // The clock's and the buffers', those of an answer's fields, and limits that are larger than any input.
  const elsewhere = /-timeout$|^bad-response-|^chunk-(extension|overhead)-too-large$|^buffers-full$/
  const names = Object.values(HTTP_ERRORS).map((code) => httpError(code).name)
  expect(new Set(RULES.map(({ name }) => name))).toEqual(
    new Set(names.filter((name) => !elsewhere.test(name))),
  )
})
