import { CACHE_LINE_BYTES, HEADER_BYTES } from '@shared/ringbuffer'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { linkCounter } from '../../src/metrics.ts'
import { REQUEST, RESPONSE } from '../../src/protocol.ts'
import { requestRing } from '../../src/shard.ts'
import { Harness, inShort, type Setup } from './harness.ts'

let open: Harness[] = []
function harness(setup?: Setup): Harness {
  const made = new Harness(setup)
  open.push(made)
  return made
}
afterEach(() => {
  for (const each of open) each.end()
  open = []
})

describe('to the actor', () => {
  test('a new connection is announced before its bytes', () => {
    const h = harness()
    const a = h.connect()
    const b = h.connect()
    b.send('b')
    a.send('a')
    expect(inShort(h.actor.take())).toEqual(['OPEN 0.1', 'OPEN 1.1', 'DATA 1.1 b', 'DATA 0.1 a'])
  })

  test('also when the ring is full: OPEN, bytes and FIN wait together and keep their order', () => {
    const h = harness()
    h.fill()
    const { connection, send, socket } = h.connect()
    send('late')
    h.link.deliverEnd(connection)
    expect(socket.paused).toBe(true)
    expect(h.link.awaits).toBe(true)
    expect(inShort(h.settle())).toEqual(['OPEN 0.1', 'DATA 0.1 late', 'END 0.1'])
    expect(socket.paused).toBe(false)
  })

  test('what finds no room is copied, and delivered before the acceptor sleeps', () => {
    const h = harness()
    const { send, socket } = h.connectKnown()
    h.fill()
    send('kept while the read buffer is used again')
    expect(socket.paused).toBe(true)
    h.actor.take()
    h.link.beforeSleep()
    expect(inShort(h.actor.take())).toEqual(['DATA 0.1 kept while the read buffer is used again'])
    expect(socket.paused).toBe(false)
  })

  test('a read that comes though reading was stopped is put behind what is kept', () => {
    const h = harness()
    const { send } = h.connectKnown()
    h.fill()
    send('one ')
    send('two ')
    send('three')
    expect(inShort(h.settle())).toEqual(['DATA 0.1 one two three'])
  })

  test('a FIN that finds no room is told once', () => {
    const h = harness()
    const { connection } = h.connectKnown()
    h.fill()
    h.link.deliverEnd(connection)
    expect(inShort(h.settle())).toEqual(['END 0.1'])
    expect(inShort(h.settle())).toEqual([])
  })

  test('a connection that closes with bytes and a FIN owed owes its end only', () => {
    const h = harness()
    const { connection, send, socket } = h.connectKnown()
    h.fill()
    send('never')
    h.link.deliverEnd(connection)
    socket.closed()
    expect(inShort(h.settle())).toEqual(['GONE 0.1'])
  })

  test('what is owed to the shard keeps its order, behind a full ring', () => {
    const h = harness()
    const { send } = h.connectKnown()
    h.fill()
    h.link.tell(REQUEST.DRAIN)
    send('a')
    expect(inShort(h.settle())).toEqual(['DRAIN 0.0', 'DATA 0.1 a'])
  })

  test('telling the shard asks for a look before the acceptor sleeps', () => {
    const h = harness()
    let asked = 0
    h.link.onOwing = () => asked++
    h.fill()
    const before = asked
    h.link.tell(REQUEST.DRAIN)
    expect(asked).toBe(before + 1)
  })

  test('every byte arrives once and in order, whatever the ring, the reads and the actor do', () => {
    const command = fc.oneof(
      fc.record({
        do: fc.constant('send' as const),
        client: fc.nat(2),
        bytes: fc.integer({ min: 0, max: 200 }),
      }),
      fc.record({ do: fc.constant('take' as const), most: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant('drain' as const) }),
      fc.record({ do: fc.constant('sleep' as const) }),
    )
    const run = fc.property(fc.array(command, { maxLength: 120 }), (commands) => {
      const h = new Harness({ highWatermark: 0.75, lowWatermark: 0.25, limits: { receiveWindowBytes: 700 } })
      const clients = [h.connect(), h.connect(), h.connect()]
      const sent = clients.map(() => '')
      const got = clients.map(() => '')
      const seenOpen = new Set<number>()
      let next = 0
      const read = (most?: number) => {
        const records = h.actor.take(most)
        for (const { type, slot, generation, payload } of records) {
          if (type === 'OPEN') seenOpen.add(slot)
          if (type !== 'DATA') continue
          expect(seenOpen.has(slot)).toBe(true)
          got[slot] += payload.toString('latin1')
          if (payload.length > 0) h.actor.consumed({ slot, generation }, payload.length)
        }
        return records.length
      }
      for (const step of commands) {
        if (step.do === 'take') read(step.most)
        else if (step.do === 'drain') h.link.drain()
        else if (step.do === 'sleep') h.link.beforeSleep()
        else if (!clients[step.client]!.socket.paused) {
          let text = ''
          while (text.length < step.bytes) text += `${next++},`
          sent[step.client] += text
          clients[step.client]!.send(text)
        }
      }
      do h.link.drain()
      while (read() > 0)
      h.link.drain()
      expect(got).toEqual(sent)
      // All of it was consumed: nobody is left holding a paused socket.
      expect(clients.map(({ socket }) => socket.paused)).toEqual([false, false, false])
      expect(clients.map(({ connection }) => connection.unconsumed)).toEqual([0, 0, 0])
      h.end()
    })
    fc.assert(run, { numRuns: 200 })
  })
})

