import { host } from '../bridge.ts'
import { OP } from '../ops.ts'
import { bufferLengthOf, newPromise, setBytes } from '../primordials.ts'

/** A request body that arrives while its handler runs: pieces are asked for when somebody reads it, and kept until its end. */
export class IncomingBody {
  readonly #pieces: ArrayBuffer[] = []
  #bytes = 0
  #whole: Promise<ArrayBuffer> | undefined
  #resolve: ((whole: ArrayBuffer) => void) | undefined

  /** `first`: what came with the request's head. */
  constructor(first: ArrayBuffer | undefined) {
    if (first !== undefined) this.#keep(first)
  }

  /** All of it, once it has come. The same buffer for every caller: a clone of the request reads it too. */
  collect(): Promise<ArrayBuffer> {
    if (this.#whole === undefined) {
      this.#whole = newPromise<ArrayBuffer>((resolve) => {
        this.#resolve = resolve
      })
      host(OP.BODY_PULL)
    }
    return this.#whole
  }

  take(piece: ArrayBuffer, isLast: boolean): void {
    this.#keep(piece)
    if (!isLast) {
      host(OP.BODY_PULL)
      return
    }
    this.#resolve?.(this.#join())
  }

  #keep(piece: ArrayBuffer): void {
    this.#pieces[this.#pieces.length] = piece
    this.#bytes += bufferLengthOf(piece)
  }

  #join(): ArrayBuffer {
    const whole = new ArrayBuffer(this.#bytes)
    const bytes = new Uint8Array(whole)
    let at = 0
    for (let i = 0; i < this.#pieces.length; i++) {
      const piece = this.#pieces[i]!
      setBytes(bytes, new Uint8Array(piece), at)
      at += bufferLengthOf(piece)
    }
    this.#pieces.length = 0
    return whole
  }
}

let incoming: IncomingBody | undefined

/** The body of the request that begins; of an earlier one nothing more will come. */
export function expectBody(first: ArrayBuffer | undefined): IncomingBody {
  incoming = new IncomingBody(first)
  return incoming
}

/** Called by the host: a piece that was asked for. `last` is 1 when nothing follows. */
export function push(piece: ArrayBuffer, last: number): void {
  incoming?.take(piece, last === 1)
}
