// Bodies between a guest and another server: each side is asked for one piece at a time.

import type { Readable } from 'node:stream'
import { CallError } from '../call.ts'
import { networkError } from './connect.ts'

/** A response's body. */
export class ResponseBody {
  readonly #stream: Readable
  readonly #pieces: AsyncIterator<Uint8Array>
  #leftBytes: number

  /** `limitBytes`: of the whole, as the guest gets it. */
  constructor(stream: Readable, limitBytes: number) {
    this.#stream = stream
    this.#leftBytes = limitBytes
    this.#pieces = stream[Symbol.asyncIterator]()
  }

  /** The next piece, undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    let next: IteratorResult<Uint8Array>
    try {
      do next = await this.#pieces.next()
      while (next.done !== true && next.value.length === 0)
    } catch (error) {
      throw (error as { code?: string }).code?.startsWith('Z_') ||
        /^ERR__?(BROTLI|ZSTD)/.test(String((error as { code?: string }).code))
        ? new CallError('TypeError', 'fetch failed', {
            code: 'EPROTO',
            message: 'the content coding is damaged',
          })
        : networkError(error)
    }
    if (next.done === true) return undefined
    this.#leftBytes -= next.value.length
    if (this.#leftBytes >= 0) return next.value
    this.close()
    throw new CallError('TypeError', 'fetch failed', {
      code: 'RINGLET_FETCH_TOO_LARGE',
      message: 'the body of the response is longer than fetch.responseBytes',
    })
  }

  /** Nobody wants the rest: its connection closes. */
  close(): void {
    this.#stream.on('error', () => {})
    this.#stream.destroy()
  }
}

/** A request's body that a guest gives: it may give the next piece when the last has been taken. */
export class RequestPieces implements AsyncIterable<Uint8Array> {
  #piece: Uint8Array | undefined
  #isEnded = false
  #failure: Error | undefined
  #onPiece: (() => void) | undefined
  #onTaken: (() => void) | undefined

  /** Resolves when the piece has been taken; undefined ends the body. */
  async write(piece: Uint8Array | undefined): Promise<void> {
    if (this.#isEnded || this.#failure !== undefined) return
    if (this.#onTaken !== undefined) throw new CallError('TypeError', 'a piece is still under way')
    if (piece === undefined) this.#isEnded = true
    else this.#piece = piece
    this.#onPiece?.()
    if (piece === undefined) return
    await new Promise<void>((resolve) => {
      this.#onTaken = resolve
    })
  }

  /** The rest will not come, or is not wanted. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#onPiece?.()
    this.#taken()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const piece = this.#piece
      if (piece !== undefined) {
        this.#piece = undefined
        this.#taken()
        yield piece
      } else if (this.#isEnded) return
      else {
        await new Promise<void>((resolve) => {
          this.#onPiece = resolve
        })
        this.#onPiece = undefined
      }
    }
  }

  #taken(): void {
    this.#onTaken?.()
    this.#onTaken = undefined
  }
}
