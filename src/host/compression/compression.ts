// Compression for guests. What a request has open ends with it, and its processor time is charged to the request.

import type { HostValue } from '../../guest/host.ts'
import { ASYNC_OP } from '../../guest/ops.ts'
import { type AsyncOp, CallError, type RequestScope } from '../call.ts'
import { Codec } from './codec.ts'
import { COMPRESS_NANOS, chargeBytes, DECOMPRESS_NANOS } from './cost.ts'

/** Streams of one request that have begun and not ended: a compressor keeps 268 KB, a decompressor 40 KB. */
const CODECS_MAX = 16

const CODECS = Symbol('compression')

function codecsOf(scope: RequestScope): Map<number, Codec> {
  return scope.state(CODECS, () => {
    const codecs = new Map<number, Codec>()
    scope.signal.addEventListener('abort', () => {
      for (const codec of codecs.values()) codec.close()
      codecs.clear()
    })
    return codecs
  })
}

function open(scope: RequestScope, id: number, kind: HostValue): Codec {
  const codecs = codecsOf(scope)
  if (scope.hasEnded || codecs.has(id)) throw new CallError('TypeError', 'the stream cannot begin')
  if (codecs.size >= CODECS_MAX) {
    throw new CallError(
      'RangeError',
      `more than ${CODECS_MAX} compression streams are under way in a request`,
    )
  }
  const codec = new Codec(kind as number)
  codecs.set(id, codec)
  return codec
}

function known(scope: RequestScope, id: HostValue): Codec {
  const codec = codecsOf(scope).get(id as number)
  if (codec === undefined)
    throw new CallError('TypeError', 'the stream belongs to another request, or has ended')
  return codec
}

/** The result of a step, charged; a codec that is done is forgotten. */
async function stepped(
  scope: RequestScope,
  id: HostValue,
  codec: Codec,
  step: Promise<Uint8Array | undefined>,
): Promise<HostValue> {
  let isKept = false
  try {
    const result = await step
    if (codec.isDecompressor && result !== undefined) chargeBytes(scope, result.length, DECOMPRESS_NANOS)
    isKept = (result !== undefined && result[result.length - 1] === 1) || !codec.isDone
    return result
  } finally {
    if (!isKept) forget(scope, id)
  }
}

function forget(scope: RequestScope, id: HostValue): undefined {
  const codecs = codecsOf(scope)
  codecs.get(id as number)?.close()
  codecs.delete(id as number)
}

const write: AsyncOp = async ([id, piece, kind], { scope }) => {
  if (typeof id !== 'number') throw new CallError('TypeError', 'the stream has no number')
  const bytes = piece instanceof Uint8Array ? piece : undefined
  const codec = kind === undefined ? known(scope, id) : open(scope, id, kind)
  if (!codec.isDecompressor && bytes !== undefined) chargeBytes(scope, bytes.length, COMPRESS_NANOS)
  return stepped(scope, id, codec, codec.write(bytes))
}

const read: AsyncOp = async ([id], { scope }) => {
  const codec = known(scope, id)
  return stepped(scope, id, codec, codec.read())
}

export const compressionOps: (readonly [what: number, op: AsyncOp])[] = [
  [ASYNC_OP.CODEC_WRITE, write],
  [ASYNC_OP.CODEC_READ, read],
  [ASYNC_OP.CODEC_CLOSE, async ([id], { scope }) => forget(scope, id)],
]
