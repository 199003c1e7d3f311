import {
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from 'web-streams-polyfill'
import { defineProperty, uncurry } from '../primordials.ts'

/**
 * The operations of the Streams standard that other specifications use (section 9.1), on functions captured before user code ran.
 * The library keeps a stream's state in plain properties, so user code can damage a stream of its own: whoever reads one for
 * the host takes what comes out as hostile.
 */
type Getter<Owner, Value> = (this: Owner) => Value

function getter<Owner extends object, Value>(prototype: Owner, name: keyof Owner): (self: Owner) => Value {
  return uncurry(Object.getOwnPropertyDescriptor(prototype, name)!.get as Getter<Owner, Value>)
}

export type StreamReader = ReadableStreamDefaultReader<unknown>
export type StreamWriter = WritableStreamDefaultWriter<unknown>
export type ReadResult = { readonly value: unknown; readonly done: boolean }

const isReadableLocked = getter<ReadableStream, boolean>(ReadableStream.prototype, 'locked')
const isWritableLocked = getter<WritableStream, boolean>(WritableStream.prototype, 'locked')
export const readableOf = getter<TransformStream, ReadableStream>(TransformStream.prototype, 'readable')
export const writableOf = getter<TransformStream, WritableStream>(TransformStream.prototype, 'writable')

const hasOwn = uncurry(Object.prototype.hasOwnProperty as (this: object, key: string) => boolean)

/** Whether a brand's getter takes `value` for its own. `mark`: what the library gives all of them; without it no getter is asked, since a refusal costs 4 µs. */
function answers<T>(get: (self: T) => unknown, mark: string, value: unknown): value is T {
  if (typeof value !== 'object' || value === null || !hasOwn(value, mark)) return false
  try {
    get(value as T)
    return true
  } catch {
    return false
  }
}

export const isReadableStream = (value: unknown): value is ReadableStream =>
  answers(isReadableLocked, '_readableStreamController', value)
export const isWritableStream = (value: unknown): value is WritableStream =>
  answers(isWritableLocked, '_writableStreamController', value)
export const isTransformStream = (value: unknown): value is TransformStream =>
  answers(readableOf, '_transformStreamController', value)

export { isReadableLocked, isWritableLocked }

/** Whether anybody has read from it or cancelled it: the standard's flag, which has no public name. */
export function isDisturbed(stream: ReadableStream): boolean {
  return (stream as unknown as { _disturbed: boolean })._disturbed
}

/** @throws TypeError for a locked stream. */
export const acquireReader = uncurry(
  ReadableStream.prototype.getReader as (this: ReadableStream) => StreamReader,
)
/** As if somebody had read all of it. @throws TypeError for a locked stream. */
export function useUp(stream: ReadableStream): void {
  acquireReader(stream)
  const state = stream as unknown as { _disturbed: boolean; _state: string }
  state._disturbed = true
  state._state = 'closed'
}

export const readFrom = uncurry(
  ReadableStreamDefaultReader.prototype.read as (this: StreamReader) => Promise<ReadResult>,
)
export const cancelReader = uncurry(
  ReadableStreamDefaultReader.prototype.cancel as (this: StreamReader, reason: unknown) => Promise<void>,
)
export const releaseReader = uncurry(
  ReadableStreamDefaultReader.prototype.releaseLock as Getter<StreamReader, void>,
)
export const cancelStream = uncurry(
  ReadableStream.prototype.cancel as (this: ReadableStream, reason: unknown) => Promise<void>,
)
export const teeStream = uncurry(
  ReadableStream.prototype.tee as (this: ReadableStream) => [ReadableStream, ReadableStream],
)

/** @throws TypeError for a locked stream. */
export const acquireWriter = uncurry(
  WritableStream.prototype.getWriter as (this: WritableStream) => StreamWriter,
)
export const writeTo = uncurry(
  WritableStreamDefaultWriter.prototype.write as (this: StreamWriter, chunk: unknown) => Promise<void>,
)
export const closeWriter = uncurry(
  WritableStreamDefaultWriter.prototype.close as (this: StreamWriter) => Promise<void>,
)
export const abortWriter = uncurry(
  WritableStreamDefaultWriter.prototype.abort as (this: StreamWriter, reason: unknown) => Promise<void>,
)

type ByteController = ReadableByteStreamController

/** What a byte stream of ours comes from. Its functions ask nothing of user code. */
export interface ByteSource {
  /** Called when a chunk is wanted: gives one by {@link enqueueBytes}, ends by {@link endBytes}, or throws. */
  readonly pull: (controller: ByteController) => void | PromiseLike<void>
  readonly cancel?: (reason: unknown) => void | PromiseLike<void>
}

/**
 * Streams, section 9.1.1, "set up with byte reading support". A byte stream is asked for no more than its readers want, unless
 * `highWaterMarkBytes` says otherwise.
 */
export function newByteStream({ pull, cancel }: ByteSource, highWaterMarkBytes = 0): ReadableStream {
  // Without prototypes: the library looks for members that we do not give.
  const source = { __proto__: null, type: 'bytes', pull, cancel: cancel ?? (() => {}) }
  const strategy = { __proto__: null, highWaterMark: highWaterMarkBytes }
  return new ReadableStream(source as never, strategy as never)
}

/** What the library keeps of a stream, and of its controller: a test holds that it is no more. */
interface StreamState {
  readonly _readableStreamController: { _controlledReadableByteStream: ReadableStream }
}

/**
 * A byte stream whose controller is made when somebody wants something of it: that is most of the work, and most streams of this kind
 * are only handed on. `sourceOf` tells what a stream of `content` comes from.
 */
export function newDeferredStream<Content>(
  content: Content,
  sourceOf: (content: Content) => ByteSource,
): ReadableStream {
  const stream = {
    __proto__: ReadableStream.prototype,
    _state: 'readable',
    _reader: undefined,
    _storedError: undefined,
    _disturbed: false,
    get _readableStreamController(): unknown {
      const { _readableStreamController: controller } = newByteStream(
        sourceOf(content),
      ) as unknown as StreamState
      controller._controlledReadableByteStream = stream as unknown as ReadableStream
      defineProperty(stream, '_readableStreamController', {
        __proto__: null,
        value: controller,
        writable: true,
        enumerable: true,
        configurable: true,
      } as PropertyDescriptor)
      return controller
    },
  }
  return stream as unknown as ReadableStream
}

/** `chunk`: not empty; its buffer is taken. */
export const enqueueBytes = uncurry(
  ReadableByteStreamController.prototype.enqueue as (this: ByteController, chunk: Uint8Array) => void,
)
const closeBytes = uncurry(ReadableByteStreamController.prototype.close as Getter<ByteController, void>)
export const failBytes = uncurry(
  ReadableByteStreamController.prototype.error as (this: ByteController, reason: unknown) => void,
)
const byobRequestOf = getter<ByteController, ReadableStreamBYOBRequest | null>(
  ReadableByteStreamController.prototype,
  'byobRequest',
)
const respond = uncurry(ReadableStreamBYOBRequest.prototype.respond)

/** Ends a byte stream, and the reading into a caller's buffer that waits for it. */
export function endBytes(controller: ByteController): void {
  closeBytes(controller)
  const request = byobRequestOf(controller)
  if (request !== null) respond(request, 0)
}

export type ChunkController = ReadableStreamDefaultController<unknown>
export type SinkController = WritableStreamDefaultController

/** Both ends of what is no TransformStream: their functions ask nothing of user code. */
export interface ChunkSource {
  readonly start: (controller: ChunkController) => void
  readonly pull: () => void
  readonly cancel: (reason: unknown) => void
}
export interface ChunkSink {
  readonly start: (controller: SinkController) => void
  readonly write: (chunk: unknown) => Promise<void>
  readonly close: () => Promise<void>
  readonly abort: (reason: unknown) => void
}

/** It is asked for no more than its readers want. */
export function newReadableStream({ start, pull, cancel }: ChunkSource): ReadableStream {
  const source = { __proto__: null, start, pull, cancel }
  return new ReadableStream(source as never, { __proto__: null, highWaterMark: 0 } as never)
}

/** It takes one chunk at a time. */
export function newWritableStream({ start, write, close, abort }: ChunkSink): WritableStream {
  const sink = { __proto__: null, start, write, close, abort }
  return new WritableStream(sink as never, { __proto__: null, highWaterMark: 1 } as never)
}

export const enqueueChunk = uncurry(
  ReadableStreamDefaultController.prototype.enqueue as (this: ChunkController, chunk: unknown) => void,
)
export const closeReadable = uncurry(
  ReadableStreamDefaultController.prototype.close as Getter<ChunkController, void>,
)
export const failReadable = uncurry(
  ReadableStreamDefaultController.prototype.error as (this: ChunkController, reason: unknown) => void,
)
export const failWritable = uncurry(
  WritableStreamDefaultController.prototype.error as (this: SinkController, reason: unknown) => void,
)
