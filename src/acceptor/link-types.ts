export interface LinkLimits {
  readonly receiveWindowBytes: number
  readonly sendWindowBytes: number
  /** Most records drained before the event loop gets its turn. */
  readonly batchRecords: number
}

/** The connection whose request an actor's thread was ended for. */
export interface Culprit {
  readonly slot: number
  readonly generation: number
}
