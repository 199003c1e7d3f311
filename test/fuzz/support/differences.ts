// Every kind of difference to another parser, and why ours is right. What is in no row fails the tests.

import packageJson from 'http-parser-js/package.json' with { type: 'json' }
import type { Difference, Kind } from './compare.ts'
import { LLHTTP_MISREADINGS, LLHTTP_REFUSALS } from './llhttp-differences.ts'
import type { OtherReader } from './message.ts'
import { nodeHttp } from './node-http.ts'
import { ParserJs } from './parser-js.ts'
import { PARSER_JS_MISREADINGS, PARSER_JS_REFUSALS } from './parser-js-differences.ts'
import { brokenRule } from './rules.ts'

export interface Explanation {
  readonly kinds: readonly Kind[]
  /** The refusals, or the parts of a message, that it is about. */
  readonly what: readonly string[]
  /** Whether the input is what the row says. */
  readonly when: (difference: Difference) => boolean
  /** Why ours is right, with its section. */
  readonly why: string
  /** An input that shows it. */
  readonly example: string
}

export interface OtherParser {
  readonly name: string
  readonly version: string | undefined
  /** The one that the rows were written for. */
  readonly knownVersion: string
  /** A new connection. */
  readonly open: () => OtherReader
  /** What it refuses, or waits for, and ours does not. */
  readonly refusals: readonly Explanation[]
  /** What both take, and it understands differently. */
  readonly misreadings: readonly Explanation[]
}

export const OTHER_PARSERS: readonly OtherParser[] = [
  {
    name: 'llhttp',
    version: process.versions['llhttp'],
    knownVersion: '9.3.1',
    open: nodeHttp(),
    refusals: LLHTTP_REFUSALS,
    misreadings: LLHTTP_MISREADINGS,
  },
  {
    name: 'http-parser-js',
    version: packageJson.version,
    knownVersion: '0.5.10',
    open: () => new ParserJs(),
    refusals: PARSER_JS_REFUSALS,
    misreadings: PARSER_JS_MISREADINGS,
  },
]

/** The row that it is in. */
export function explained(rows: readonly Explanation[], found: Difference): Explanation | undefined {
  return rows.find(
    ({ kinds, what, when }) => kinds.includes(found.kind) && what.includes(found.what) && when(found),
  )
}

/** Why ours is right, or undefined when nobody has said so yet. */
export function reasonFor(parser: OtherParser, found: Difference): string | undefined {
  if (found.kind === 'ours refuses') return brokenRule(found.what, found.text)?.why
  return explained([...parser.refusals, ...parser.misreadings], found)?.why
}
