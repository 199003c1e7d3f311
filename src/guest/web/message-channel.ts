import { DOMException } from './dom-exception.ts'
import { TRUSTED } from './event.ts'
import { defineHandlers } from './event-handler.ts'
import { dispatch, EventTarget } from './event-target.ts'
import { MessageEvent } from './message-event.ts'
import {
  type Message,
  packMessage,
  registerTransferable,
  toTransferList,
  unpackMessage,
} from './structured-clone.ts'
import { isTimer, setTimeout } from './timers.ts'
import { finishInterface, needs, toDictionary } from './webidl.ts'

/** One end of a channel; it outlives its port, which may be transferred. */
interface End {
  /** Undefined after either port was closed. */
  other: End | undefined
  readonly queue: Message[]
  enabled: boolean
  /** Undefined while it is being transferred. */
  port: MessagePort | undefined
  /** The timer that delivers the next message: an earlier request's is gone with its answer. */
  timer: number
}

const INTERNAL = Symbol('internal')
let endOf: (port: MessagePort) => End | undefined
let isPort: (value: unknown) => value is MessagePort
let detach: (port: MessagePort) => End | undefined

/** HTML, section 9.4.4. Each message is a task of its own: a timer of no delay. */
export class MessagePort extends EventTarget {
  /** Undefined when the port was transferred. */
  #end: End | undefined

  constructor() {
    if (arguments[0] !== INTERNAL) throw new TypeError('Illegal constructor')
    super()
    this.#end = arguments[1] as End
    this.#end.port = this
  }

  postMessage(message: unknown, options: unknown = undefined): void {
    needs(arguments.length, 1, 'postMessage')
    const end = this.#end
    const transfer = toTransferList(
      isSequence(options) ? options : toDictionary(options, 'the options of postMessage')['transfer'],
    )
    if (transfer.includes(this))
      throw new DOMException('a port cannot be sent through itself', 'DataCloneError')
    const other = end?.other
    // A port that is sent to itself takes the channel with it.
    const isDoomed = transfer.some(
      (object) => isPort(object) && object.#end !== undefined && object.#end === other,
    )
    const packed = packMessage(message, transfer)
    if (other === undefined || isDoomed) return
    other.queue.push(packed)
    schedule(other)
  }

  start(): void {
    const end = this.#end
    if (end === undefined) return
    end.enabled = true
    schedule(end)
  }

  close(): void {
    const end = this.#end
    if (end?.other === undefined) return
    end.other.other = undefined
    end.other = undefined
  }

  static {
    endOf = (port) => port.#end
    isPort = (value): value is MessagePort => typeof value === 'object' && value !== null && #end in value
    detach = (port) => {
      const end = port.#end
      port.#end = undefined
      return end
    }
  }
}
defineHandlers(MessagePort.prototype, ['message', 'messageerror'], (port, type) => {
  if (type === 'message') (port as MessagePort).start()
})
finishInterface(MessagePort, 'MessagePort')

function isSequence(options: unknown): boolean {
  return (
    typeof options === 'object' &&
    options !== null &&
    (options as Iterable<unknown>)[Symbol.iterator] !== undefined
  )
}

function newPort(end: End): MessagePort {
  return new (MessagePort as unknown as new (mark: symbol, end: End) => MessagePort)(INTERNAL, end)
}

function schedule(end: End): void {
  if (!end.enabled || end.queue.length === 0 || isTimer(end.timer)) return
  end.timer = setTimeout(() => deliver(end), 0)
}

function deliver(end: End): void {
  end.timer = 0
  const { port } = end
  // It was transferred meanwhile: the new port starts with what is left.
  if (port === undefined || !end.enabled) return
  const message = end.queue.shift()
  if (message === undefined) return
  schedule(end)
  let data: unknown
  try {
    data = unpackMessage(message)
  } catch {
    dispatch(port, new MessageEvent('messageerror', undefined, TRUSTED))
    return
  }
  const ports = message.transferred.map((one) => one.data).filter(isPort)
  dispatch(port, new MessageEvent('message', { data, ports }, TRUSTED))
}

registerTransferable({
  is: isPort,
  check(port) {
    if (endOf(port as MessagePort) === undefined)
      throw new DOMException('the port was transferred', 'DataCloneError')
  },
  take(port) {
    const end = detach(port as MessagePort)!
    end.enabled = false
    return newPort(end)
  },
})

/** HTML, section 9.4.3. */
export class MessageChannel {
  readonly #port1: MessagePort
  readonly #port2: MessagePort

  constructor() {
    const one: End = { other: undefined, queue: [], enabled: false, port: undefined, timer: 0 }
    const two: End = { other: one, queue: [], enabled: false, port: undefined, timer: 0 }
    one.other = two
    this.#port1 = newPort(one)
    this.#port2 = newPort(two)
  }

  get port1(): MessagePort {
    return this.#port1
  }

  get port2(): MessagePort {
    return this.#port2
  }
}
finishInterface(MessageChannel, 'MessageChannel')
