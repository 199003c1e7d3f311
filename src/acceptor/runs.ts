// The guest that a shard's actor runs now, as the acceptor's thread sees it, and how it is stopped.

import type { Activity, Run } from '@shared/ringbuffer'
import { CANCEL } from '../protocol.ts'
import { actorActivity, type ShardHandle } from '../shard.ts'

export class Runs {
  readonly #activity: Activity

  constructor(handle: ShardHandle) {
    this.#activity = actorActivity(handle)
  }

  /** The run under way, if there is one; its tags: function, slot, generation, deadline. */
  look(): Run | undefined {
    return this.#activity.look()
  }

  /** The server stops, and the time for answers is over: the guest that runs now is stopped. */
  stop(): void {
    const run = this.#activity.look()
    if (run !== undefined) this.#activity.cancel(run, CANCEL.SHUTDOWN)
  }
}
