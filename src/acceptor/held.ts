// What the acceptor keeps for its clients outside of the rings: reads that found no room, answers that a slow client has not
// taken. Each connection's is bounded by its windows, and all of them together here: who does not fit is closed.

export class HeldBytes {
  readonly limitBytes: number
  usedBytes = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  fits(bytes: number): boolean {
    return this.usedBytes + bytes <= this.limitBytes
  }
}
