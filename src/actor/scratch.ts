import { ChunkedDecoder, type ChunkedLimits } from '../http/chunked.ts'
import { Framing } from '../http/framing.ts'
import type { HeadParser } from '../http/parser.ts'

/** The parsers' scratch: one for all sessions of a shard. */
export class ParserScratch {
  readonly parser: HeadParser
  readonly framing = new Framing()
  readonly #limits: ChunkedLimits
  #spare: ChunkedDecoder | undefined

  constructor(parser: HeadParser, limits: ChunkedLimits) {
    this.parser = parser
    this.#limits = limits
  }

  /** A decoder for one body. */
  takeDecoder(): ChunkedDecoder {
    const decoder = this.#spare ?? new ChunkedDecoder(this.#limits)
    this.#spare = undefined
    decoder.reset()
    return decoder
  }

  giveDecoder(decoder: ChunkedDecoder): void {
    this.#spare = decoder
  }
}
