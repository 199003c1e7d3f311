// Compresses files for the actors, on the main thread's side: the work itself is done in libuv's threads, one file at a time for
// each shard. The result comes to lie in memory that the shard's actor reads.

import { close, constants, fstatSync, open, read } from 'node:fs'
import { promisify } from 'node:util'
import { brotliCompress, gzip, constants as zlib } from 'node:zlib'
import { decodeFileRecord, type FileIdentity, isSameFile } from '../file-record.ts'
import { EXCHANGE_HEAD_BYTES, JOB_CODINGS } from './jobs.ts'

/** Made once and sent often; the highest quality takes ten times as long for some percent. */
const BROTLI_QUALITY = 9
const GZIP_LEVEL = 9
/** What saves less is not worth a second form. */
const GAIN_MIN = 0.05
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

const brotliAsync = promisify(brotliCompress)
const gzipAsync = promisify<Uint8Array, { level: number }, Buffer>(gzip)
const openAsync = promisify(open)
const readAsync = promisify(read)

/** The memory of one shard's results: for a file of at most so many bytes. */
export function createExchange(compressBytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(EXCHANGE_HEAD_BYTES + compressBytes)
}

export class Compressor {
  readonly #exchange: Uint8Array
  readonly #length: DataView
  readonly #tell: () => void
  readonly #lifeOf: () => number
  #last: Promise<void> = Promise.resolve()

  /** `tell`: says to the actor that its job is done. `lifeOf`: changes when there is another actor. */
  constructor(exchange: SharedArrayBuffer, tell: () => void, lifeOf: () => number) {
    this.#exchange = new Uint8Array(exchange)
    this.#length = new DataView(exchange)
    this.#tell = tell
    this.#lifeOf = lifeOf
  }

  /** A COMPRESS record. Never rejects. */
  submit(payload: Uint8Array): Promise<void> {
    const life = this.#lifeOf()
    this.#last = this.#last.then(async () => {
      // An actor that has ended asks for nothing any more, and its successor would take the result for its own.
      if (life !== this.#lifeOf()) return
      const result = await compress(payload, this.#exchange.length - EXCHANGE_HEAD_BYTES).catch(
        () => undefined,
      )
      if (life !== this.#lifeOf()) return
      this.#length.setUint32(0, result?.length ?? 0, true)
      if (result !== undefined) this.#exchange.set(result, EXCHANGE_HEAD_BYTES)
      this.#tell()
    })
    return this.#last
  }
}

/** Undefined for what gains nothing. Rejects for a file that cannot be read or has changed. */
async function compress(payload: Uint8Array, bytesMax: number): Promise<Uint8Array | undefined> {
  const { path, identity, segments } = decodeFileRecord(payload)
  const source = await readUnchanged(path, identity, bytesMax)
  const [coding] = segments
  const isGzip = JOB_CODINGS[(coding as Uint8Array)[0]!] === 'gzip'
  const result = isGzip
    ? await gzipAsync(source, { level: GZIP_LEVEL })
    : await brotliAsync(source, {
        params: {
          [zlib.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
          [zlib.BROTLI_PARAM_SIZE_HINT]: source.length,
        },
      })
  return result.length <= source.length * (1 - GAIN_MIN) ? result : undefined
}

async function readUnchanged(path: string, identity: FileIdentity, bytesMax: number): Promise<Buffer> {
  const size = Number(identity.size)
  if (size > bytesMax) throw new RangeError('the file is too long')
  const fd = await openAsync(path, OPEN_FLAGS)
  try {
    const check = () => {
      if (!isSameFile(fstatSync(fd, { bigint: true }), identity)) throw new Error('the file has changed')
    }
    check()
    const bytes = Buffer.allocUnsafe(size)
    for (let at = 0; at < size; ) {
      const { bytesRead } = await readAsync(fd, bytes, at, size - at, at)
      if (bytesRead === 0) throw new Error('the file is shorter than it was')
      at += bytesRead
    }
    check()
    return bytes
  } finally {
    close(fd)
  }
}
