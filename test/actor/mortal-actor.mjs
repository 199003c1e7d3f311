// An actor for restart.test.ts: it speaks the protocol of the rings, answers by path, and ends when a request asks it to.
import { randomUUID } from 'node:crypto'
import { Consumer, Counters, Doorbell, Producer } from '../../src/shared/ringbuffer/dist/index.js'

/** One life. `plan` holds places in the shard's memory and the numbers of the protocol: nothing of src is imported here. */
export default function actor({ plan, port }) {
  if (plan.failsAtStart) throw new Error('no start')
  const { shard, places, request: REQUEST, response: RESPONSE, idleBits } = plan
  const life = randomUUID()
  const consumer = new Consumer(places.request)
  const producer = new Producer(places.response)
  const bell = new Doorbell(places.bell)
  const acceptorBell = new Doorbell(places.acceptorBell)
  const counters = new Counters(places.counters, plan.counters)
  /** DATA records of each connection. */
  const received = new Map()
  let dieOnDrain = false
  let draining = false
  port.postMessage('ready')
  port.close()

  const write = (type, slot, generation, text) => {
    if (!producer.tryWrite(type, slot, generation, Buffer.from(text))) throw new Error('the ring is full')
    acceptorBell.ring()
  }
  const head = (length) => `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`
  const answer = (slot, generation, path) => {
    const type = (received.get(`${slot}.${generation}`) << idleBits) | RESPONSE.DATA_IDLE
    switch (path) {
      case '/throw':
        throw new Error('asked to')
      case '/exit':
        process.exit(7)
        break
      case '/mid-write':
        // Ends in the middle of writing: the next life must not find the claim.
        producer.tryClaim(8)
        throw new Error('asked to, in the middle of writing')
      case '/hold':
        return
      case '/half':
        write(RESPONSE.DATA, slot, generation, `${head(100)}half`)
        return
      case '/die-on-drain':
        dieOnDrain = true
    }
    const body = JSON.stringify({ shard, life })
    write(type, slot, generation, `${head(body.length)}${body}`)
  }
  const take = () => {
    const { type, slot, generation, offset, length } = consumer
    const key = `${slot}.${generation}`
    if (type === REQUEST.OPEN) {
      received.set(key, 0)
      if (draining) write(RESPONSE.DATA_CLOSE, slot, generation, '')
    } else if (type === REQUEST.GONE) received.delete(key)
    else if (type === REQUEST.END) write(RESPONSE.DATA_CLOSE, slot, generation, '')
    else if (type === REQUEST.DRAIN) {
      if (dieOnDrain) throw new Error('asked to, by draining')
      draining = true
      for (const each of received.keys()) {
        const [openSlot, openGeneration] = each.split('.').map(Number)
        write(RESPONSE.DATA_CLOSE, openSlot, openGeneration, '')
      }
    } else if (type === REQUEST.DATA) {
      if (!received.has(key)) throw new Error(`bytes of the unknown connection ${key}`)
      received.set(key, received.get(key) + 1)
      const text = Buffer.from(places.request.buffer, offset, length).toString('latin1')
      answer(slot, generation, text.split(' ')[1])
      counters.add(0, 1)
    }
    return type !== REQUEST.STOP
  }
  for (;;) {
    while (consumer.next()) {
      consumer.taken()
      const goesOn = take()
      consumer.release()
      if (!goesOn) return
    }
    bell.prepare()
    if (consumer.isEmpty()) bell.wait()
    else bell.cancel()
  }
}
