// What the build compiles the SIMD parser with, and what the bench measures: both parsers and the framing rules behind them.

export { Framing, readFraming } from '../src/http/framing.ts'
export { PARSER_NUMBERS } from '../src/http/numbers.ts'
export { ScalarParser } from '../src/http/parser.ts'
export { SimdParser, simdScratchBytes } from '../src/http/simd.ts'
