import { hostAsync } from '../async.ts'
import { ASYNC_OP, CODEC, CODEC_PIECE_BYTES } from '../ops.ts'
import { bufferLengthOf, bufferSlice, isView, newPromise, promiseThen } from '../primordials.ts'
import { copyBytes, isArrayBuffer } from './body.ts'
import {
  type ChunkController,
  closeReadable,
  enqueueChunk,
  failReadable,
  failWritable,
  newReadableStream,
  newWritableStream,
  type SinkController,
} from './stream-parts.ts'
import { finishInterface, needs } from './webidl.ts'

let lastCodec = 0

function ignore(): void {}

/**
 * The two ends of a codec on the host. A TransformStream would take all that one chunk brings at once, and a few bytes can bring a
 * thousand times as many: here the host is asked for the next piece when somebody reads.
 */
class CodecStreams {
  readonly readable: unknown
  readonly writable: unknown
  readonly #kind: number
  /** 0 before its first piece. */
  #codec = 0
  #isOver = false
  #readable!: ChunkController
  #writable!: SinkController
  /** Somebody reads. */
  #isWanted = false
  #onWanted: (() => void) | undefined

  constructor(kind: number) {
    this.#kind = kind
    const source = {
      start: (controller: ChunkController) => {
        this.#readable = controller
      },
      pull: () => this.#wanted(),
      cancel: (reason: unknown) => {
        this.#close()
        failWritable(this.#writable, reason)
        this.#wanted()
      },
    }
    const sink = {
      start: (controller: SinkController) => {
        this.#writable = controller
      },
      write: (chunk: unknown) => this.#orFail(this.#write(chunk)),
      close: () => this.#orFail(this.#end()),
      abort: (reason: unknown) => {
        this.#close()
        failReadable(this.#readable, reason)
        this.#wanted()
      },
    }
    this.readable = newReadableStream(source)
    this.writable = newWritableStream(sink)
  }

  #wanted(): void {
    this.#isWanted = true
    const resume = this.#onWanted
    this.#onWanted = undefined
    resume?.()
  }

  async #untilWanted(): Promise<void> {
    while (!this.#isWanted && !this.#isOver) {
      await newPromise<void>((resolve) => {
        this.#onWanted = () => resolve()
      })
    }
  }

  async #orFail(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (reason) {
      if (this.#isOver) throw reason
      this.#close()
      failReadable(this.#readable, reason)
      throw reason
    }
  }

  async #write(chunk: unknown): Promise<void> {
    await this.#untilWanted()
    if (this.#isOver) return
    if (!isView(chunk) && !isArrayBuffer(chunk)) {
      throw new TypeError('a chunk for a compression stream must be an ArrayBuffer or a view of one')
    }
    const bytes = copyBytes(chunk)
    const length = bufferLengthOf(bytes)
    for (let from = 0; from < length; from += CODEC_PIECE_BYTES) {
      await this.#step(bufferSlice(bytes, from, from + CODEC_PIECE_BYTES))
    }
  }

  async #end(): Promise<void> {
    await this.#step(undefined)
    if (this.#isOver) return
    this.#isOver = true
    closeReadable(this.#readable)
  }

  /** Gives a piece, and hands on what it brings as that is wanted. */
  async #step(piece: ArrayBuffer | undefined): Promise<void> {
    if (this.#isOver) return
    const isFirst = this.#codec === 0
    if (isFirst) this.#codec = ++lastCodec
    const id = this.#codec
    let result = (await hostAsync(ASYNC_OP.CODEC_WRITE, id, piece, isFirst ? this.#kind : undefined)) as
      | ArrayBuffer
      | undefined
    while (result !== undefined && !this.#isOver) {
      const length = bufferLengthOf(result) - 1
      const hasMore = new Uint8Array(result)[length] === 1
      this.#isWanted = false
      enqueueChunk(this.#readable, new Uint8Array(bufferSlice(result, 0, length)))
      if (!hasMore) return
      await this.#untilWanted()
      if (this.#isOver) return
      result = (await hostAsync(ASYNC_OP.CODEC_READ, id)) as ArrayBuffer | undefined
    }
  }

  #close(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#codec !== 0) promiseThen(hostAsync(ASYNC_OP.CODEC_CLOSE, this.#codec), ignore, ignore)
  }
}

/** WebIDL's conversion to the enumeration CompressionFormat: its index. */
function formatOf(value: unknown): number {
  const format = `${value}`
  if (format === 'gzip') return CODEC.GZIP
  if (format === 'deflate') return CODEC.DEFLATE
  if (format === 'deflate-raw') return CODEC.DEFLATE_RAW
  throw new TypeError('the format must be gzip, deflate or deflate-raw')
}

/** Compression, section 5. */
export class CompressionStream {
  readonly #streams: CodecStreams

  constructor(format: unknown) {
    needs(arguments.length, 1, 'CompressionStream')
    this.#streams = new CodecStreams(formatOf(format))
  }

  get readable(): unknown {
    return this.#streams.readable
  }

  get writable(): unknown {
    return this.#streams.writable
  }
}
finishInterface(CompressionStream, 'CompressionStream')

/** Compression, section 6. Members of a gzip file one after another are read as one text (RFC 1952, section 2.2). */
export class DecompressionStream {
  readonly #streams: CodecStreams

  constructor(format: unknown) {
    needs(arguments.length, 1, 'DecompressionStream')
    this.#streams = new CodecStreams(formatOf(format) + CODEC.DECOMPRESS)
  }

  get readable(): unknown {
    return this.#streams.readable
  }

  get writable(): unknown {
    return this.#streams.writable
  }
}
finishInterface(DecompressionStream, 'DecompressionStream')
