// Content codings of responses (RFC 9110, section 8.4), undone as they come. Node's decoders hold one block each, whatever the
// ratio; how long the result may be is its reader's matter.

import { type Duplex, pipeline, type Readable } from 'node:stream'
import * as zlib from 'node:zlib'

/** Codings one over another; more is no server's honest intent. */
const CODINGS_MAX = 3

/** On Node 22.15 and later. */
const { createZstdDecompress } = zlib as unknown as { createZstdDecompress?: () => Duplex }

const lenient = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH }

const DECODERS: Record<string, (() => Duplex) | undefined> = {
  gzip: () => zlib.createGunzip(lenient),
  'x-gzip': () => zlib.createGunzip(lenient),
  deflate: () => zlib.createInflate(lenient),
  br: () => zlib.createBrotliDecompress(),
  zstd: createZstdDecompress,
}

/** What is asked for where the function asks for nothing. */
export const ACCEPT_ENCODING: string = [
  'gzip',
  'deflate',
  'br',
  ...(createZstdDecompress ? ['zstd'] : []),
].join(', ')

/** The body decoded, or undefined when that is not known how, or there is nothing to do. */
export function decoded(body: Readable, contentEncoding: string): Readable | undefined {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  const decoders = codings.reverse().map((coding) => DECODERS[coding])
  if (decoders.length === 0 || decoders.length > CODINGS_MAX || decoders.includes(undefined)) return undefined
  const stages = decoders.map((make) => make!())
  // The last stage is destroyed with what went wrong in any of them, and destroys the others when nobody reads it any more.
  return pipeline([body, ...stages], () => {}) as unknown as Readable
}
