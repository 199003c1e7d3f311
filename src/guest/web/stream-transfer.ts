import { ReadableStream, TransformStream, WritableStream } from 'web-streams-polyfill'
import { promiseThen } from '../primordials.ts'
import { DOMException } from './dom-exception.ts'
import {
  abortWriter,
  acquireReader,
  acquireWriter,
  cancelReader,
  closeWriter,
  isReadableLocked,
  isReadableStream,
  isTransformStream,
  isWritableLocked,
  isWritableStream,
  readableOf,
  readFrom,
  writableOf,
  writeTo,
} from './stream-parts.ts'

type Clone = (value: unknown) => unknown

export function isTransferableStream(value: unknown): value is object {
  return isReadableStream(value) || isWritableStream(value) || isTransformStream(value)
}

/**
 * The transfer steps of the three classes (Streams, sections 4.2.5, 5.2.5, 6.2.4), as structuredClone needs them: within one realm, so no
 * message port lies between. The stream given stays locked; the one returned hands on what goes through it, each chunk by `clone`.
 * @throws DOMException named DataCloneError for a locked stream.
 */
export function transferStream(stream: object, clone: Clone): object {
  if (isReadableStream(stream)) return transferReadable(stream, clone)
  if (isWritableStream(stream)) return transferWritable(stream, clone)
  const transform = stream as TransformStream
  const readable = readableOf(transform)
  const writable = writableOf(transform)
  if (isReadableLocked(readable) || isWritableLocked(writable)) throw locked()
  // The library has no constructor for given sides; its two getters read these members.
  return Object.assign(new TransformStream(), {
    _readable: transferReadable(readable, clone),
    _writable: transferWritable(writable, clone),
  })
}

function locked(): DOMException {
  return new DOMException('a locked stream cannot be transferred', 'DataCloneError')
}

function transferReadable(stream: ReadableStream, clone: Clone): ReadableStream {
  if (isReadableLocked(stream)) throw locked()
  const reader = acquireReader(stream)
  return new ReadableStream(
    {
      async pull(controller) {
        const { value, done } = await readFrom(reader)
        if (done) return controller.close()
        let copy: unknown
        try {
          copy = clone(value)
        } catch (error) {
          await cancelReader(reader, error)
          throw error
        }
        controller.enqueue(copy)
      },
      cancel(reason) {
        return cancelReader(reader, clone(reason))
      },
    },
    { highWaterMark: 0 },
  )
}

function transferWritable(stream: WritableStream, clone: Clone): WritableStream {
  if (isWritableLocked(stream)) throw locked()
  const writer = acquireWriter(stream)
  return new WritableStream({
    write(chunk) {
      let copy: unknown
      try {
        copy = clone(chunk)
      } catch (error) {
        return promiseThen(abortWriter(writer, error), () => {
          throw error
        }) as Promise<void>
      }
      return writeTo(writer, copy)
    },
    close() {
      return closeWriter(writer)
    },
    abort(reason) {
      return abortWriter(writer, clone(reason))
    },
  })
}