describe('slots', () => {
  test('a slot is used again, with a new generation', () => {
    const h = harness()
    const first = h.connectKnown()
    first.socket.closed()
    const second = h.connect()
    expect(second.connection.slot).toBe(first.connection.slot)
    expect(inShort(h.actor.take())).toEqual(['GONE 0.1', 'OPEN 0.2'])
    expect(h.link.size).toBe(1)
  })

  test('not before the actor has been told that its connection is gone', () => {
    const h = harness()
    const first = h.connectKnown()
    h.fill()
    first.socket.closed()
    expect(h.link.takeSlot()).toEqual({ slot: 1, generation: 1 })
    expect(inShort(h.settle())).toEqual(['GONE 0.1'])
    expect(h.link.takeSlot()).toEqual({ slot: 0, generation: 2 })
  })

  test('closing twice frees a slot once', () => {
    const h = harness()
    const { connection } = h.connectKnown()
    h.link.detach(connection)
    h.link.detach(connection)
    expect(inShort(h.actor.take())).toEqual(['GONE 0.1'])
    expect([h.link.takeSlot().slot, h.link.takeSlot().slot]).toEqual([0, 1])
    expect(h.link.size).toBe(0)
  })

  test('answers for an earlier generation reach nobody', () => {
    const h = harness()
    const first = h.connectKnown()
    const stale = { slot: first.connection.slot, generation: first.connection.generation }
    first.socket.closed()
    const second = h.connect()
    second.send('x')
    h.actor.answer(RESPONSE.DATA, stale, 'of the first')
    h.actor.idle(1, stale, 'of the first')
    h.actor.answer(RESPONSE.DATA_CLOSE, stale, 'of the first')
    h.actor.consumed(stale, 1)
    h.actor.answer(RESPONSE.DATA, { slot: 40, generation: 1 }, 'of nobody')
    h.link.drain()
    expect(second.socket.text).toBe('')
    expect(second.socket.ended).toBe(false)
    expect(second.connection.unconsumed).toBe(1)
    expect(h.link.awaits).toBe(true)
  })
})

