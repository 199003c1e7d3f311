// Which shards are busy, and which connections leave them. Only the acceptor's thread sees all shards: at even times it looks
// whether each one's actor has something to do, which tells, over some looks, what share of its time it has.

import type { Connection } from './connection.ts'
import type { ShardLink } from './link.ts'

export interface BalanceOptions {
  /** How often the shards are looked at; 0: never, and nothing moves. */
  readonly lookMs: number
  /** A shard is busy from this share of its time on, and calm up to that one. */
  readonly busyShare: number
  readonly calmShare: number
  /** A connection stays where it is for so long at least. */
  readonly stayMs: number
  /** Most connections that leave a shard at one look. */
  readonly connections: number
}

/** Weight of one look in the share. */
const WEIGHT = 1 / 8
/** A connection whose requests were seen to run twice within this time is taken for a cause, not a victim. */
const TWICE_MS = 500

interface Watched {
  readonly link: ShardLink
  /** Share of its time in which the actor had something to do, by the last looks. */
  share: number
  /** Number of the run that was seen at the last look, 0 for none: they are odd. */
  run: number
}

export class Balance {
  readonly #options: BalanceOptions
  readonly #watched: readonly Watched[]
  #timer: NodeJS.Timeout | undefined

  constructor(links: readonly ShardLink[], options: BalanceOptions) {
    this.#options = options
    this.#watched = links.map((link) => ({ link, share: 0, run: 0 }))
  }

  /** Begins to look, where there is a choice. */
  start(): void {
    const { lookMs } = this.#options
    if (lookMs === 0 || this.#watched.length < 2) return
    this.#timer = setInterval(() => this.look(performance.now()), lookMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Where a new connection goes: to the shard with the fewest, of those that are not busy if there are any. */
  choose(): ShardLink {
    const { busyShare } = this.#options
    let best = this.#watched[0]!
    for (const each of this.#watched) {
      const [isBusy, isBestBusy] = [each.share >= busyShare, best.share >= busyShare]
      if (isBusy === isBestBusy ? each.link.size < best.link.size : isBestBusy) best = each
    }
    return best.link
  }

  /** One look at every shard, at a time of `performance.now`. */
  look(nowMs: number): void {
    const { busyShare, calmShare } = this.#options
    for (const watched of this.#watched) this.#note(watched, nowMs)
    for (const { link, share } of this.#watched) {
      if (share < busyShare || !link.up) continue
      const calm = this.#calmest()
      if (calm.link !== link && calm.share <= calmShare) this.#give(link, calm.link, nowMs)
    }
  }

  #note(watched: Watched, nowMs: number): void {
    const { link } = watched
    const run = link.runs.look()
    const hasWork = run !== undefined || link.hasUnread
    watched.share += ((hasWork ? 1 : 0) - watched.share) * WEIGHT
    if (run !== undefined) {
      const connection = link.slots.find(run.tags[1], run.tags[2])
      if (connection !== undefined) {
        const isSeenTwice = run.number === watched.run || nowMs - connection.seenRunningMs < TWICE_MS
        if (isSeenTwice) connection.staysUntilMs = nowMs + this.#options.stayMs
        connection.seenRunningMs = nowMs
      }
    }
    watched.run = run?.number ?? 0
  }

  #calmest(): Watched {
    let best = this.#watched[0]!
    for (const each of this.#watched)
      if (each.link.up && (!best.link.up || each.share < best.share)) best = each
    return best
  }

  /** Moves idle connections, a few at a look: what they do to the calm shard shows in the next ones. */
  #give(from: ShardLink, to: ShardLink, nowMs: number): void {
    let left = this.#options.connections
    for (const connection of from.slots.all()) {
      if (left === 0) return
      if (!this.#mayGo(connection, nowMs) || !from.letGo(connection)) continue
      connection.staysUntilMs = nowMs + this.#options.stayMs
      to.adopt(connection, [], false)
      left--
    }
  }

  /** One that was not used since it came does not go again: its idle time begins anew with each move. */
  #mayGo(connection: Connection, nowMs: number): boolean {
    const isUsed = connection.epoch === 0 || connection.delivered > 0
    return connection.isIdle && isUsed && connection.staysUntilMs <= nowMs
  }
}
