// One CompressionStream or DecompressionStream of a guest's: Node's zlib stream behind it, given a piece and asked for what that brings.

import * as zlib from 'node:zlib'
import { CODEC, CODEC_PIECE_BYTES } from '../../guest/ops.ts'
import { CallError } from '../call.ts'
import { GzipFrame } from './gzip.ts'

/** A result is given as soon as it has so many bytes; the rest waits inside zlib until it is asked for. */
const OUTPUT_BYTES = 65_536
/** What zlib works on at once, and what it may have ready. */
const BLOCK_BYTES = 16_384

const options: zlib.ZlibOptions & { readableHighWaterMark: number } = {
  chunkSize: BLOCK_BYTES,
  readableHighWaterMark: BLOCK_BYTES,
}

/** By CODEC (src/guest/ops.ts). What is around the data of a gzip file is ours to read: see {@link GzipFrame}. */
const MAKERS: readonly ((options: zlib.ZlibOptions) => zlib.Gzip)[] = [
  zlib.createGzip,
  zlib.createDeflate,
  zlib.createDeflateRaw,
  zlib.createInflateRaw,
  zlib.createInflate,
  zlib.createInflateRaw,
] as never

export class Codec {
  readonly isDecompressor: boolean
  readonly #stream: zlib.Gzip
  /** Of a gzip file that is decompressed. */
  readonly #frame: GzipFrame | undefined
  #isBusy = false
  /** All that was given has been taken, and what it brought is there to be read. */
  #isTaken = true
  #isEnding = false
  #isEnded = false
  /** The last piece that zlib was given, and the bytes of all of them. */
  #piece: Uint8Array = NOTHING
  #givenBytes = 0
  /** Something was given that is behind the end of the data. */
  #hasRest = false
  #failure: CallError | undefined
  #onChange = () => {}

  /** @throws CallError for a `kind` that is none. */
  constructor(kind: number) {
    const make = MAKERS[kind]
    if (make === undefined) throw new CallError('TypeError', 'there is no such format')
    this.isDecompressor = kind >= CODEC.DECOMPRESS
    this.#frame = kind === CODEC.DECOMPRESS + CODEC.GZIP ? new GzipFrame() : undefined
    this.#stream = make(options)
    const changed = () => this.#onChange()
    this.#stream.on('readable', changed)
    this.#stream.on('end', () => this.#ended())
    this.#stream.on('error', () => this.#fail(damaged()))
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
    if (piece === undefined) this.#endInput()
    else if (this.#frame === undefined) this.#give(piece)
    else this.#giveFramed(this.#frame, piece)
    return this.read()
  }

  #give(piece: Uint8Array): void {
    this.#isTaken = false
    this.#piece = piece
    this.#givenBytes += piece.length
    this.#stream.write(piece, () => {
      this.#isTaken = true
      this.#takeRest()
      this.#onChange()
    })
  }

  #giveFramed(frame: GzipFrame, piece: Uint8Array): void {
    if (this.#hasRest) {
      if (!frame.trailer(piece)) this.#fail(tooLong())
      return
    }
    const headerBytes = frame.header(piece)
    if (headerBytes < 0) this.#fail(damaged())
    else if (headerBytes < piece.length) this.#give(piece.subarray(headerBytes))
  }

  #endInput(): void {
    this.#isEnding = true
    this.#isTaken = this.#isEnded
    if (!this.#hasRest) this.#stream.end()
    else if (this.#isEnded && this.#frame?.isWhole === false) this.#fail(damaged())
  }

  /** Zlib leaves of a piece what is behind the end of its data. */
  #takeRest(): void {
    const restBytes = this.#givenBytes - this.#stream.bytesWritten
    if (restBytes === 0 || this.#hasRest) return
    this.#hasRest = true
    const rest = this.#piece.subarray(this.#piece.length - restBytes)
    if (this.#frame === undefined || !this.#frame.trailer(rest)) this.#fail(tooLong())
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
        this.#frame?.content(block)
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

  /** All has been read: the end of what was given, or that of the data in it. */
  #ended(): void {
    this.#isEnded = true
    this.#isTaken = true
    this.#takeRest()
    if (this.#isEnding && this.#frame?.isWhole === false) this.#fail(damaged())
    else this.#onChange()
  }

  #fail(failure: CallError): void {
    // A stream that has ended well is closed as well.
    if (this.#isEnded && failure.name === 'AbortError') return
    this.#failure ??= failure
    this.#onChange()
  }
}

const NOTHING = new Uint8Array(0)
const damaged = () => new CallError('TypeError', 'the compressed data is not valid')
const tooLong = () => new CallError('TypeError', 'the compressed data goes on after its end')
const MORE = new Uint8Array([1])
const NO_MORE = new Uint8Array([0])
