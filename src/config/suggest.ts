/** "Did you mean": the nearest of the known names, if it is near. */

/** Longer names are no slips of the pen, and comparing takes the product of both lengths. */
const COMPARED_CHARACTERS = 64

/** ` (did you mean ...?)`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const found = nearest(name, candidates)
  return found === undefined ? '' : ` (did you mean ${found}?)`
}

export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > COMPARED_CHARACTERS) return undefined
  const plain = plainForm(name)
  let best: string | undefined
  let bestDistance = Math.min(3, Math.floor(plain.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(plain, plainForm(candidate))
    if (distance >= bestDistance) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** `cpu_ms`, `cpu-ms` and `CPUMS` are all meant to be `cpuMs`. */
function plainForm(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let least = Math.min(previous[j]! + 1, row[j - 1]! + 1, replaced)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, before[j - 2]! + 1)
      }
      row.push(least)
    }
    before = previous
    previous = row
  }
  return previous[b.length]!
}
