import { bufferLengthOf, newPromise, setBytes } from '../primordials.ts'
import { CONSUMED, LAZY, type LazyBody } from './body.ts'
import { type StreamedBody, streamOf } from './body-stream.ts'
import { gather, type Pull } from './gather.ts'
import { beginSending, type PieceResult, type PieceSource } from './outgoing.ts'

/** A body that the host has, and gives piece by piece: a piece is asked for when somebody wants it, so no more than one is kept. */
export class PulledBody implements LazyBody {
  readonly [LAZY] = true
  readonly #pull: Pull
  readonly #drop: (reason: unknown) => void
  #whole: Promise<ArrayBuffer> | undefined
  /** Several owners read it: each gets all of it. */
  #isShared = false
  /** Somebody may yet read it who has not got all of it. */
  isTaken = false

  /** `drop`: nobody wants the rest. */
  constructor(pull: Pull, drop: (reason: unknown) => void) {
    this.#pull = pull
    this.#drop = drop
  }

  get isUsed(): boolean {
    return false
  }

  get isReadable(): boolean {
    return true
  }

  /** All of it, once it has come. The same buffer for every caller: it is not given to user code. */
  collect(): Promise<ArrayBuffer> {
    this.isTaken = true
    this.#whole ??= gather(this.#pull)
    return this.#whole
  }

  afterReading(): typeof CONSUMED {
    return CONSUMED
  }

  clone(): [PulledBody, PulledBody] {
    this.isTaken = this.#isShared = true
    return [this, this]
  }

  toStreamed(): StreamedBody {
    const { pull, drop } = this.#reading()
    return streamOf(pull, drop)
  }

  source(): PieceSource {
    const { pull, drop } = this.#reading()
    return { read: () => read(pull), cancel: async (reason) => drop(reason) }
  }

  send(): undefined {
    beginSending(this.source())
  }

  /** What reads it, and how the host is told that nobody wants the rest. */
  #reading(): { pull: Pull; drop: (reason: unknown) => void } {
    this.isTaken = true
    if (!this.#isShared) return { pull: this.#pull, drop: this.#drop }
    let isDone = false
    const pull = async (): Promise<ArrayBuffer | undefined> => {
      if (isDone) return undefined
      isDone = true
      const bytes = await this.collect()
      return bufferLengthOf(bytes) > 0 ? copyOf(bytes) : undefined
    }
    return { pull, drop: () => {} }
  }
}

async function read(pull: Pull): Promise<PieceResult> {
  const piece = await pull()
  return piece === undefined
    ? { value: undefined, done: true }
    : { value: new Uint8Array(piece), done: false }
}

function copyOf(buffer: ArrayBuffer): ArrayBuffer {
  const copy = new ArrayBuffer(bufferLengthOf(buffer))
  setBytes(new Uint8Array(copy), new Uint8Array(buffer), 0)
  return copy
}

/** A promise and its two ends. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
}

export function defer<T>(): Deferred<T> {
  let ends: Omit<Deferred<T>, 'promise'> | undefined
  const promise = newPromise<T>((resolve, reject) => {
    ends = { resolve, reject }
  })
  return { promise, ...ends! }
}
