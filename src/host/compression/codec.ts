// One CompressionStream or DecompressionStream of a guest's: Node's zlib stream behind it, given a piece and asked for what that brings.

import * as zlib from 'node:zlib'
import { CODEC, CODEC_PIECE_BYTES } from '../../guest/ops.ts'
import { CallError } from '../call.ts'

/** A result is given as soon as it has so many bytes; the rest waits inside zlib until it is asked for. */
const OUTPUT_BYTES = 65_536
/** What zlib works on at once, and what it may have ready. */
const BLOCK_BYTES = 16_384

const options: zlib.ZlibOptions & { readableHighWaterMark: number } = {
  chunkSize: BLOCK_BYTES,
  readableHighWaterMark: BLOCK_BYTES,
}

/** By CODEC (src/guest/ops.ts). */
const MAKERS: readonly ((options: zlib.ZlibOptions) => zlib.Gzip)[] = [
  zlib.createGzip,
  zlib.createDeflate,
  zlib.createDeflateRaw,
  zlib.createGunzip,
  zlib.createInflate,
  zlib.createInflateRaw,
] as never

export class Codec {
  readonly isDecompressor: boolean
  readonly #stream: zlib.Gzip
  #isBusy = false
  /** All that was given has been taken, and what it brought is there to be read. */
  #isTaken = true
  #isEnding = false
  #isEnded = false
  #givenBytes = 0
  #failure: CallError | undefined
  #onChange = () => {}

  /** @throws CallError for a `kind` that is none. */
  constructor(kind: number) {
    const make = MAKERS[kind]
    if (make === undefined) throw new CallError('TypeError', 'there is no such format')
    this.isDecompressor = kind >= CODEC.DECOMPRESS
    this.#stream = make(options)
    const changed = () => this.#onChange()
    this.#stream.on('readable', changed)
    this.#stream.on('end', () => this.#ended())
    this.#stream.on('error', () => this.#fail(new CallError('TypeError', 'the compressed data is not valid')))
    this.#stream.on('close', () => this.#fail(new CallError('AbortError', 'the stream was closed')))
  }

  /** Whether nothing can come any more. */
  get isDone(): boolean {
    return this.#failure !== undefined || (this.#isEnding && this.#isEnded)
  }

  /**
   * What a piece (undefined: the end) brings: see {@link read}.
   * @throws CallError TypeError for data that is damaged, that ends too early, or that goes on after its end.
   */
  async write(piece: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    if (this.#isBusy || !this.#isTaken || this.#isEnding) {
      throw new CallError('TypeError', 'a piece is still under way')
    }
    if (piece !== undefined && piece.length > CODEC_PIECE_BYTES) {
      throw new CallError('RangeError', `a piece is longer than ${CODEC_PIECE_BYTES} bytes`)
    }
    if (this.#failure !== undefined) throw this.#failure
    this.#isTaken = false
    if (piece === undefined) {
      this.#isEnding = true
      this.#stream.end()
    } else {
      this.#givenBytes += piece.length
      this.#stream.write(piece, () => {
        this.#isTaken = true
        this.#onChange()
      })
    }
    return this.read()
  }

  /**
   * The next bytes, then one byte: 1 when more follow without a further piece, else 0. Undefined: none, and none follow.
   * @throws CallError as {@link write}.
   */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#isBusy) throw new CallError('TypeError', 'a piece is still under way')
    this.#isBusy = true
    try {
      return await this.#collect()
    } finally {
      this.#isBusy = false
    }
  }

  async #collect(): Promise<Uint8Array | undefined> {
    const blocks: Uint8Array[] = []
    let bytes = 0
    for (;;) {
      const block = this.#stream.read() as Uint8Array | null
      if (block !== null) {
        blocks.push(block)
        bytes += block.length
        if (bytes >= OUTPUT_BYTES) return Buffer.concat([...blocks, MORE])
      } else if (this.#failure !== undefined) {
        // What came before it is good: it goes first.
        if (bytes === 0) throw this.#failure
        return Buffer.concat([...blocks, MORE])
      } else if (this.#isTaken) {
        return bytes === 0 ? undefined : Buffer.concat([...blocks, NO_MORE])
      } else {
        await new Promise<void>((resolve) => (this.#onChange = resolve))
        this.#onChange = () => {}
      }
    }
  }

  close(): void {
    this.#stream.destroy()
  }

  /** The end of what zlib reads, which is not that of what was given if it goes on. */
  #ended(): void {
    this.#isEnded = true
    if (!this.#isEnding || this.#stream.bytesWritten < this.#givenBytes) {
      this.#fail(new CallError('TypeError', 'the compressed data goes on after its end'))
      return
    }
    this.#isTaken = true
    this.#onChange()
  }

  #fail(failure: CallError): void {
    // A stream that has ended well is closed as well.
    if (this.#isEnded && failure.name === 'AbortError') return
    this.#failure ??= failure
    this.#onChange()
  }
}

const MORE = new Uint8Array([1])
const NO_MORE = new Uint8Array([0])
