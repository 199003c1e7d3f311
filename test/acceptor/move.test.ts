import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { LANE, moveType, REQUEST, RESPONSE } from '../../src/protocol.ts'
import { type Client, Harness, inShort, type Setup } from './harness.ts'

let open: Harness[] = []
afterEach(() => {
  for (const each of open) each.end()
  open = []
})

/** Two shards; what leaves the first goes on in the second, as the acceptor does it. */
function pair(setup?: Setup) {
  const from = new Harness(setup)
  const to = new Harness(setup)
  open.push(from, to)
  const lanes: number[] = []
  from.link.onMoved = (connection, lane, bytes) => {
    lanes.push(lane)
    to.link.adopt(connection, bytes)
  }
  return { from, to, lanes }
}

const placeOf = ({ connection }: Client) => ({ slot: connection.slot, generation: connection.generation })
const move = (h: Harness, place: { slot: number; generation: number }, text: string) =>
  h.actor.answer(moveType(LANE.PENALTY), place, text)

/** The old actor has seen the GONE. */
function letGo({ actor, link }: Harness, place: { slot: number; generation: number }): void {
  actor.answer(RESPONSE.MOVED, place)
  link.drain()
}

function receive(client: Client, text: string): void {
  client.connection.link.deliver(client.connection, Buffer.from(text), text.length)
}

