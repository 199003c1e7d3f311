// The guest that a shard's actor runs now, as the acceptor's thread sees it, and how it is stopped.

import type { Activity, Run } from '@shared/ringbuffer'
import { CANCEL } from '../protocol.ts'
import { actorActivity, type ShardHandle } from '../shard.ts'
import type { Connection } from './connection.ts'

export class Runs {
  readonly #activity: Activity

  constructor(handle: ShardHandle) {
    this.#activity = actorActivity(handle)
  }

  /** The run under way, if there is one; its tags: function, slot, generation, deadline. */
  look(): Run | undefined {
    return this.#activity.look()
  }

  /** What runs for a client that has gone is stopped. Of what begins only now the watchdog takes care. */
  clientGone({ slot, generation }: Connection): void {
    const run = this.#activity.look()
    if (run?.tags[1] === slot && run.tags[2] === generation) this.#activity.cancel(run, CANCEL.GONE)
  }

  /** The server stops, and the time for answers is over: the guest that runs now is stopped. */
  stop(): void {
    const run = this.#activity.look()
    if (run !== undefined) this.#activity.cancel(run, CANCEL.SHUTDOWN)
  }
}
