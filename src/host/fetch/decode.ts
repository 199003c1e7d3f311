// Content codings of responses (RFC 9110, section 8.4), undone as they come. Node's decoders hold a window and one block each,
// whatever the ratio; how long the result may be is its reader's matter.

import { type Duplex, pipeline, type Readable, Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { CallError } from '../call.ts'

/** Codings one over another; more is no server's honest intent. */
const CODINGS_MAX = 3
/** RFC 9659: a window of 8 MiB at most. */
const ZSTD_WINDOW_BITS = 23

/** On Node 22.15 and later. */
const { createZstdDecompress, constants } = zlib as unknown as {
  createZstdDecompress?: (options: object) => Duplex
  constants: { ZSTD_d_windowLogMax: number }
}

const lenient = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH }

const DECODERS: Record<string, (() => Duplex) | undefined> = {
  gzip: () => zlib.createGunzip(lenient),
  'x-gzip': () => zlib.createGunzip(lenient),
  deflate: () => zlib.createInflate(lenient),
  br: () => zlib.createBrotliDecompress(),
  zstd:
    createZstdDecompress &&
    (() => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_BITS } })),
}

/** What is asked for where the function asks for nothing. */
export const ACCEPT_ENCODING: string = [
  'gzip',
  'deflate',
  'br',
  ...(createZstdDecompress ? ['zstd'] : []),
].join(', ')

/**
 * The body decoded, or undefined when that is not known how, or there is nothing to do. `charge` is told of the bytes that go into the
 * first decoder and come out of each, and throws when there have been enough: a layer may bring a thousand times what it takes, and the
 * next one nothing of that (members of a gzip file may be empty), so the length of the result bounds no work.
 * @throws CallError for more codings than {@link CODINGS_MAX}.
 */
export function decoded(
  body: Readable,
  contentEncoding: string,
  charge: (bytes: number) => void,
): Readable | undefined {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > CODINGS_MAX) {
    throw new CallError('TypeError', 'fetch failed', {
      code: 'EPROTO',
      message: `the response has more than ${CODINGS_MAX} content codings one over another`,
    })
  }
  const decoders = codings.reverse().map((coding) => DECODERS[coding])
  if (decoders.length === 0 || decoders.includes(undefined)) return undefined
  const stages = decoders.flatMap((make) => [make!(), charged(charge)])
  // The last stage is destroyed with what went wrong in any of them, and destroys the others when nobody reads it any more.
  return pipeline([body, charged(charge), ...stages], () => {}) as unknown as Readable
}

/** Hands on what it is given. */
function charged(charge: (bytes: number) => void): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      try {
        charge(piece.length)
      } catch (error) {
        done(error as Error)
        return
      }
      done(null, piece)
    },
  })
}
