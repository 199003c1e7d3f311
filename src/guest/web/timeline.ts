import type { PerformanceEntry } from './performance-entry.ts'

/** Entries kept; more are dropped and counted, as the standard says of a full buffer. */
const ENTRIES_MAX = 10_000

export const ENTRY_TYPES: readonly string[] = Object.freeze(['mark', 'measure'])

/** Who hears of entries: Performance Timeline, section 6.1. */
interface Listener {
  wants(type: string): boolean
  add(entry: PerformanceEntry): void
}

let entries: PerformanceEntry[] = []
let dropped = 0
export const listeners = new Set<Listener>()

/** Performance Timeline, "queue a PerformanceEntry". */
export function addEntry(entry: PerformanceEntry): void {
  const type = entry.entryType
  for (const listener of listeners) if (listener.wants(type)) listener.add(entry)
  if (entries.length < ENTRIES_MAX) entries.push(entry)
  else dropped++
}

/** How many were dropped since the buffer was last cleared. */
export function droppedEntries(): number {
  return dropped
}

/** Performance Timeline, "filter buffer by name and type": in the order of their times. */
export function select(from: readonly PerformanceEntry[], name?: string, type?: string): PerformanceEntry[] {
  return from
    .filter(
      (entry) =>
        (name === undefined || entry.name === name) && (type === undefined || entry.entryType === type),
    )
    .sort((a, b) => a.startTime - b.startTime)
}

export function allEntries(): readonly PerformanceEntry[] {
  return entries
}

export function clearEntries(type: string, name: string | undefined): void {
  entries = entries.filter((entry) => entry.entryType !== type || (name !== undefined && entry.name !== name))
  dropped = 0
}
