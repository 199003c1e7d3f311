// What fuzz-coverage.mjs gives to a fuzzer that watches which code its inputs reach: entry points and first inputs.

import {
  type Check,
  checkChunked,
  checkCopyFields,
  checkHead,
  checkRules,
} from '../test/fuzz/support/checks.ts'
import { bodyInput, CORPUS, fieldsInput, input } from '../test/fuzz/support/generator.ts'
import { Random } from '../test/fuzz/support/random.ts'

/** An input begins with the seed of the numbers that steer its check: placing, limits, cuts. */
const SEED_BYTES = 4
/** What the parsers' arena takes, canaries and all. */
const INPUT_BYTES_MAX = 6000
const GENERATED_SEEDS = 300

function entry(check: Check): (data: Buffer) => void {
  return (data) => {
    if (data.length < SEED_BYTES) return
    const bytes = data.subarray(SEED_BYTES, SEED_BYTES + INPUT_BYTES_MAX)
    check(bytes, new Random(data.readUInt32LE(0)))
  }
}

/** An entry point each; a thrown error is a finding. */
export const head = entry(checkHead)
export const framing = entry(checkRules)
export const chunked = entry(checkChunked)
export const copyFields = entry(checkCopyFields)

/** First inputs of an entry point: those of the case tables where there are any, and some of the generator's. */
export function firstInputs(target: string, seed: number): Buffer[] {
  const random = new Random(seed)
  const make = { chunked: bodyInput, copyFields: fieldsInput }[target] ?? input
  const generated = Array.from({ length: GENERATED_SEEDS }, () => make(random))
  const texts = make === input ? [...CORPUS, ...generated] : generated
  return texts.map((text) =>
    Buffer.concat([Buffer.from([random.below(256), 0, 0, 0]), Buffer.from(text, 'latin1')]),
  )
}