describe('flow control', () => {
  test('reading stops at the receive window and goes on when bytes are given back', () => {
    const h = harness({ limits: { receiveWindowBytes: 100 } })
    const { connection, send, socket } = h.connectKnown()
    send('x'.repeat(99))
    expect(socket.paused).toBe(false)
    send('x')
    expect(socket.paused).toBe(true)
    h.actor.consumed(connection, 1)
    h.link.drain()
    expect(socket.paused).toBe(false)
    expect(connection.unconsumed).toBe(99)
  })

  test('a kept read keeps reading stopped though the window has opened', () => {
    const h = harness({ limits: { receiveWindowBytes: 100 } })
    const { connection, send, socket } = h.connectKnown()
    send('x'.repeat(60))
    h.fill()
    send('y'.repeat(60))
    h.actor.consumed(connection, 60)
    h.link.drain()
    expect(socket.paused).toBe(true)
    expect(inShort(h.settle())).toEqual([`DATA 0.1 ${'y'.repeat(60)}`])
    expect(socket.paused).toBe(false)
  })

  test('above the high watermark reading stops, at the low one it goes on, for all held back', () => {
    const h = harness({ highWatermark: 0.75, lowWatermark: 0.25 })
    const a = h.connectKnown()
    const b = h.connectKnown()
    a.send('x'.repeat(400))
    expect(a.socket.paused).toBe(false)
    a.send('x'.repeat(360))
    b.send('y')
    expect([a.socket.paused, b.socket.paused]).toEqual([true, true])
    h.actor.take(1)
    h.link.drain()
    // 376 and 24 bytes are left, more than a quarter of the ring.
    expect([a.socket.paused, b.socket.paused]).toEqual([true, true])
    h.actor.take(1)
    h.link.drain()
    expect([a.socket.paused, b.socket.paused]).toEqual([false, false])
  })

  test('one that is held back by the ring and by its window needs both to go on', () => {
    const h = harness({ highWatermark: 0.5, lowWatermark: 0.25, limits: { receiveWindowBytes: 400 } })
    const filler = h.connectKnown()
    const { connection, send, socket } = h.connectKnown()
    filler.send('x'.repeat(380))
    send('y'.repeat(300))
    expect(socket.paused).toBe(true)
    h.actor.take(1)
    // The ring still holds more than its low watermark: the window alone does not let it go.
    h.actor.consumed(connection, 300)
    h.link.drain()
    expect(socket.paused).toBe(true)
    h.actor.take()
    h.link.drain()
    expect(socket.paused).toBe(false)
  })

  test('the actor is told what the client took, by halves of the send window', () => {
    const h = harness({ limits: { sendWindowBytes: 100 } })
    const { connection, send, socket } = h.connectKnown()
    send('x')
    h.actor.answer(RESPONSE.DATA, connection, 'a'.repeat(40))
    h.link.drain()
    socket.flush()
    expect(inShort(h.actor.take())).toEqual(['DATA 0.1 x'])
    h.actor.answer(RESPONSE.DATA, connection, 'b'.repeat(20))
    h.link.drain()
    // Not before the client has it.
    expect(inShort(h.actor.take())).toEqual([])
    socket.flush()
    expect(inShort(h.actor.take())).toEqual(['SENT 0.1 60'])
  })

  test('what is kept for all clients together is bounded: who does not fit is closed, the others go on', () => {
    const h = harness({ heldBytes: 100 })
    const [slow, slower, next] = [h.connectKnown(), h.connectKnown(), h.connectKnown()]
    h.actor.answer(RESPONSE.DATA, slow.connection, 'a'.repeat(60))
    h.actor.answer(RESPONSE.DATA, slower.connection, 'b'.repeat(60))
    h.link.drain()
    expect([slow.socket.destroyed, slower.socket.destroyed]).toEqual([false, true])
    expect(h.held.usedBytes).toBe(60)
    slower.socket.closed()
    slow.socket.flush()
    expect(h.held.usedBytes).toBe(0)
    h.actor.answer(RESPONSE.DATA, next.connection, 'c'.repeat(100))
    h.link.drain()
    expect([next.socket.text.length, next.socket.destroyed, h.held.usedBytes]).toEqual([100, false, 100])
    // A client that leaves without having taken it, and is told so after it has left.
    next.socket.closed()
    expect(h.held.usedBytes).toBe(0)
    next.socket.flush()
    expect(h.held.usedBytes).toBe(0)
  })

  test('reads that find no room count as well', () => {
    const h = harness({ heldBytes: 100 })
    const [first, second] = [h.connectKnown(), h.connectKnown()]
    h.fill()
    first.send('x'.repeat(80))
    expect([h.held.usedBytes, first.socket.destroyed]).toEqual([80, false])
    second.send('y'.repeat(30))
    expect([h.held.usedBytes, second.socket.destroyed]).toEqual([80, true])
    h.actor.take()
    h.link.drain()
    expect(h.held.usedBytes).toBe(0)
    expect(inShort(h.actor.take())).toContain(`DATA 0.1 ${'x'.repeat(80)}`)
  })

  test('a credit that finds no room is told later, whole', () => {
    const h = harness({ limits: { sendWindowBytes: 100 } })
    const { connection, send, socket } = h.connectKnown()
    send('x')
    h.fill()
    h.actor.answer(RESPONSE.DATA, connection, 'a'.repeat(60))
    h.fill()
    h.link.drain()
    socket.flush()
    h.actor.answer(RESPONSE.DATA, connection, 'a'.repeat(30))
    h.link.drain()
    socket.flush()
    expect(inShort(h.settle())).toEqual(['SENT 0.1 90'])
  })
})

