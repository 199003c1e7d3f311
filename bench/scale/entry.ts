// The acceptor with actors that answer every record at once, for the bench of its own ceiling: no parser, no engine.

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Consumer, createSharedMemory, Producer } from '@shared/ringbuffer'
import { ACCEPTOR_MEMORY_BYTES, Acceptor } from '../../src/acceptor/acceptor.ts'
import { ShardLink } from '../../src/acceptor/link.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { IDLE_COUNTS, idleType, REQUEST } from '../../src/protocol.ts'
import {
  acceptorBell,
  actorBell,
  createShard,
  requestRing,
  responseRing,
  type ShardHandle,
} from '../../src/shard.ts'

const BODY = '{"hello":"world"}'
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
)
/** As an actor does it. */
const SPINS = 200

/** Serves on a free port; `cores`: echoing threads. */
export async function serveEcho(cores: number): Promise<number> {
  const { ring, connection, acceptor, balance } = defaultConfig({ cores, port: 0 })
  const bell = createSharedMemory(ACCEPTOR_MEMORY_BYTES)
  const { receiveWindowBytes, sendWindowBytes } = connection
  const limits = { receiveWindowBytes, sendWindowBytes, batchRecords: ring.batchRecords }
  const sizes = { ...ring, scratchBytes: 0 }
  const links = Array.from({ length: cores }, (_, i) => new ShardLink(createShard(i, sizes, bell), limits))
  for (const link of links) {
    const worker = new Worker(new URL(import.meta.url), { workerData: link.handle })
    await new Promise((resolve) => worker.once('message', resolve))
    link.restart()
  }
  const options = { ...acceptor, balance, host: '127.0.0.1', port: 0, heldBytes: 16 << 20 }
  return new Acceptor(options, links).listen()
}

function echo(shard: ShardHandle): void {
  const consumer = new Consumer(requestRing(shard))
  const producer = new Producer(responseRing(shard))
  const bell = actorBell(shard)
  const toAcceptor = acceptorBell(shard)
  const received: number[] = []
  parentPort?.postMessage('ready')
  for (;;) {
    let records = 0
    while (consumer.next()) {
      records++
      const { type, slot, generation } = consumer
      if (type === REQUEST.OPEN) received[slot] = 0
      if (type !== REQUEST.DATA) continue
      received[slot] = ((received[slot] ?? 0) + 1) % IDLE_COUNTS
      while (!producer.tryWrite(idleType(received[slot]!), slot, generation, ANSWER)) toAcceptor.ring()
      toAcceptor.ring()
    }
    if (records > 0) {
      consumer.release()
      continue
    }
    let spins = 0
    while (spins < SPINS && consumer.isEmpty()) spins++
    if (spins < SPINS) continue
    bell.prepare()
    if (consumer.isEmpty()) bell.wait()
    else bell.cancel()
  }
}

if (!isMainThread) echo(workerData as ShardHandle)
