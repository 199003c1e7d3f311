// What the host does for its guest at once, by the numbers in OP (src/guest/ops.ts).

import { randomFillSync } from 'node:crypto'
import { encodingName, type HostValue, textDecode, textEncode, urlParse, urlSet } from '../guest/host.ts'
import { findParts } from '../guest/host-multipart.ts'
import { LOG_CHARS_MAX, OP, RANDOM_BYTES_MAX } from '../guest/ops.ts'
import { subtle } from '../host/subtle/subtle.ts'
import { type GuestArguments, HostRefusal } from './arguments.ts'
import { partOf } from './utf8.ts'

/** What a running request offers its guest beside the pure operations. */
export interface HostCalls {
  /** Somebody outside wants the request to stop; looked at whenever the engine polls. */
  readonly isCancelled: boolean
  /** It has begun more requests to other servers than it may. */
  readonly isOverSubrequests: boolean
  log(level: number, text: string): void
  /**
   * A promise was rejected, and nobody has handled it: its reason as `name\nmessage\nstack`. Or, with '', so many `more` that were not
   * kept: there is a limit.
   */
  unhandled(failure: string, more: number): void
  /** False when there are too many timers. */
  timerSet(id: number, delayMs: number, repeat: boolean): boolean
  timerClear(id: number): void
  /** The guest waits for a piece of its body. `seat` here and below: whose, where requests share a runtime; else 0. */
  bodyPull(seat: number): void
  /** The guest wants no more of its body. */
  bodyDrop(seat: number): void
  /** JSON text. */
  env(): string
  /**
   * Begins what takes time: one of ASYNC_OP, with arguments of the host's own. Undefined, or why it is refused. Its end is
   * told by {@link Instance.complete}.
   */
  call(id: number, what: number, values: readonly HostValue[]): string | undefined
  callCancel(id: number): void
  /** A piece of a streamed answer, in [from, to) of `bytes` until it returns; how long the next may be, 0 for none yet. */
  send(bytes: Uint8Array, from: number, to: number, seat: number): number
  /** The end of a streamed answer; `failure` is '' when it is complete. */
  sendEnd(failure: string, seat: number): void
}

type HostOp = (args: GuestArguments, host: HostCalls) => HostValue

function timerSet(args: GuestArguments, host: HostCalls): undefined {
  if (!host.timerSet(args.number(1), args.number(2), args.number(3) !== 0)) {
    throw new HostRefusal('too many timers')
  }
}

function random(args: GuestArguments): HostValue {
  const count = args.number(1)
  if (!(count >= 1 && count <= RANDOM_BYTES_MAX)) return undefined
  return randomFillSync(new Uint8Array(Math.floor(count)))
}

const randomWords = new Uint32Array(2)

/** 53 random bits, as a number from 0 up to 1. */
function mathRandom(): number {
  randomFillSync(randomWords)
  return ((randomWords[0]! >>> 5) * 2 ** 26 + (randomWords[1]! >>> 6)) / 2 ** 53
}

/** Arguments of OP.CALL before those of what it begins. */
const CALL_ARGUMENTS = 3

/** Arguments of OP.SUBTLE before those of its operation. */
const SUBTLE_ARGUMENTS = 2

function subtleOp(args: GuestArguments, host: HostCalls): HostValue {
  return subtle(host, args.number(1), args.valuesFrom(SUBTLE_ARGUMENTS))
}

function call(args: GuestArguments, host: HostCalls): undefined {
  const refusal = host.call(args.number(1), args.number(2), args.valuesFrom(CALL_ARGUMENTS))
  if (refusal !== undefined) throw new HostRefusal(refusal)
}

function send(args: GuestArguments, host: HostCalls): number {
  const seat = args.number(2)
  return args.lend(1, (bytes, from, to) => host.send(bytes, from, to, seat)) ?? 0
}

function decode(args: GuestArguments): HostValue {
  // Before the bytes are looked at: reading text can make the guest's memory grow, and that is another one then.
  const flags = args.number(2)
  const offset = args.number(3)
  const length = args.number(4)
  const label = args.text(5)
  const state = args.number(6)
  let text: HostValue
  const isLent = args.lend(1, (memory, from, to) => {
    text = textDecode(partOf(memory, from, to, offset, length), label, flags, state)
    return true
  })
  return isLent === true ? text : textDecode(new Uint8Array(0), label, flags, state)
}

const OPS: readonly [op: number, run: HostOp][] = [
  [OP.LOG, (args, host) => host.log(args.number(1), args.text(2).slice(0, LOG_CHARS_MAX)) as undefined],
  [OP.TIMER_SET, timerSet],
  [OP.TIMER_CLEAR, (args, host) => host.timerClear(args.number(1)) as undefined],
  [OP.URL_PARSE, (args) => urlParse(args.wire(1), args.optionalWire(2))],
  [OP.URL_SET, (args) => urlSet(args.text(1), args.number(2), args.wire(3))],
  [OP.TEXT_ENCODE, (args) => textEncode(args.wire(1))],
  [OP.TEXT_DECODE, decode],
  [OP.MULTIPART, (args) => findParts(args.bytes(1) ?? new Uint8Array(0), args.text(2))],
  [OP.RANDOM, random],
  [OP.MATH_RANDOM, mathRandom],
  [OP.ENV, (_args, host) => host.env()],
  [OP.NOW, (args) => (args.number(1) === 1 ? performance.timeOrigin : performance.now())],
  [OP.ENCODING_NAME, (args) => encodingName(args.wire(1))],
  [OP.BODY_PULL, (args, host) => host.bodyPull(args.number(1)) as undefined],
  [OP.BODY_DROP, (args, host) => host.bodyDrop(args.number(1)) as undefined],
  [OP.CALL, call],
  [OP.SEND, send],
  [OP.SEND_END, (args, host) => host.sendEnd(args.text(1), args.number(2)) as undefined],
  [OP.SUBTLE, subtleOp],
  [OP.CALL_CANCEL, (args, host) => host.callCancel(args.number(1)) as undefined],
]

/** By op; undefined for a number that is none. */
export const HOST_OPS: readonly (HostOp | undefined)[] = OPS.reduce<(HostOp | undefined)[]>(
  (table, [op, run]) => {
    table[op] = run
    return table
  },
  [],
)

/**
 * Ops that do not count against `limits.hostCalls`: how many pieces a body comes or goes in is its client's doing, a feature that
 * a function has not mentioned is loaded on its time, and Math.random is no call that anybody sees.
 */
export const UNCOUNTED_OPS: ReadonlySet<number> = new Set<number>([
  OP.BODY_PULL,
  OP.FEATURE,
  OP.MATH_RANDOM,
  OP.SEND,
  OP.SEND_END,
])
