// Content negotiation by Accept-Encoding, RFC 9110, section 12.5.3.

export type Coding = 'br' | 'zstd' | 'gzip'

/** Best first, where a client has no preference. */
export const CODINGS: readonly Coding[] = ['br', 'zstd', 'gzip']

const ELEMENT = /^([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i
const ALIASES: Readonly<Record<string, string>> = { 'x-gzip': 'gzip' }
/** Of what a client does not mention: acceptable, but behind all that it mentions (section 12.5.3, rule 2). */
const UNMENTIONED = Number.MIN_VALUE

/** What a client accepts. */
export class AcceptedCodings {
  readonly #weights = new Map<string, number>()

  constructor(field: string) {
    for (const element of field.split(',')) {
      const match = ELEMENT.exec(element.trim())
      if (match === null) continue
      const name = match[1]!.toLowerCase()
      this.#weights.set(ALIASES[name] ?? name, match[2] === undefined ? 1 : Number(match[2]))
    }
  }

  /** Codings that are acceptable and no worse than none, best first. */
  preferred(): Coding[] {
    const weight = (coding: Coding) => this.#weights.get(coding) ?? this.#weights.get('*') ?? 0
    const identity = this.identityWeight
    return CODINGS.filter((coding) => weight(coding) > 0 && weight(coding) >= identity).sort(
      (a, b) => weight(b) - weight(a),
    )
  }

  /** 0 when the client refuses what is not encoded. */
  get identityWeight(): number {
    const weights = this.#weights
    return weights.get('identity') ?? (weights.get('*') === 0 ? 0 : UNMENTIONED)
  }
}

/** What no field says: nothing is encoded. */
export const NO_CODINGS: AcceptedCodings = new AcceptedCodings('')
