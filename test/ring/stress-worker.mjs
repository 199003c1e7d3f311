// The far end of stress.test.ts, a plain thread over the built package.
import { parentPort, workerData } from 'node:worker_threads'
import { Consumer, Doorbell, Producer, REFUSED } from '../../src/shared/ringbuffer/dist/index.js'

const { role, place, records, room, count, seed } = workerData
const bytes = new Uint8Array(place.buffer)
const recordsBell = new Doorbell(records)
const roomBell = new Doorbell(room)

/** Lengths, the same on both sides: mostly small, sometimes the largest, sometimes none. */
function* lengths(maxPayload) {
  let x = seed
  for (let i = 0; i < count; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0
    const n = x >>> 8
    yield n % 50 === 0 ? maxPayload : n % 9 === 0 ? 0 : n % 120
  }
}

const byteAt = (message, i) => (Math.imul(message, 31) + i) & 255
const sumOf = (message, length) => {
  let sum = 0
  for (let i = 0; i < length; i++) sum = (Math.imul(sum, 33) + byteAt(message, i)) | 0
  return sum
}

function produce() {
  const producer = new Producer(place)
  let message = 0
  for (const length of lengths(producer.maxPayload)) {
    let offset = producer.tryClaim(length)
    while (offset === REFUSED) {
      roomBell.prepare()
      offset = producer.tryClaim(length)
      if (offset === REFUSED) {
        roomBell.wait()
        offset = producer.tryClaim(length)
      } else roomBell.cancel()
    }
    for (let i = 0; i < length; i++) bytes[offset + i] = byteAt(message, i)
    producer.commit(1 + (message % 5), message, sumOf(message, length))
    recordsBell.ring()
    message += 1
  }
  return message
}

function consume() {
  const consumer = new Consumer(place)
  let message = 0
  for (const length of lengths(place.capacity / 2 - 16)) {
    while (!consumer.next()) {
      consumer.release()
      roomBell.ring()
      recordsBell.prepare()
      if (consumer.isEmpty()) recordsBell.wait()
      else recordsBell.cancel()
    }
    let sum = 0
    for (let i = 0; i < consumer.length; i++) sum = (Math.imul(sum, 33) + bytes[consumer.offset + i]) | 0
    const right =
      consumer.slot === message && consumer.length === length && consumer.type === 1 + (message % 5)
    if (!right || sum !== consumer.generation)
      throw new Error(`message ${message} came as ${consumer.slot}, sum ${sum}`)
    message += 1
    if (message % 3 === 0) {
      consumer.release()
      roomBell.ring()
    }
  }
  consumer.release()
  return message
}

parentPort.postMessage(role === 'producer' ? produce() : consume())
