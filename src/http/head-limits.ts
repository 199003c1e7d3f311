export interface HeadLimits {
  /** The whole head, from the first byte (empty lines before the request line too) to past the empty line. */
  readonly headBytes: number
  readonly targetBytes: number
  readonly fields: number
  /** Empty lines tolerated before the request line (RFC 9112 2.2 asks for at least one). */
  readonly leadingEmptyLines: number
}

/** Longer than every registered method; a longer one is answered 501 (RFC 9112 3). */
export const METHOD_BYTES_MAX = 32
