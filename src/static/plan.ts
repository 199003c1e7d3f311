// What an actor is given of the configuration's static routes: plain data, cloned to its thread.

/** One route and the folder behind it. */
export interface StaticPlan {
  /** Ends in `/*`. */
  readonly route: string
  /** Absolute. */
  readonly dir: string
  /** Value of Cache-Control; null for none. */
  readonly cacheControl: string | null
  /** Names of the files that stand for their folder, first choice first. */
  readonly index: readonly string[]
  /** A file below `dir` that is served where there is no other; null for none. */
  readonly spaFallback: string | null
  /** Tried behind a name that is no file, without the dot. */
  readonly extensions: readonly string[]
  readonly dotfiles: 'ignore' | 'deny' | 'allow'
  readonly symlinks: 'inside' | 'follow'
  readonly listing: 'on' | 'off'
  readonly compression: 'on' | 'beside' | 'off'
  readonly headers: Readonly<Record<string, string>>
}

/** What all static routes of a shard share. */
export interface StaticLimits {
  /** Contents, together. */
  readonly cacheBytes: number
  /** Longest content that is kept, and that goes through the rings. */
  readonly fileBytes: number
  /** What is known of files, together. */
  readonly metadataBytes: number
  /** How old that may be. */
  readonly checkMs: number
  /** Longest file that is compressed. */
  readonly compressBytes: number
}