describe('from the actor', () => {
  test('answers go out in order, out of memory that is used again', () => {
    const h = harness({ responseBytes: 1024 })
    const { connection, send, socket } = h.connectKnown()
    let expected = ''
    for (let i = 0; i < 50; i++) {
      send('x')
      const text = `${i}:`.repeat(20)
      h.actor.idle(i + 1, connection, text)
      h.link.drain()
      h.actor.take()
      expected += text
    }
    expect(socket.text).toBe(expected)
  })

  test('a batch ends at its limit, and says so', () => {
    const h = harness({ limits: { batchRecords: 3 } })
    const { connection, socket } = h.connectKnown()
    for (const text of ['a', 'b', 'c', 'd']) h.actor.answer(RESPONSE.DATA, connection, text)
    expect(h.link.drain()).toBe(true)
    expect(socket.text).toBe('abc')
    expect(h.link.hasAnswers()).toBe(true)
    expect(h.link.drain()).toBe(false)
    expect(socket.text).toBe('abcd')
    expect(h.link.hasAnswers()).toBe(false)
  })

  test('an answer to all that was sent ends the waiting, an older one does not', () => {
    const h = harness()
    const { connection, send } = h.connectKnown()
    send('one')
    send('two')
    h.actor.idle(1, connection, 'first answer')
    h.link.drain()
    expect(h.link.awaits).toBe(true)
    h.actor.idle(2, connection, 'second answer')
    h.link.drain()
    expect(h.link.awaits).toBe(false)
  })

  test('nor does an answer while a read is kept back', () => {
    const h = harness()
    const { connection, send } = h.connectKnown()
    send('one')
    h.fill()
    send('two')
    h.actor.idle(1, connection, 'first answer')
    h.link.drain()
    expect(h.link.awaits).toBe(true)
    h.settle()
    h.actor.idle(2, connection, 'second answer')
    h.link.drain()
    expect(h.link.awaits).toBe(false)
  })

  test('part of an answer does not end the waiting', () => {
    const h = harness()
    const { connection, send } = h.connectKnown()
    send('one')
    h.actor.answer(RESPONSE.DATA, connection, 'part')
    h.link.drain()
    expect(h.link.awaits).toBe(true)
  })

  test('closing ends the socket, which is then only read from', () => {
    const h = harness()
    const { connection, send, socket } = h.connectKnown()
    connection.pause()
    send('x')
    h.actor.answer(RESPONSE.DATA_CLOSE, connection, 'bye')
    h.link.drain()
    expect(socket.text).toBe('bye')
    expect(socket.ended).toBe(true)
    expect(socket.paused).toBe(false)
  })

  test('a destroyed socket is never written to or ended', () => {
    const h = harness()
    const { connection, send, socket } = h.connectKnown()
    send('x')
    socket.destroy()
    h.actor.answer(RESPONSE.DATA, connection, 'a')
    h.actor.answer(RESPONSE.DATA_CLOSE, connection, 'b')
    h.link.drain()
    h.link.down()
    expect(socket.text).toBe('')
    expect(socket.misuses).toBe(0)
  })

  test('a record of unknown type is an error, not data', () => {
    const h = harness()
    const { connection } = h.connectKnown()
    h.actor.answer(77, connection, 'x')
    expect(() => h.link.drain()).toThrow('unknown type 77')
  })
})

