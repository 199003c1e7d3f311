import { Event, stateOf } from './event.ts'
import { finishInterface, needs, toDictionary } from './webidl.ts'

interface MessageParts {
  data: unknown
  origin: string
  lastEventId: string
  source: unknown
  ports: readonly object[]
}

function partsOf(init: unknown): MessageParts {
  const {
    data = null,
    lastEventId = '',
    origin = '',
    ports = [],
    source = null,
  } = toDictionary(init, 'the init of a MessageEvent')
  return {
    data,
    origin: `${origin}`,
    lastEventId: `${lastEventId}`,
    source,
    ports: Object.freeze([...(ports as object[])]),
  }
}

/** HTML, section 9.1. */
export class MessageEvent extends Event {
  #parts: MessageParts

  constructor(type: unknown, init: unknown = undefined, internal: unknown = undefined) {
    needs(arguments.length, 1, 'MessageEvent')
    super(type, init, internal)
    this.#parts = partsOf(init)
  }

  get data(): unknown {
    return this.#parts.data
  }

  get origin(): string {
    return this.#parts.origin
  }

  get lastEventId(): string {
    return this.#parts.lastEventId
  }

  get source(): unknown {
    return this.#parts.source
  }

  get ports(): readonly object[] {
    return this.#parts.ports
  }

  initMessageEvent(
    type: unknown,
    bubbles: unknown = false,
    cancelable: unknown = false,
    data: unknown = null,
    origin: unknown = '',
    lastEventId: unknown = '',
    source: unknown = null,
    ports: unknown = [],
  ): void {
    needs(arguments.length, 1, 'initMessageEvent')
    if (stateOf(this).dispatching) return
    this.initEvent(type, bubbles, cancelable)
    this.#parts = partsOf({ data, origin, lastEventId, source, ports })
  }
}
finishInterface(MessageEvent, 'MessageEvent')
