// The guest API as source text (scripts/build-guest.mjs): the core, which is in every base image, and the features, which are
// evaluated over it where a function needs them.

interface Scripts {
  readonly core: string
  /** In the order of FEATURES (src/guest/features/names.ts): expressions whose values are functions. */
  readonly features: readonly string[]
}

/** Read from memory that all threads share, and only by those that evaluate something. */
export class GuestScripts {
  readonly #text: SharedArrayBuffer
  #parsed: Scripts | undefined

  /** `text`: JSON as UTF-8. */
  constructor(text: SharedArrayBuffer) {
    this.#text = text
  }

  get core(): string {
    return this.#scripts().core
  }

  /** Undefined for an index that is none. */
  feature(index: number): string | undefined {
    return this.#scripts().features[index]
  }

  #scripts(): Scripts {
    this.#parsed ??= JSON.parse(Buffer.from(this.#text).toString()) as Scripts
    return this.#parsed
  }
}
