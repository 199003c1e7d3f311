// What an actor that has ended had not begun to read: its successor can be given it as if nothing had happened.

import { Consumer, RingCorruptError } from '@shared/ringbuffer'
import { IDLE_COUNTS, REQUEST } from '../protocol.ts'
import { requestRing, type ShardHandle } from '../shard.ts'
import type { Connection } from './connection.ts'
import type { Slots } from './slots.ts'

/** Of one connection. */
export interface LeftBehind {
  /** DATA records, and their payloads. */
  records: number
  readonly bytes: Uint8Array[]
  /** The actor was yet to be told that it comes from another shard. */
  isMoved: boolean
}

/**
 * By connection. The payloads are copies: the ring is reset for the successor. Only when the actor's thread is no more. Undefined where
 * the ring is not as it should be, which may be what its actor has ended for.
 */
export function leftBehind(handle: ShardHandle, slots: Slots): Map<Connection, LeftBehind> | undefined {
  try {
    return readLeft(handle, slots)
  } catch (error) {
    if (error instanceof RingCorruptError) return undefined
    throw error
  }
}

function readLeft(handle: ShardHandle, slots: Slots): Map<Connection, LeftBehind> {
  const memory = new Uint8Array(handle.memory.buffer)
  const consumer = Consumer.behindTaken(requestRing(handle))
  const all = new Map<Connection, LeftBehind>()
  while (consumer.next()) {
    const { type, slot, generation, offset, length } = consumer
    if (type !== REQUEST.DATA && type !== REQUEST.OPEN_MOVED) continue
    const connection = slots.find(slot, generation)
    if (connection === undefined) continue
    const left = all.get(connection) ?? { records: 0, bytes: [], isMoved: false }
    all.set(connection, left)
    if (type === REQUEST.OPEN_MOVED) left.isMoved = true
    else {
      left.records++
      left.bytes.push(memory.slice(offset, offset + length))
    }
  }
  return all
}

/**
 * A connection's bytes that the actor had not begun to read when it was last idle with it. Undefined when it had begun, or when
 * there are none: then it may have acted upon them, or owes an answer.
 */
export function untakenOf(
  { delivered, idleAt, stash }: Connection,
  left: LeftBehind | undefined,
): Uint8Array | undefined {
  const taken = (delivered - (left?.records ?? 0) + IDLE_COUNTS) % IDLE_COUNTS
  const bytes = [...(left?.bytes ?? []), ...(stash === undefined ? [] : [stash])]
  return taken === idleAt && bytes.length > 0 ? Buffer.concat(bytes) : undefined
}
