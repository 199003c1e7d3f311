// Where two readings of the same bytes part.

import type { Message, OtherReader, Reading } from './message.ts'
import { type OurReading, readOurs } from './ours.ts'
import { offersUpgrade } from './rfc.ts'

/** What kind of difference it is. */
export type Kind =
  /** Ours refuses what the other takes, or still waits for. */
  | 'ours refuses'
  /** The other refuses what ours takes, or still waits for. */
  | 'other refuses'
  /** Both take a request, and understand it differently: this is what smuggling lives on. */
  | 'understood'
  /** A request is complete to one of them only, and neither refuses. */
  | 'ours waits'
  | 'other waits'

export interface Difference {
  readonly kind: Kind
  /** The refusal's name, or the part of the message that is not the same. */
  readonly what: string
  /** The input from the message on where they part, and where that begins. */
  readonly text: string
  readonly start: number
  /** Ours of that message, if it has a head. */
  readonly ours: Message | undefined
  readonly other: Message | undefined
  /** Ours of the message before. */
  readonly before: Message | undefined
}

/** What becomes of the connection last: it may be seen in two ways where the message itself may not. */
const PARTS = ['method', 'target', 'minor', 'fields', 'body', 'keepAlive'] as const

/** The first difference, or undefined. What follows it is not comparable. */
function difference(text: string, ours: OurReading, other: Reading): Difference | undefined {
  for (let i = 0; ; i++) {
    const start = ours.starts[i]
    const mine = ours.messages[i]
    const its = other.messages[i]
    if (start === undefined) return undefined
    const found = (kind: Kind, what: string): Difference => ({
      kind,
      what,
      text: text.slice(start),
      start,
      ours: mine,
      other: its,
      before: ours.messages[i - 1],
    })
    const isLast = i >= ours.messages.length - 1 && !mine?.isComplete
    const itsRefusal = its?.isComplete ? undefined : other.refusal
    if (mine !== undefined && its !== undefined) {
      const part = differentPart(mine, its)
      if (part !== undefined) return found('understood', part)
    }
    if (isLast && ours.refusal !== undefined) {
      return itsRefusal === undefined ? found('ours refuses', ours.refusal) : undefined
    }
    if (itsRefusal !== undefined) return found('other refuses', itsRefusal)
    if (its?.isComplete && !mine?.isComplete) return found('ours waits', mine === undefined ? 'head' : 'body')
    if (mine?.isComplete && !its?.isComplete) return found('other waits', its === undefined ? 'head' : 'body')
    if (isLast || mine?.keepAlive === false) return undefined
  }
}

/** The part of a message that two parsers disagree on; of a body that is not complete, what both have. */
function differentPart(ours: Message, other: Message): string | undefined {
  return PARTS.find((part) => {
    if (part === 'body') return !isSameBody(ours, other)
    if (part === 'fields') return JSON.stringify(ours.fields) !== JSON.stringify(other.fields)
    return ours[part] !== other[part]
  })
}

function isSameBody(ours: Message, other: Message): boolean {
  if (ours.isComplete && other.isComplete) return ours.body === other.body
  return ours.body.startsWith(other.body) || other.body.startsWith(ours.body)
}

/**
 * One input to one other parser. It is fed up to one byte before each end of ours, then that byte: there and not before must
 * its message be complete. `outcome` is to be asked for after a turn of the event loop.
 */
export class Trial {
  readonly text: string
  readonly ours: OurReading
  readonly #other: OtherReader
  readonly #bytes: Buffer
  /** Messages too many one byte before the end of one of ours: which, counted from 0. */
  #early: number | undefined

  constructor(text: string, other: OtherReader) {
    this.text = text
    this.#bytes = Buffer.from(text, 'latin1')
    this.ours = readOurs(this.#bytes, 0, this.#bytes.length)
    this.#other = other
  }

  /** `isWhole`: in one piece instead. */
  feed(isWhole: boolean): void {
    // Node drops what follows a request for an upgrade in the same piece.
    if (isWhole && !this.ours.messages.some(offersUpgrade)) this.#other.feed(this.#bytes)
    else this.#feedAtBorders()
  }

  #feedAtBorders(): void {
    const other = this.#other
    let at = 0
    const feedTo = (end: number) => {
      if (end > at) other.feed(this.#bytes.subarray(at, end))
      at = end
    }
    this.ours.starts.slice(1).forEach((end, index) => {
      feedTo(end - 1)
      if (other.completed > index) this.#early ??= index
      feedTo(end)
    })
    feedTo(this.#bytes.length)
  }

  outcome(): Difference | undefined {
    const reading = this.#other.reading()
    const found = difference(this.text, this.ours, reading)
    const early = this.#early
    if (early === undefined || (found !== undefined && this.ours.starts[early]! > found.start)) return found
    const start = this.ours.starts[early]!
    return {
      kind: 'understood',
      what: 'end',
      text: this.text.slice(start),
      start,
      ours: this.ours.messages[early],
      other: reading.messages[early],
      before: this.ours.messages[early - 1],
    }
  }
}
