// Times that one thread writes for another. `performance.now` counts from each thread's own start; the system's monotonic clock,
// which `process.hrtime` reads, is the same for all of them, and does not jump as the time of day may.

const [seconds, nanoseconds] = process.hrtime()
const offsetMs = seconds * 1000 + nanoseconds / 1e6 - performance.now()

/** A time of this thread's `performance.now` as an int32 that every thread understands: milliseconds, modulo 2^32. */
export function sharedMs(ms: number): number {
  return (offsetMs + ms) | 0
}

/** How long ago that was, by a time of this thread's `performance.now`; negative for what is to come. Right within 24 days. */
export function sinceSharedMs(shared: number, nowMs: number): number {
  return (sharedMs(nowMs) - shared) | 0
}
