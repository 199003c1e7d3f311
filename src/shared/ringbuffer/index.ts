/** `@shared/ringbuffer`: rings of records, doorbells and counters over shared memory. The argument for it is `design/ring.md`. */
export { Activity, activityBytes, type Run } from './activity.ts'
export { Consumer } from './consumer.ts'
export { Counters, countersBytes } from './counters.ts'
export { Doorbell, doorbellBytes } from './doorbell.ts'
export { RingCorruptError, RingMisuseError } from './errors.ts'
export {
  CACHE_LINE_BYTES,
  HEADER_BYTES,
  maxPayloadBytes,
  type Place,
  type RingPlace,
  recordBytes,
  resetRing,
  ringBytes,
} from './layout.ts'
export { createSharedMemory, type SharedMemory } from './memory.ts'
export { Producer, REFUSED } from './producer.ts'
export { AtomicWords, type WaitOutcome, type Words } from './words.ts'
