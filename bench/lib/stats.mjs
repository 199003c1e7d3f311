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
