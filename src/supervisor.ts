// Keeps the actors alive. An actor's life is one piscina task; when it ends without having been told to, its shard's rings
// are reset before the next actor starts, its requests in flight are answered by the acceptor, and nobody else notices.

import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { resetRing } from '@shared/ringbuffer'
import type { Piscina } from 'piscina'
import type { Culprit, ShardLink } from './acceptor/link.ts'
import type { ActorPlan } from './actor/plan.ts'
import type { ImagesResult, ImagesTask } from './engine/images.ts'
import { RingletError } from './errors.ts'
import { actorBell, answerRoomBell, requestRing, requestRoomBell, responseRing } from './shard.ts'
import { openThreads } from './threads.ts'

export interface SupervisorEvents {
  /** An actor has ended by itself; the next one is about to start. */
  restarted(shard: number, reason: string): void
  /** Actors end faster than the restart intensity allows: the process cannot go on. */
  gaveUp(error: RingletError): void
}

export interface RestartIntensity {
  readonly max: number
  readonly windowMs: number
}

/** How long an ended thread may take until it writes no more into its shard's memory. */
const GONE_MS = 1000

/** An actor from the start of its task to the end of its thread. */
class Life {
  readonly abort = new AbortController()
  /** The request that its thread is ended for. */
  culprit: Culprit | undefined
  readonly #port: MessagePort
  readonly #closed: Promise<void>

  /** `port`: our side of a channel whose other side the actor keeps for as long as its thread lives. */
  constructor(port: MessagePort) {
    this.#port = port
    this.#closed = new Promise((resolve) => {
      port.once('close', resolve)
    })
  }

  /** Resolves when the thread is no more, to true: its rings may be used again only then. Or when that has taken too long, to false. */
  async gone(): Promise<boolean> {
    let isGone = true
    const timer = setTimeout(() => {
      isGone = false
      this.#port.close()
    }, GONE_MS)
    await this.#closed
    clearTimeout(timer)
    return isGone
  }
}

export class Supervisor {
  readonly #threads: Piscina
  readonly #ready: Promise<unknown>
  readonly #intensity: RestartIntensity
  readonly #events: SupervisorEvents
  readonly #spares: number
  readonly #ends: Promise<void>[] = []
  /** The life of each shard's actor: aborting it ends the thread. */
  readonly #lives = new Map<number, Life>()
  #stopping = false

  /** `entry`: URL of the built thread entry, undefined for the package's own. `spares`: threads kept ready beside those of the shards. */
  constructor(
    entry: string | undefined,
    cores: number,
    spares: number,
    intensity: RestartIntensity,
    events: SupervisorEvents,
  ) {
    this.#spares = spares
    this.#intensity = intensity
    this.#events = events
    // One more, for the penalty lane.
    const { threads, ready } = openThreads(cores, 1 + spares, entry)
    this.#threads = threads
    this.#ready = ready
  }

  async buildImages(task: ImagesTask): Promise<ImagesResult> {
    await this.#ready
    return this.#threads.run(task, { name: 'buildImages' })
  }

  /** Starts an actor for each link; resolves when all of them can serve. */
  async start(links: readonly ShardLink[], planOf: (link: ShardLink) => ActorPlan): Promise<void> {
    await this.#ready
    await Promise.all(
      links.map((link) => {
        let resolveReady: () => void = () => {}
        let rejectReady: (error: unknown) => void = () => {}
        const ready = new Promise<void>((resolve, reject) => {
          resolveReady = resolve
          rejectReady = reject
        })
        this.#ends.push(this.#keepAlive(link, planOf(link), resolveReady, rejectReady))
        return ready
      }),
    )
  }

  /**
   * Ends the thread of a shard that is hung: the next one, a spare if there is one, takes the shard over. The culprit's request is
   * answered that it exceeded its time, the others' that they were interrupted. Not counted as a restart: it is a
   * function's doing.
   */
  end(shard: number, culprit: Culprit): void {
    const life = this.#lives.get(shard)
    if (life === undefined) return
    life.culprit = culprit
    life.abort.abort()
  }

  /** Starts the spare threads that are missing. Resolves when they are ready; rejects never. */
  async spare(): Promise<void> {
    if (this.#stopping) return
    const missing = Array.from({ length: this.#spares }, () => this.#threads.run(null, { name: 'warm' }))
    await Promise.allSettled(missing)
  }

  /** From here on an actor's end is its end. */
  expectEnd(): void {
    this.#stopping = true
  }

  /** Waits for the actors, which have been told to stop, at most so long; then ends their threads. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
    })
    await Promise.race([Promise.allSettled(this.#ends), timeout])
    clearTimeout(timer)
    await this.#threads.destroy()
  }

  async #keepAlive(
    link: ShardLink,
    plan: ActorPlan,
    ready: () => void,
    notStarted: (error: unknown) => void,
  ): Promise<void> {
    const shard = link.handle.index
    const endedAtMs: number[] = []
    let hasServed = false
    let wasEnded = false
    while (!this.#stopping) {
      let reason = 'it ended'
      try {
        const life = this.#runOnce(link, plan, () => {
          hasServed = true
          ready()
        })
        // After the actor has taken the spare thread.
        if (wasEnded) void this.spare()
        wasEnded = false
        await life
        if (this.#stopping) return
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error)
      }
      if (this.#stopping) return
      const culprit = this.#lives.get(shard)?.culprit
      if (culprit !== undefined) {
        // What it has not taken can be told only when it takes nothing more.
        const isGone = await this.#lives.get(shard)!.gone()
        link.down(culprit, isGone)
        wasEnded = true
        continue
      }
      if (!hasServed) {
        notStarted(new RingletError('RINGLET_ACTOR_START', { shard, reason }))
        return
      }
      const nowMs = performance.now()
      endedAtMs.push(nowMs)
      while (endedAtMs[0]! < nowMs - this.#intensity.windowMs) endedAtMs.shift()
      const hasSuccessor = endedAtMs.length <= this.#intensity.max
      link.down(undefined, hasSuccessor)
      if (!hasSuccessor) {
        this.#events.gaveUp(
          new RingletError('RINGLET_RESTART_INTENSITY', { shard, ...this.#intensity, reason }),
        )
        return
      }
      this.#events.restarted(shard, reason)
    }
  }

  /** One life: on fresh rings, from the start of the task to its end. */
  async #runOnce(link: ShardLink, plan: ActorPlan, ready: () => void): Promise<void> {
    const { handle } = link
    resetRing(requestRing(handle))
    resetRing(responseRing(handle))
    for (const bell of [actorBell(handle), requestRoomBell(handle), answerRoomBell(handle)]) bell.cancel()
    const { port1, port2 } = new MessageChannel()
    port1.once('message', () => {
      link.restart()
      ready()
    })
    try {
      const life = new Life(port1)
      this.#lives.set(handle.index, life)
      await this.#threads.run({ plan, port: port2 }, { transferList: [port2], signal: life.abort.signal })
      port1.close()
    } catch (error) {
      if (this.#lives.get(handle.index)?.culprit === undefined) port1.close()
      throw error
    }
  }
}