describe('a connection moves to another shard', () => {
  test('with the bytes that were not consumed, those behind them, and in this order', () => {
    const { from, to, lanes } = pair()
    const client = from.connectKnown()
    client.send('one ')
    from.actor.take()
    const place = placeOf(client)
    move(from, place, 'one ')
    // These are on the way to the first actor when it says so.
    client.send('two ')
    from.link.drain()
    expect(client.socket.paused).toBe(true)
    // And these were read before the socket stopped.
    client.send('four')
    expect(inShort(from.actor.take())).toEqual([`DATA 0.1 two `, 'GONE 0.1'])
    move(from, place, 'two ')
    letGo(from, place)
    expect(lanes).toEqual([LANE.PENALTY])
    expect(inShort(to.actor.take())).toEqual(['OPEN_MOVED 0.1', 'DATA 0.1 one two four'])
    expect(client.socket.paused).toBe(false)
    expect([from.link.size, to.link.size, from.link.awaits, to.link.awaits]).toEqual([0, 1, false, true])
    expect(client.connection.link).toBe(to.link)
  })

  test('and is answered there, and its old slot is free', () => {
    const { from, to } = pair()
    const client = from.connectKnown()
    client.send('x')
    from.actor.take()
    const place = placeOf(client)
    move(from, place, 'x')
    from.link.drain()
    from.actor.take()
    letGo(from, place)
    to.actor.take()
    // What the old actor still says reaches nobody.
    from.actor.answer(RESPONSE.DATA, place, 'late')
    from.link.drain()
    to.actor.idle(1, placeOf(client), 'answer')
    to.link.drain()
    expect(client.socket.text).toBe('answer')
    expect(to.link.awaits).toBe(false)
    const next = from.connect()
    expect(placeOf(next)).toEqual({ slot: 0, generation: 2 })
  })

  test('with more than a record holds', () => {
    const { from, to } = pair({ requestBytes: 1024, responseBytes: 4096 })
    const client = from.connectKnown()
    const place = placeOf(client)
    const text = 'abcdefghij'.repeat(150)
    move(from, place, text)
    from.link.drain()
    from.actor.take()
    letGo(from, place)
    const records = to.settle()
    const data = records.filter(({ type }) => type === 'DATA').map(({ payload }) => payload.toString())
    expect(data.length).toBeGreaterThan(1)
    expect(data.join('')).toBe(text)
  })

  test('with its FIN, whether the old actor knew of it or not', () => {
    for (const known of [true, false]) {
      const { from, to } = pair()
      const client = from.connectKnown()
      const place = placeOf(client)
      if (known) from.link.deliverEnd(client.connection)
      move(from, place, 'x')
      from.link.drain()
      if (!known) from.link.deliverEnd(client.connection)
      from.actor.take()
      letGo(from, place)
      expect(inShort(to.settle())).toEqual(['OPEN_MOVED 0.1', 'DATA 0.1 x', 'END 0.1'])
    }
  })

  test('that closes on the way is gone, once, and its slot is used again only after MOVED', () => {
    const { from, to } = pair()
    const client = from.connectKnown()
    const place = placeOf(client)
    move(from, place, 'x')
    from.link.drain()
    client.socket.closed()
    expect(inShort(from.actor.take())).toEqual(['GONE 0.1'])
    expect(placeOf(from.connect())).toEqual({ slot: 1, generation: 1 })
    letGo(from, place)
    expect(inShort(to.actor.take())).toEqual([])
    expect(placeOf(from.connect())).toEqual({ slot: 0, generation: 2 })
    expect(from.link.size).toBe(2)
  })

  test('whose actor ends on the way is answered that it was interrupted', () => {
    const { from, to } = pair()
    const client = from.connectKnown()
    move(from, placeOf(client), 'x')
    from.link.drain()
    from.link.down()
    expect(client.socket.text).toMatch(/^HTTP\/1.1 502 /)
    client.socket.flush()
    client.socket.closed()
    from.restart()
    expect(from.link.size).toBe(0)
    expect(inShort(to.actor.take())).toEqual([])
  })

  test('goes on when its client has taken what was written: send windows do not add up', () => {
    const { from, to } = pair()
    const client = from.connectKnown()
    const place = placeOf(client)
    client.send('x')
    from.actor.take()
    from.actor.answer(RESPONSE.DATA, place, 'an answer')
    move(from, place, 'x')
    from.link.drain()
    from.actor.take()
    letGo(from, place)
    expect(client.connection.queued).toBe(9)
    expect(inShort(to.actor.take())).toEqual([])
    client.socket.flush()
    expect(inShort(to.actor.take())).toEqual(['OPEN_MOVED 0.1', 'DATA 0.1 x'])
    expect([from.link.size, to.link.size]).toEqual([0, 1])
  })

  test('that closes while its client has not taken everything is gone', () => {
    const { from, to } = pair()
    const client = from.connectKnown()
    const place = placeOf(client)
    from.actor.answer(RESPONSE.DATA, place, 'an answer')
    move(from, place, 'x')
    from.link.drain()
    from.actor.take()
    letGo(from, place)
    client.socket.closed()
    expect(from.link.size).toBe(0)
    expect(placeOf(from.connect())).toEqual({ slot: 0, generation: 2 })
    expect(inShort(to.actor.take())).toEqual([])
  })

  test('with a FIN that the old ring had no room for: it comes after the bytes', () => {
    const { from, to } = pair()
    const client = from.connectKnown()
    const place = placeOf(client)
    from.fill()
    from.link.deliverEnd(client.connection)
    move(from, place, 'x')
    from.link.drain()
    from.actor.take()
    from.link.beforeSleep()
    from.actor.take()
    letGo(from, place)
    expect(inShort(to.settle())).toEqual(['OPEN_MOVED 0.1', 'DATA 0.1 x', 'END 0.1'])
  })

  test('a GONE that finds no room waits for it', () => {
    const { from, to } = pair()
    const client = from.connectKnown()
    const place = placeOf(client)
    from.fill()
    move(from, place, 'x')
    from.link.drain()
    from.actor.take()
    from.link.beforeSleep()
    expect(inShort(from.actor.take())).toEqual(['GONE 0.1'])
    letGo(from, place)
    expect(inShort(to.actor.take())).toEqual(['OPEN_MOVED 0.1', 'DATA 0.1 x'])
  })

  test('to a shard that is not up yet, and goes on when it is', () => {
    const { from, to } = pair()
    to.link.down()
    const client = from.connectKnown()
    const place = placeOf(client)
    move(from, place, 'x')
    from.link.drain()
    from.actor.take()
    letGo(from, place)
    to.restart()
    expect(inShort(to.settle())).toEqual(['OPEN_MOVED 0.1', 'DATA 0.1 x'])
  })

  test('every byte arrives once and in order, however the pieces fall', () => {
    const step = fc.constantFrom('send', 'drain', 'take', 'hand on', 'end of move')
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const { from, to } = pair()
        const client = from.connectKnown()
        const place = placeOf(client)
        let sent = ''
        let known = ''
        let sawGone = false
        let isMoving = false
        const take = () => {
          for (const record of from.actor.take()) {
            if (record.type === 'DATA') known += record.payload.toString()
            if (record.type === 'GONE') sawGone = true
          }
        }
        const handOn = () => {
          move(from, place, known)
          known = ''
          isMoving = true
        }
        for (const each of steps) {
          if (each === 'send' && !client.socket.paused) {
            const text = `${sent.length},`
            sent += text
            receive(client, text)
          } else if (each === 'drain') from.link.drain()
          else if (each === 'take') take()
          else if (each === 'hand on' && !sawGone) handOn()
          else if (each === 'end of move' && sawGone && known === '') {
            from.actor.answer(RESPONSE.MOVED, place)
            sawGone = false
            from.link.drain()
          }
        }
        if (client.connection.link === from.link) {
          if (!isMoving) handOn()
          from.link.drain()
          take()
          if (known !== '') handOn()
          if (sawGone) from.actor.answer(RESPONSE.MOVED, place)
          from.link.drain()
        }
        const data = to.settle().filter(({ type }) => type === 'DATA')
        expect(data.map(({ payload }) => payload.toString()).join('')).toBe(sent)
        from.end()
        to.end()
      }),
      { numRuns: 300 },
    )
  })
})

