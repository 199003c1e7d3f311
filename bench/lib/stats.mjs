/** Middle value; the mean of the two middle ones of an even count. */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** What a row says about its rounds. */
export function summary(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), rounds: values.length }
}

/** The items from `offset` on, then those before it: each round starts with another peer, so that none is always first. */
export function rotated(items, offset) {
  const start = offset % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

const RESAMPLES = 2000

/** A generator of numbers in [0, 1) from a seed (mulberry32): the same intervals for the same samples. */
function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/**
 * How many times as large `a` is as `b`, taken in pairs: the median of the pairs' ratios, and its 95 % interval by resampling the
 * pairs (Efron's percentile bootstrap).
 */
export function bootstrapRatio(a, b) {
  const ratios = a.map((value, i) => value / b[i])
  const random = randomFrom(1)
  const resampled = Array.from({ length: RESAMPLES }, () =>
    median(ratios.map(() => ratios[Math.floor(random() * ratios.length)])),
  ).sort((x, y) => x - y)
  return {
    ratio: median(ratios),
    low: resampled[Math.floor(RESAMPLES * 0.025)],
    high: resampled[Math.floor(RESAMPLES * 0.975)],
  }
}
