// The card table of an instance whose engine has a write barrier: a byte for each card of its memory, not zero when something has
// been written there since the card was last restored.
//
// The table lies in the memory itself, where the barrier's instructions reach it: in the far part of the C stack, which has 5 MiB
// and, by `limits.stackBytes`, never uses a fifth of that. A store is marked at its first byte; it may reach over the card's end by
// less than SLACK_BYTES, which whoever restores a card restores with it. Method: card marking, as in generational collectors
// (Wilson and Moher, "A card-marking scheme for controlling intergenerational references", 1989).

/** A card has 512 bytes: of 1,046 a plain request writes to some 80. */
export const CARD_SHIFT = 9
/** Behind the engine's static data (STATIC_DATA_BYTES): the far end of its C stack. */
export const CARDS_AT = 128 << 10
/** The largest memory: the engine's allocator asks for no more than 2 GiB. */
export const CARDED_BYTES_MAX = 2 ** 31
/** A card for each place of that: no store needs a check. Pages of the table that nobody marks cost nothing. */
const CARDS_BYTES = CARDED_BYTES_MAX >>> CARD_SHIFT
/** One past the table: what is left of the C stack begins here. */
export const CARDS_END = CARDS_AT + CARDS_BYTES
/** The longest store has 8 bytes. */
export const SLACK_BYTES = 8

const CARDS_PER_WORD = 4
/** So many cards without a mark between two with one are copied with them: that costs less than to begin another copy. */
export const GAP_CARDS = 2

export class CardTable {
  readonly #memory: WebAssembly.Memory
  #cards = new Uint8Array(0)
  #words = new Int32Array(0)
  #memoryWords = new BigInt64Array(0)
  /** [from, to) of dirty cards, by their addresses: the result of {@link take}. */
  #ranges = new Uint32Array(256)

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory
  }

  /** The host has written, or lets others write without a barrier, to [address, address + bytes). */
  mark(address: number, bytes: number): void {
    if (bytes > 0) this.#view().fill(1, address >>> CARD_SHIFT, ((address + bytes - 1) >>> CARD_SHIFT) + 1)
  }

  /** Nothing below `end` is marked any more. */
  clear(end: number): void {
    this.#view().fill(0, 0, (end >>> CARD_SHIFT) + 1)
  }

  /**
   * Takes the marks of the cards in [from, to); returns how many stretches with all marked cards there are, near ones in one. The
   * first of them is [ranges[0], ranges[1]), cut to [from, to).
   */
  take(from: number, to: number): number {
    this.#refresh()
    const words = this.#words
    const last = ((to - 1) >>> CARD_SHIFT) >> 2
    let count = 0
    let end = Number.NEGATIVE_INFINITY
    // By groups of words: most have no mark. What lies before `from` in its word is the C stack's, which nobody asks for.
    for (let word = (from >>> CARD_SHIFT) >> 2; word <= last; word++) {
      if ((word & 3) === 0) {
        while (word <= last && (words[word]! | words[word + 1]! | words[word + 2]! | words[word + 3]!) === 0)
          word += 4
        if (word > last) break
      }
      const marks = words[word]!
      if (marks === 0) continue
      words[word] = 0
      const first = (word * CARDS_PER_WORD + (Math.clz32(marks & -marks) ^ 31) / 8) | 0
      if (first - end > GAP_CARDS) {
        if (count * 2 === this.#ranges.length) this.#grow()
        this.#ranges[count * 2] = Math.max(from, first << CARD_SHIFT)
        count++
      }
      end = word * CARDS_PER_WORD + CARDS_PER_WORD - (Math.clz32(marks) >> 3)
      this.#ranges[count * 2 - 1] = Math.min(to, (end << CARD_SHIFT) + SLACK_BYTES)
    }
    return count
  }

  /** All of the memory. */
  get memoryWords(): BigInt64Array {
    this.#refresh()
    return this.#memoryWords
  }

  get ranges(): Uint32Array {
    return this.#ranges
  }

  #grow(): void {
    const ranges = new Uint32Array(this.#ranges.length * 2)
    ranges.set(this.#ranges)
    this.#ranges = ranges
  }

  #view(): Uint8Array {
    this.#refresh()
    return this.#cards
  }

  #refresh(): void {
    // A memory that grows leaves its old buffer behind, which has no length then.
    if (this.#cards.length > 0) return
    const { buffer } = this.#memory
    this.#cards = new Uint8Array(buffer, CARDS_AT, CARDS_BYTES)
    this.#words = new Int32Array(buffer, CARDS_AT, CARDS_BYTES / CARDS_PER_WORD)
    this.#memoryWords = new BigInt64Array(buffer)
  }
}
