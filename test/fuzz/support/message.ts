// What a parser made of a stream of bytes, in one shape for all of them.

/** One request as far as it was read; bytes are latin1 text. */
export interface Message {
  readonly method: string
  readonly target: string
  readonly minor: number
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Another request may follow on the connection. */
  readonly keepAlive: boolean
  readonly body: string
  readonly isComplete: boolean
}

export interface Reading {
  /** All but the last are complete. */
  readonly messages: readonly Message[]
  /** Why it reads no further: an error's name, or undefined when it waits for more bytes. */
  readonly refusal: string | undefined
}

/** A parser other than ours, on one connection's bytes as they arrive. */
export interface OtherReader {
  /** Parses; when it returns, `completed` is up to date. */
  feed(bytes: Buffer): void
  readonly completed: number
  /** What it understood; of bodies, when the event loop has turned once since `feed`. */
  reading(): Reading
  /** Frees what the connection holds. */
  close(): void
}
