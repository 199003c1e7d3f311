import type { ReadableStream } from 'web-streams-polyfill'
import { feature } from '../feature.ts'
import { bufferSlice, uncurry, viewBuffer, viewKind, viewLength, viewOffset } from '../primordials.ts'
import { bodyBuffer, LAZY, type LazyBody } from './body.ts'
import { gather, type Pull } from './gather.ts'
import { beginSending, type PieceSource } from './outgoing.ts'
import type { ByteSource } from './stream-parts.ts'

/** What a stream was made of; undefined for one of user code's. */
type Origin = string | ArrayBuffer | undefined

/**
 * What the streams of {@link streamOfContent} were made of. Middleware makes a response anew to change its headers, by
 * `new Response(response.body, response)`: the stream goes from one to the other without being read.
 */
const origins = new WeakMap<ReadableStream, string | ArrayBuffer>()
const originOf = uncurry(origins.get)
const keepOrigin = uncurry(origins.set)

/** A body that is a ReadableStream: one of user code's, or ours after somebody has asked for `body`. */
export class StreamedBody implements LazyBody {
  readonly [LAZY] = true
  readonly stream: ReadableStream
  readonly #origin: Origin

  constructor(stream: ReadableStream, origin: Origin) {
    this.stream = stream
    this.#origin = origin
  }

  /** Whether anybody has read from it. */
  get isUsed(): boolean {
    return feature('streams').isDisturbed(this.stream)
  }

  get isReadable(): boolean {
    return !this.isUsed && !feature('streams').isReadableLocked(this.stream)
  }

  /** All of it; rejects with TypeError for a chunk that is no Uint8Array. */
  async collect(): Promise<ArrayBuffer> {
    if (this.#origin !== undefined && this.isReadable) {
      feature('streams').useUp(this.stream)
      return bodyBuffer(this.#origin)
    }
    const source = this.source()
    return gather(async () => {
      const { value, done } = await source.read()
      return done === true ? undefined : bytesOf(value)
    })
  }

  afterReading(): this {
    return this
  }

  clone(): [StreamedBody, StreamedBody] {
    const [one, other] = feature('streams').teeStream(this.stream)
    return [new StreamedBody(one, undefined), new StreamedBody(other, undefined)]
  }

  toStreamed(): this {
    return this
  }

  /** What it was made of, as long as nobody has touched the stream: that is there whole. */
  send(): Origin {
    if (this.#origin !== undefined && this.isReadable) return this.#origin
    beginSending(this.source())
    return undefined
  }

  /** Its reader. @throws TypeError for a locked stream. */
  source(): PieceSource {
    const { acquireReader, cancelReader, readFrom } = feature('streams')
    const reader = acquireReader(this.stream)
    return { read: () => readFrom(reader), cancel: (reason) => cancelReader(reader, reason) }
  }
}

/** The bytes of a chunk, in a buffer of their own. @throws TypeError for what is no Uint8Array. */
function bytesOf(chunk: unknown): ArrayBuffer {
  if (viewKind(chunk) !== 'Uint8Array') throw new TypeError('a chunk of the body is no Uint8Array')
  const start = viewOffset(chunk)
  return bufferSlice(viewBuffer(chunk) as ArrayBuffer, start, start + viewLength(chunk))
}

/** A stream of what is there: text is encoded, and a buffer copied, when somebody reads. */
export function streamOfContent(content: string | ArrayBuffer): StreamedBody {
  const stream = feature('streams').newDeferredStream(content, sourceOf)
  keepOrigin(origins, stream, content)
  return new StreamedBody(stream, content)
}

function sourceOf(content: string | ArrayBuffer): ByteSource {
  const { endBytes, enqueueBytes } = feature('streams')
  return {
    pull(controller) {
      const bytes = new Uint8Array(bodyBuffer(content))
      if (viewLength(bytes) > 0) enqueueBytes(controller, bytes)
      endBytes(controller)
    },
  }
}

/** A stream of what `pull` gives; `drop` is told when nobody wants the rest. */
export function streamOf(pull: Pull, drop: (reason: unknown) => void): StreamedBody {
  const { endBytes, enqueueBytes, newByteStream } = feature('streams')
  const stream = newByteStream({
    async pull(controller) {
      const piece = await pull()
      if (piece === undefined) endBytes(controller)
      else enqueueBytes(controller, new Uint8Array(piece))
    },
    cancel: drop,
  })
  return new StreamedBody(stream, undefined)
}

/** A stream of user code's as a body. @throws TypeError for one that has been read, or is being read. */
export function bodyOfStream(stream: ReadableStream): StreamedBody {
  const body = new StreamedBody(stream, originOf(origins, stream))
  if (!body.isReadable) throw new TypeError('the stream for a body has been read, or is locked')
  return body
}

/** The stream of a body that was read before anybody asked for a stream: it is used, and empty. */
export function usedStream(): StreamedBody {
  const { cancelStream, endBytes, newByteStream } = feature('streams')
  const stream = newByteStream({ pull: endBytes })
  cancelStream(stream, undefined)
  return new StreamedBody(stream, undefined)
}
