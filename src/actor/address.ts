// Whose connection the next writing is for. The outbox takes an address between two records only; where several requests share a
// runtime, one's step may write for another in the middle of its own connection's record.

import { RESPONSE } from '../protocol.ts'
import type { Outbox } from './outbox.ts'
import type { Session } from './session.ts'

export class Address {
  readonly #outbox: Outbox
  #current: Session | undefined

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** The outbox has been told already; undefined for nobody's step. */
  is(session: Session | undefined): void {
    this.#current = session
  }

  /** Between two records. */
  set(session: Session): void {
    this.#current = session
    this.#outbox.address(session.slot, session.generation)
  }

  /** At any time: a record of another connection that is open goes out as it is. */
  turnTo(session: Session): void {
    const before = this.#current
    if (before !== session && this.#outbox.isOpen) {
      this.#outbox.commit(RESPONSE.DATA)
      if (before !== undefined) before.saidMore = true
    }
    this.set(session)
  }
}