describe('when an actor ends', () => {
  test('who waits is told, who was being answered is cut off, who was idle stays', () => {
    const h = harness()
    const waiting = h.connectKnown()
    const answered = h.connectKnown()
    const half = h.connectKnown()
    const silent = h.connectKnown()
    for (const { send } of [waiting, answered, half]) send('x')
    h.actor.take()
    h.actor.idle(1, answered.connection, 'whole')
    h.actor.answer(RESPONSE.DATA, half.connection, 'half')
    // What the actor has written before its end is delivered, drained or not.
    h.link.down()
    expect(waiting.socket.text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n.*"error":"shard-restarted"/s)
    expect(waiting.socket.text).toContain('connection: close')
    const [head, body] = waiting.socket.text.split('\r\n\r\n')
    expect(head).toContain(`content-length: ${body!.length}`)
    expect(waiting.socket.ended).toBe(true)
    expect(answered.socket.text).toBe('whole')
    expect([answered.socket.ended, answered.socket.destroyed]).toEqual([false, false])
    expect(half.socket.text).toBe('half')
    expect(half.socket.destroyed).toBe(true)
    expect([silent.socket.ended, silent.socket.destroyed, silent.socket.text]).toEqual([false, false, ''])
    // Idle connections are new ones to the next actor.
    h.restart()
    expect(inShort(h.actor.take())).toEqual(['OPEN 1.2', 'OPEN 3.2'])
    answered.send('again')
    expect(inShort(h.actor.take())).toEqual(['DATA 1.2 again'])
    h.actor.idle(1, answered.connection, ' and again')
    h.link.drain()
    expect(answered.socket.text).toBe('whole and again')
  })

  test('who waits behind more answers than a batch holds gets what was written for it', () => {
    const h = harness({ limits: { batchRecords: 2 } })
    const { connection, send, socket } = h.connectKnown()
    send('x')
    for (const text of ['a', 'b', 'c', 'd', 'e']) h.actor.answer(RESPONSE.DATA, connection, text)
    h.actor.idle(1, connection, 'f')
    h.link.down()
    expect(socket.text).toBe('abcdef')
    expect(socket.destroyed).toBe(false)
  })

  test('what it had not begun to read is for the next one, and what had not found room', () => {
    const h = harness()
    const [known, kept, partly] = [h.connectKnown(), h.connectKnown(), h.connectKnown()]
    const answers: string[] = []
    for (const { connection, send } of [known, kept]) {
      send('one')
      h.actor.take()
      h.actor.idle(1, connection, 'first answer')
    }
    h.link.drain()
    partly.send('begun ')
    h.actor.take()
    const fresh = h.connect()
    for (const client of [known, partly, fresh]) client.send('two ')
    known.send('and three')
    h.fill(false)
    kept.send('two')
    expect(kept.socket.paused).toBe(true)
    h.link.down()
    for (const { socket } of [known, kept]) expect(socket.text).toBe('first answer')
    expect(partly.socket.text).toMatch(/^HTTP\/1\.1 502 /)
    expect(fresh.socket.text).toBe('')
    expect(h.link.awaits).toBe(true)
    h.restart()
    for (const line of inShort(h.settle())) answers.push(line)
    expect(answers.toSorted()).toEqual(
      [
        'OPEN 0.2',
        'DATA 0.2 two and three',
        'OPEN 1.2',
        'DATA 1.2 two',
        'OPEN 3.2',
        'DATA 3.2 two ',
      ].toSorted(),
    )
    for (const { connection, socket } of [known, kept, fresh]) {
      expect(socket.paused).toBe(false)
      h.actor.idle(1, connection, '.')
    }
    h.link.drain()
    for (const { socket } of [known, kept, partly, fresh]) socket.flush()
    partly.socket.closed()
    expect(h.link.awaits).toBe(false)
    expect(h.held.usedBytes).toBe(0)
  })

  test('what is read is not given twice: neither to the request that it was ended for, nor to one that it had begun', () => {
    const h = harness()
    const [culprit, behind, later] = [h.connectKnown(), h.connectKnown(), h.connectKnown()]
    for (const { send } of [culprit, behind, later]) send('x')
    h.actor.take(2)
    h.link.down({ slot: 0, generation: 1 })
    expect(culprit.socket.text).toMatch(/^HTTP\/1\.1 503 .*cpu-limit/s)
    expect(behind.socket.text).toMatch(/^HTTP\/1\.1 502 /)
    expect(later.socket.text).toBe('')
    h.restart()
    expect(inShort(h.settle())).toEqual(['OPEN 2.2', 'DATA 2.2 x'])
  })

  test('a connection from another shard is one to the next actor too', () => {
    const h = harness()
    const { connection } = h.connectKnown()
    h.link.letGo(connection)
    h.actor.take()
    h.link.adopt(connection, [Buffer.from('x')])
    h.link.down()
    h.restart()
    expect(inShort(h.settle())).toEqual(['OPEN_MOVED 0.3', 'DATA 0.3 x'])
  })

  test('from a ring that is not as it should be nothing is read, and everybody who waits is told', () => {
    const h = harness()
    const { send, socket } = h.connectKnown()
    const { offset } = requestRing(h.handle)
    send('x')
    // The length of the record, the second one of the ring.
    new Int32Array(h.handle.memory.buffer)[(offset + 2 * CACHE_LINE_BYTES + HEADER_BYTES) / 4] = -1
    h.link.down()
    expect(socket.text).toMatch(/^HTTP\/1\.1 502 /)
    h.restart()
    expect(inShort(h.settle())).toEqual([])
  })

  test('without a successor, or while its thread may still read, everybody who waits is told', () => {
    const h = harness()
    const { send, socket } = h.connectKnown()
    send('x')
    h.link.down(undefined, false)
    expect(socket.text).toMatch(/^HTTP\/1\.1 502 /)
  })

  test('what comes while there is none, and whose client leaves, is nobody’s', () => {
    const h = harness()
    const { send, socket } = h.connectKnown()
    send('x')
    h.link.down()
    socket.closed()
    h.restart()
    expect(inShort(h.settle())).toEqual(['GONE 0.2'])
    expect(h.held.usedBytes).toBe(0)
    expect(h.link.awaits).toBe(false)
  })

  test('nothing is written to the rings while no actor is there', () => {
    const h = harness()
    const idle = h.connectKnown()
    const leaving = h.connectKnown()
    const waiting = h.connectKnown()
    waiting.send('x')
    h.actor.take()
    h.link.down()
    // All that can happen meanwhile: the old actor's end of the ring must not see any of it.
    leaving.socket.closed()
    waiting.socket.flush()
    waiting.socket.closed()
    const fresh = h.connect()
    fresh.send('early')
    h.link.deliverEnd(idle.connection)
    h.link.tell(REQUEST.STOP)
    h.link.flushed(idle.connection)
    h.link.beforeSleep()
    h.link.ring()
    expect(h.link.drain()).toBe(false)
    expect(h.link.hasAnswers()).toBe(false)
    expect(h.actor.take()).toEqual([])
    h.restart()
    const told = inShort(h.settle())
    expect(told.filter((line) => line.includes(` ${idle.connection.slot}.`))).toEqual(['OPEN 0.2', 'END 0.2'])
    const slot = fresh.connection.slot
    expect(told.filter((line) => line.includes(` ${slot}.`)).slice(-2)).toEqual([
      `OPEN ${slot}.${fresh.connection.generation}`,
      `DATA ${slot}.${fresh.connection.generation} early`,
    ])
    expect(fresh.socket.paused).toBe(false)
  })

  test('a FIN that the old actor had been told of is told to the new one', () => {
    const h = harness()
    const { connection } = h.connectKnown()
    h.link.deliverEnd(connection)
    expect(inShort(h.actor.take())).toEqual(['END 0.1'])
    h.link.down()
    h.restart()
    expect(inShort(h.actor.take())).toEqual(['OPEN 0.2', 'END 0.2'])
  })

  test('bytes that the old actor had not given back are none of the new one’s', () => {
    const h = harness({ limits: { receiveWindowBytes: 100, sendWindowBytes: 100 } })
    const { connection, send, socket } = h.connectKnown()
    send('x'.repeat(100))
    expect(socket.paused).toBe(true)
    h.actor.idle(1, connection, 'a'.repeat(90))
    h.link.down()
    expect(socket.paused).toBe(false)
    h.restart()
    // The client takes the old actor's answer only now.
    socket.flush()
    expect(inShort(h.actor.take())).toEqual(['OPEN 0.2'])
    send('y'.repeat(99))
    expect(socket.paused).toBe(false)
    h.actor.idle(1, connection, 'b')
    h.link.drain()
    expect(h.link.awaits).toBe(false)
  })

  test('slots of connections whose end was owed are free again, each once', () => {
    const h = harness()
    const clients = [h.connectKnown(), h.connectKnown()]
    h.fill()
    for (const { socket } of clients) socket.closed()
    h.link.down()
    h.restart()
    const slots = [h.link.takeSlot().slot, h.link.takeSlot().slot, h.link.takeSlot().slot]
    expect(slots.toSorted()).toEqual([0, 1, 2])
  })

  test('draining is told again', () => {
    const h = harness()
    h.link.tell(REQUEST.DRAIN)
    expect(inShort(h.actor.take())).toEqual(['DRAIN 0.0'])
    h.link.down()
    h.restart()
    expect(inShort(h.actor.take())).toEqual(['DRAIN 0.0'])
  })

  test('its end is counted', () => {
    const h = harness()
    h.connectKnown()
    h.link.down()
    h.restart()
    h.link.down()
    expect(h.link.counters.get(linkCounter.restarts)).toBe(2)
  })
})
