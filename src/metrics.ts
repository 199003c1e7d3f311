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
] as const

/** Written by the acceptor. */
export const LINK_COUNTERS = ['connections', 'copiedOut', 'restarts'] as const

export type ActorCounter = (typeof ACTOR_COUNTERS)[number]
export type LinkCounter = (typeof LINK_COUNTERS)[number]

/** Index of a counter by its name. */
export const actorCounter = Object.fromEntries(ACTOR_COUNTERS.map((name, index) => [name, index])) as Record<
  ActorCounter,
  number
>
export const linkCounter = Object.fromEntries(LINK_COUNTERS.map((name, index) => [name, index])) as Record<
  LinkCounter,
  number
>
