// Names of what is counted, in the order of their places in a shard's memory. Each has one writer.

/** Written by the actor. */
export const ACTOR_COUNTERS = [
  'requests',
  'answers',
  'failures',
  'limits',
  'refused',
  'collections',
  'resets',
  'condemned',
  'opened',
  'queued',
  'cancelled',
  'loaded',
  'evicted',
  'growthRefused',
  'leftBytes',
  'leftAllocations',
  'staticAnswers',
  'filesSent',
  'compressed',
] as const

/** Written by the actor: not sums, but what is so at present, and the most that it was. */
const ACTOR_GAUGES = [
  'leftPeakBytes',
  'leftPeakAllocations',
  'runtimes',
  'blanks',
  'runtimeBytes',
  'runtimePeakBytes',
  'bufferedBytes',
  'bufferedPeakBytes',
  'staticBytes',
] as const

/** Written by the acceptor. */
export const LINK_COUNTERS = ['connections', 'copiedOut', 'restarts'] as const

export type ActorCounter = (typeof ACTOR_COUNTERS)[number]
export type ActorGauge = (typeof ACTOR_GAUGES)[number]
export type LinkCounter = (typeof LINK_COUNTERS)[number]

/** Places of the actor's: counters, then gauges. */
export const ACTOR_NUMBERS = ACTOR_COUNTERS.length + ACTOR_GAUGES.length

/** Index of a counter by its name. */
export const actorCounter = Object.fromEntries(ACTOR_COUNTERS.map((name, index) => [name, index])) as Record<
  ActorCounter,
  number
>
export const linkCounter = Object.fromEntries(LINK_COUNTERS.map((name, index) => [name, index])) as Record<
  LinkCounter,
  number
>
export const actorGauge = Object.fromEntries(
  ACTOR_GAUGES.map((name, index) => [name, ACTOR_COUNTERS.length + index]),
) as Record<ActorGauge, number>

/** Numbers that one thread writes and any reads. */
interface Readable {
  get(index: number): number
}

export type ActorTotals = Readonly<Record<ActorCounter | ActorGauge, number>>

/** What all shards have counted, and what they hold, together; of what one request left (`leftPeak*`), the most of all. */
export function actorTotals(shards: readonly Readable[]): ActorTotals {
  const sum = (index: number) => shards.reduce((total, shard) => total + shard.get(index), 0)
  const entries = [...Object.entries(actorCounter), ...Object.entries(actorGauge)]
  const totals = Object.fromEntries(entries.map(([name, index]) => [name, sum(index)])) as Record<
    ActorCounter | ActorGauge,
    number
  >
  for (const name of ['leftPeakBytes', 'leftPeakAllocations'] as const) {
    totals[name] = Math.max(0, ...shards.map((shard) => shard.get(actorGauge[name])))
  }
  return totals
}
