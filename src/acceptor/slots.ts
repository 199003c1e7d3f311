// A shard's table of connections. A slot has a generation for each of its tenants, so that what is said to one never reaches the
// next; and it has another tenant only when the actor has been told that the last one is gone.

import type { Connection } from './connection.ts'

export class Slots {
  readonly #connections: (Connection | undefined)[] = []
  readonly #generations: number[] = []
  readonly #free: number[] = []
  /** Connections in the table. */
  size = 0

  /** A slot for a new connection, with the generation it has this time. */
  take(): { slot: number; generation: number } {
    const slot = this.#free.pop() ?? this.#connections.length
    if (slot === this.#connections.length) {
      this.#connections.push(undefined)
      this.#generations.push(0)
    }
    return { slot, generation: this.renew(slot) }
  }

  /** Another generation for this slot. */
  renew(slot: number): number {
    this.#generations[slot] = (this.#generations[slot]! + 1) | 0
    return this.#generations[slot]!
  }

  put(connection: Connection): void {
    this.#connections[connection.slot] = connection
    this.size++
  }

  /** The connection that has this slot, as it was when it had this generation. */
  find(slot: number, generation: number): Connection | undefined {
    const connection = this.#connections[slot]
    return connection?.generation === generation ? connection : undefined
  }

  /** Takes a connection out of the table; its slot is not free by that. */
  remove({ slot }: Connection): void {
    this.#connections[slot] = undefined
    this.size--
  }

  /** The actor knows that the last one is gone, or never will: the slot may be used again. */
  free(slot: number): void {
    this.#free.push(slot)
  }

  all(): readonly Connection[] {
    return this.#connections.filter((connection) => connection !== undefined)
  }
}
