// zlib works on the thread pool, where nobody measures it: its processor time is reckoned by the bytes.

import { CallError, type RequestScope } from '../call.ts'

/** Processor time of a byte that goes into a compressor (level 6), or comes out of a decompressor. */
export const COMPRESS_NANOS = 40
export const DECOMPRESS_NANOS = 4

/** Charges a request for so many bytes. @throws CallError when it has less left. */
export function chargeBytes(scope: RequestScope, bytes: number, nanos: number): void {
  if (!scope.charge((bytes * nanos) / 1e6))
    throw new CallError('OperationError', 'it would take more processor time than is left')
}
