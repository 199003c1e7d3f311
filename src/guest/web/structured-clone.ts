import { loadedFeature } from '../feature.ts'
import { deserialize } from './deserialize.ts'
import { DOMException } from './dom-exception.ts'
import { cannotClone, type Memory, type Serialized, serialize } from './serialize.ts'
import { needs, toDictionary } from './webidl.ts'

/** A class whose objects go from one owner to another: `take` detaches the object, and returns what makes the new one. */
interface Transferable {
  is(value: object): boolean
  /** @throws DOMException named DataCloneError if it cannot be transferred now. */
  check(value: object): void
  take(value: object): object
}

const transferables: Transferable[] = [
  {
    is: (value) => value instanceof ArrayBuffer,
    check(value) {
      if ((value as unknown as { detached: boolean }).detached) throw cannotClone('a detached ArrayBuffer')
    },
    take: (value) => (value as unknown as { transfer(): ArrayBuffer }).transfer(),
  },
  {
    is: (value) => loadedFeature('streams')?.isTransferableStream(value) === true,
    check(value) {
      if (isLocked(value)) throw new DOMException('a locked stream cannot be transferred', 'DataCloneError')
    },
    take: (value) => loadedFeature('streams')!.transferStream(value, structuredCopy),
  },
]

export function registerTransferable(kind: Transferable): void {
  transferables.push(kind)
}

function isLocked(stream: object): boolean {
  const { locked, readable, writable } = stream as {
    locked?: boolean
    readable?: { locked: boolean }
    writable?: { locked: boolean }
  }
  return locked === true || readable?.locked === true || writable?.locked === true
}

/** A message on its way: HTML, StructuredSerializeWithTransfer. */
export interface Message {
  readonly root: unknown
  /** The transferred objects, in their order. */
  readonly transferred: readonly Serialized[]
}

/** @throws DOMException named DataCloneError; nothing has been transferred then. */
export function packMessage(value: unknown, transfer: readonly object[]): Message {
  const memory: Memory = new Map()
  const transferred: Serialized[] = []
  const kinds = transfer.map((object) => {
    const kind = transferables.find(({ is }) => is(object))
    if (kind === undefined)
      throw new DOMException('an object of this type cannot be transferred', 'DataCloneError')
    if (memory.has(object))
      throw new DOMException('an object is named twice to be transferred', 'DataCloneError')
    const serialized: Serialized = { kind: 'transferred', data: undefined, items: [], keys: [] }
    memory.set(object, serialized)
    transferred.push(serialized)
    return kind
  })
  const root = serialize(value, memory)
  for (let i = 0; i < kinds.length; i++) kinds[i]!.check(transfer[i]!)
  for (let i = 0; i < kinds.length; i++) transferred[i]!.data = kinds[i]!.take(transfer[i]!)
  return { root, transferred }
}

export function unpackMessage({ root }: Message): unknown {
  return deserialize(root, new Map())
}

/** A clone, with nothing transferred. */
export function structuredCopy(value: unknown): unknown {
  return deserialize(serialize(value, new Map()), new Map())
}

/** WebIDL's `sequence<object>`. */
export function toTransferList(value: unknown): object[] {
  if (value === undefined) return []
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
    throw new TypeError('the list of objects to transfer must be a sequence')
  return Array.from(value as Iterable<unknown>, (item) => {
    if ((typeof item !== 'object' && typeof item !== 'function') || item === null)
      throw new TypeError('only objects can be transferred')
    return item
  })
}

/** HTML, section 2.7.10. */
export function structuredClone(value: unknown, options: unknown = undefined): unknown {
  needs(arguments.length, 1, 'structuredClone')
  const { transfer } = toDictionary(options, 'the options of structuredClone')
  return unpackMessage(packMessage(value, toTransferList(transfer)))
}