describe('an idle connection leaves by itself', () => {
  /** As the balance does it. */
  function give(from: Harness, to: Harness, { connection }: Client): boolean {
    if (!connection.isIdle || !from.link.letGo(connection)) return false
    to.link.adopt(connection, [], false)
    return true
  }

  function answered(h: Harness, client: Client, text: string): void {
    client.send(text)
    h.actor.take()
    h.actor.idle(client.connection.delivered, placeOf(client), `${text} answered;`)
    h.link.drain()
  }

  test('the old actor is told that it is gone, the new one that it is there, and the old slot is free', () => {
    const { from, to } = pair()
    const client = from.connectKnown()
    answered(from, client, 'one')
    client.socket.flush()
    expect(give(from, to, client)).toBe(true)
    expect(inShort(from.actor.take())).toEqual(['GONE 0.1'])
    client.connection.link.deliver(client.connection, Buffer.from('two'), 3)
    expect(inShort(to.actor.take())).toEqual(['OPEN 0.1', 'DATA 0.1 two'])
    expect([from.link.size, to.link.size, from.link.awaits, to.link.awaits]).toEqual([0, 1, false, true])
    to.actor.idle(1, placeOf(client), 'two answered;')
    to.link.drain()
    expect(client.socket.text).toBe('one answered;two answered;')
    expect(client.connection.isIdle).toBe(false)
    client.socket.flush()
    expect(client.connection.isIdle).toBe(true)
    expect(placeOf(from.connect())).toEqual({ slot: 0, generation: 2 })
  })

  test('what the old actor still says reaches neither it nor the next tenant of its slot', () => {
    const { from, to } = pair()
    const client = from.connectKnown()
    const place = placeOf(client)
    expect(give(from, to, client)).toBe(true)
    const next = from.connect()
    expect(next.connection.slot).toBe(place.slot)
    from.actor.answer(RESPONSE.DATA_CLOSE, place, 'late')
    from.actor.consumed(place, 100)
    from.link.drain()
    expect([client.socket.text, next.socket.text]).toEqual(['', ''])
    expect([client.connection.closing, next.connection.closing]).toEqual([false, false])
    expect([client.connection.unconsumed, next.connection.unconsumed]).toEqual([0, 0])
  })

  test.each<[string, (h: Harness, client: Client) => void]>([
    ['waits for an answer', (_, client) => client.send('x')],
    [
      'has bytes that found no room',
      (h, client) => {
        h.fill()
        client.send('x')
      },
    ],
    ['has sent its FIN', (h, client) => h.link.deliverEnd(client.connection)],
    ['has not taken its answer', (h, client) => answered(h, client, 'x')],
    [
      'is in the middle of an answer',
      (h, client) => {
        h.actor.answer(RESPONSE.DATA, placeOf(client), 'half')
        h.link.drain()
        client.socket.flush()
      },
    ],
    [
      'is moving',
      (h, client) => {
        move(h, placeOf(client), 'x')
        h.link.drain()
      },
    ],
    ['is being closed', (_, client) => client.connection.close()],
    ['is gone', (_, client) => client.socket.closed()],
    [
      'gets a file',
      (_, client) => {
        client.connection.sendsFile = true
      },
    ],
    ['is one of a ring that is full', (h) => h.fill()],
    ['is one of a shard that drains', (h) => h.link.tell(REQUEST.DRAIN)],
    ['is one of a shard whose actor has ended', (h) => h.link.down()],
  ])('not one that %s', (_, happens) => {
    const { from, to } = pair()
    const client = from.connectKnown()
    happens(from, client)
    expect(give(from, to, client)).toBe(false)
    expect(to.link.size).toBe(0)
    expect(inShort(to.actor.take())).toEqual([])
    client.connection.sendsFile = false
  })

  test('every request is answered once and in order, however often it goes to and fro', () => {
    const step = fc.constantFrom('send', 'take', 'answer', 'drain', 'flush', 'give')
    let moves = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 80 }), (steps) => {
        const { from, to } = pair()
        const client = from.connectKnown()
        const sides = [from, to]
        let sent = 0
        let at = 0
        const known = ['', '']
        const counts = new Map<string, number>()
        const take = (side: number) => {
          for (const { type, slot, generation, payload } of sides[side]!.actor.take()) {
            const key = `${side} ${slot} ${generation}`
            if (type === 'GONE') known[side] = ''
            if (type !== 'DATA') continue
            counts.set(key, (counts.get(key) ?? 0) + 1)
            known[side] += payload.toString()
          }
        }
        const answer = () => {
          const { slot, generation } = client.connection
          if (known[at] === '') return
          sides[at]!.actor.idle(counts.get(`${at} ${slot} ${generation}`)!, { slot, generation }, known[at])
          known[at] = ''
        }
        for (const each of steps) {
          if (each === 'send') receive(client, `${sent++},`)
          else if (each === 'take') take(at)
          else if (each === 'answer') answer()
          else if (each === 'drain') for (const { link } of sides) link.drain()
          else if (each === 'flush') client.socket.flush()
          else if (give(sides[at]!, sides[1 - at]!, client)) {
            at = 1 - at
            moves++
          }
        }
        take(at)
        answer()
        for (const { link } of sides) link.drain()
        const expected = Array.from({ length: sent }, (_, i) => `${i},`).join('')
        expect(client.socket.text).toBe(expected)
        expect(from.link.size + to.link.size).toBe(1)
        from.end()
        to.end()
      }),
      { numRuns: 500 },
    )
    expect(moves).toBeGreaterThan(100)
  })
})

test('an offence is reported to whoever keeps the book', () => {
  const { from } = pair()
  const offences: number[] = []
  from.link.onOffence = (functionIndex) => offences.push(functionIndex)
  const payload = Buffer.alloc(4)
  payload.writeInt32LE(7)
  from.actor.answer(RESPONSE.OFFENCE, { slot: 0, generation: 0 }, payload.toString('latin1'))
  from.link.drain()
  expect(offences).toEqual([7])
})
