import { createSharedMemory, type RingPlace, ringBytes } from '../../src/shared/ringbuffer/index.ts'

/** The smallest ring, alone in a buffer, both positions at `start`. */
export function ringAt(
  start = 0,
  options: { capacity?: number; high?: number; low?: number } = {},
): RingPlace {
  const capacity = options.capacity ?? 1024
  const { buffer } = createSharedMemory(ringBytes(capacity))
  const positions = new Int32Array(buffer)
  positions[WRITE_WORD] = start
  positions[READ_WORD] = start
  positions[TAKEN_WORD] = start
  return {
    buffer,
    offset: 0,
    capacity,
    ...(options.high === undefined ? {} : { highWatermark: options.high }),
    ...(options.low === undefined ? {} : { lowWatermark: options.low }),
  }
}

/** Word indices of a ring at offset 0, as design/ring.md gives them: written out here, so that a slip in the code shows. */
export const WRITE_WORD = 0
export const READ_WORD = 32
export const TAKEN_WORD = 33
export const DATA_WORD = 64
export const DATA_OFFSET = 256

/** Start positions that put int32 and uint32 wrap-around within a few records. */
export const STARTS = [0, 2 ** 31 - 512, 2 ** 32 - 512, 2 ** 32 - 8, 2 ** 31 - 8] as const
